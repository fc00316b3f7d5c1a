"""Checkpoints of a run: written whole or not at all, the last two kept, damage noticed."""

import logging
import shutil
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.io.files import remove_temporaries
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.progress import CheckpointRecord
from resnet_sizes.training.tensor_files import DamagedTensors, Tensors, read_tensors, write_tensors

log = logging.getLogger("resnet_sizes")

KEPT = 2
"""Checkpoints of a run on the disk: one more than is needed, should the newest be damaged."""


class Checkpoints:
    """The checkpoints of one run, `work/<run-hash>/`. No code is ever loaded from them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, record: CheckpointRecord, tensors: Tensors) -> bool:
        """Write one; False, with a warning, where the disk refuses. The run itself goes on."""
        path = self._folder / f"epoch-{record.epoch:05d}-step-{record.step:07d}.safetensors"
        try:
            write_tensors(path, tensors, record.model_dump_json())
        except WriteError as error:
            log.warning(
                f"warning: {error} The run goes on meanwhile; what it does from its last "
                "checkpoint on is lost if it is stopped"
            )
            return False
        for old in self._newest_first()[KEPT:]:
            if old != path:  # those with higher numbers may be unusable and not removable
                with suppress(OSError):
                    old.unlink()
        return True

    def newest(self, run_hash: str, training_hash: str) -> tuple[CheckpointRecord, Tensors] | None:
        """The newest whole checkpoint of this run by this code.

        Others are named in the log and set aside: with a higher number one would take the place
        of those that are still to come. The run's lock has to be held. Raises UserError, and
        touches nothing, where one cannot be read for now: it may be whole.
        """
        remove_temporaries(self._folder, "epoch-*", 0)
        paths = self._newest_first()
        for path in paths:
            aside = path.with_name(f"{path.name}.unused")
            if found := _read(path):
                if found[0].run_hash != run_hash:
                    log.warning(f"{path}: belongs to another run and is not used")
                elif found[0].training_hash != training_hash:
                    log.warning(
                        f"{path}: was written by another version of the training code and is not "
                        f"used; for that version it is kept as {aside.name}"
                    )
                else:
                    return found
            with suppress(OSError):
                path.replace(aside)
        if paths:
            none = "no checkpoint here can be used; the run starts from the beginning"
            log.warning(f"{self._folder}: {none}")
        return None

    def clear(self) -> None:
        """Remove them all, when the run is finished."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _newest_first(self) -> list[Path]:
        found = self._folder.glob("epoch-*-step-*.safetensors")
        return sorted((path for path in found if path.is_file()), reverse=True)


def _check_readable(path: Path) -> None:
    """Raise OSError if a part of the file cannot be read: a disk or a network may refuse what is
    whole, and safetensors would call it damage."""
    with path.open("rb") as file:
        while file.read(2**20):
            pass


def _read(path: Path) -> tuple[CheckpointRecord, Tensors] | None:
    """A whole checkpoint; None, with a warning, of a damaged one."""
    try:
        _check_readable(path)
        text, tensors = read_tensors(path)
        return CheckpointRecord.model_validate_json(text), tensors
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "memory is short"
        raise UserError(
            f"{path}: cannot be read for now ({shown_text(reason)}). Nothing is removed. Run the "
            "same command again where it can be read and has room in memory, or delete the file: "
            "the run then goes on from the checkpoint before, or starts from the beginning."
        ) from error
    except DamagedTensors as error:
        log.warning(f"{path}: {error} and is not used")
    except ValidationError:
        log.warning(f"{path}: is of another version and is not used")
    return None
