"""Checkpoints of a run: written whole or not at all, the last two kept, damage noticed."""

import hashlib
import logging
import shutil
from contextlib import suppress
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.io.files import remove_temporaries, write_atomically
from resnet_sizes.io.messages import dotted, shown_text
from resnet_sizes.schemas.run.checkpoint import CheckpointRecord

log = logging.getLogger("resnet_sizes")

KEPT = 2
"""Checkpoints of a run on the disk: one more than is needed, should the newest be damaged."""

UNREADABLE = (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError)
"""What a damaged file of tensors raises: of another type, of another shape, cut off."""

SHORT_OF_MEMORY = ("allocate memory", "mmap")
"""Parts of what torch says where a whole file finds no room in memory."""

PIECE = 2**20
"""Bytes."""

Tensors = dict[str, torch.Tensor]


class Checkpoints:
    """The checkpoints of one run, `work/<run-hash>/`. No code is ever loaded from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: CheckpointRecord, tensors: Tensors) -> bool:
        """Write one; False, with a warning, where the disk refuses. The run itself goes on."""
        path = self._folder / f"epoch-{record.epoch:05d}-step-{record.step:07d}.safetensors"
        text = record.model_dump_json()
        metadata = {"record": text, "sha256": _digest(text, tensors)}
        try:
            write_atomically(path, lambda target: save_file(tensors, target, metadata))
        except WriteError as error:
            log.warning(
                "warning: %s The run goes on meanwhile; what it does from its last checkpoint on "
                "is lost if it is stopped",
                error,
            )
            return False
        for old in self._newest_first()[KEPT:]:
            if old != path:  # those with higher numbers may be unusable and not removable
                _remove(old)
        return True

    def newest(self, run_hash: str, training_hash: str) -> tuple[CheckpointRecord, Tensors] | None:
        """The newest whole checkpoint of this run by this code.

        What is passed over is told and set aside: with its higher number it would take the place
        of those that are still to come. The run's lock has to be held. Raises UserError, and
        touches nothing, where one cannot be read for now: it may be whole.
        """
        remove_temporaries(self._folder, "epoch-*", 0)
        paths = self._newest_first()
        for path in paths:
            found = _read(path)
            if found is not None:
                record, tensors = found
                if record.run_hash != run_hash:
                    log.warning("%s: belongs to another run and is not used", path)
                elif record.training_hash != training_hash:
                    log.warning(
                        "%s: was written by another version of the training code and is not used; "
                        "for that version it is kept as %s",
                        *(path, _aside(path).name),
                    )
                else:
                    return record, tensors
            self._set_aside(path)
        if paths:
            log.warning("%s: no checkpoint here can be used; the run begins anew", self._folder)
        return None

    def clear(self) -> None:
        """Remove them all, when the run is finished."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _set_aside(self, path: Path) -> None:
        with suppress(OSError):
            path.replace(_aside(path))
        # As many as of the others: a code that is edited often would fill the disk.
        older = sorted(self._folder.glob("*.unused"), key=lambda each: each.stat().st_mtime)
        for old in older[:-KEPT]:
            _remove(old)

    def _newest_first(self) -> list[Path]:
        return sorted(self._folder.glob("epoch-*-step-*.safetensors"), reverse=True)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.unused")


def _look_through(path: Path) -> None:
    """Raise OSError if a part of the file cannot be read: a disk or a network may refuse what
    is whole, and libraries would say it as they say damage."""
    with path.open("rb") as file:
        while file.read(PIECE):
            pass


def _unreadable(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path}: cannot be read for now ({shown_text(reason)}). Nothing is removed. Run the same "
        "command again where it can be read and has room in memory, or delete the file: the run "
        "then goes on from the checkpoint before, or begins anew."
    )


def _read(path: Path) -> tuple[CheckpointRecord, Tensors] | None:
    """A whole checkpoint; None, with a warning, of a damaged one."""
    try:
        _look_through(path)
        with safe_open(path, framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        text = metadata.get("record", "")
        whole = metadata.get("sha256") == _digest(text, tensors)
    except MemoryError:
        raise _unreadable(path, "memory is short") from None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except UNREADABLE as error:
        if any(word in str(error) for word in SHORT_OF_MEMORY):
            raise _unreadable(path, str(error)) from error
        log.warning("%s: is damaged (%s) and is not used", path, shown_text(str(error)))
        return None
    if not whole:
        log.warning("%s: is not what was written and is not used", path)
        return None
    try:
        return CheckpointRecord.model_validate_json(text), tensors
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problem = shown_text(f"{dotted(first['loc'])}: {first['msg']}")
        log.warning("%s: is of another version (%s) and is not used", path, problem)
        return None


def _digest(record: str, tensors: Tensors) -> str:
    digest = hashlib.sha256(record.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
