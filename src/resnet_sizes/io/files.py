"""Reading and writing files so that a half-written one never has its final name."""

import errno
import glob
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from safetensors import SafetensorError

from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.io.messages import explain, looked_in, shown_text

R = TypeVar("R", bound=BaseModel)

MAX_JSON_BYTES = 16 * 1024**2
"""A record is some kilobytes, and one of a study with many runs some hundreds of them."""
MAX_JSON_VALUES = 2_500_000  # of some hundred bytes in memory; a list of 100,000 files has 1 M

ABANDONED_AFTER = 86_400.0
"""Seconds after which nobody writes to a temporary file any more: its process was killed."""


def write_atomically(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary path beside `target`, flush it to disk and rename it.

    On an exception the temporary file is removed and `target` is left as it was. Raises
    WriteError where the disk is full or refuses.
    """
    _write_all({target: write})


def copy_together(sources: Sequence[Path], folder: Path) -> None:
    """Copy files into `folder`, all of them or none: the last is on the disk before the first
    gets its name. The names change in the order given, each in one step.

    Raises WriteError where the disk is full or refuses; `folder` is left as it was.
    """
    _write_all({folder / source.name: partial(shutil.copyfile, source) for source in sources})


def _write_all(writers: Mapping[Path, Callable[[Path], object]]) -> None:
    with ExitStack() as stack:
        temporaries: dict[Path, Path] = {}
        for target, write in writers.items():
            with explained_write(target):
                temporaries[target] = stack.enter_context(_temporary(target))
                write(temporaries[target])
                _flush(temporaries[target])
        for target, temporary in temporaries.items():
            with explained_write(target):
                temporary.replace(target)
        for folder in {target.parent for target in writers}:
            _flush_folder(folder)


@contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A path beside `target`, whose file is removed in the end unless it got another name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_temporaries(target.parent, f"{glob.escape(target.name)}.*", ABANDONED_AFTER)
    temporary = target.with_name(f".{target.name}.{uuid4().hex[:12]}.tmp{target.suffix}")
    try:
        yield temporary
    finally:
        with suppress(OSError):  # a disk that has become read-only; the first error counts
            temporary.unlink(missing_ok=True)


def remove_temporaries(folder: Path, name: str, age: float) -> None:
    """Remove what killed processes left: hidden files and folders whose name begins with that
    pattern and ends as `write_atomically`'s, and that nobody has touched for `age` seconds."""
    for path in folder.glob(f".{name}.tmp*"):
        with suppress(OSError):
            if age <= 0 or time.time() - path.stat().st_mtime > age:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def explained_write(target: Path) -> Iterator[None]:
    """Turn the system's errors of the block, which writes `target`, into a WriteError."""
    try:
        yield
    # safetensors has an error of its own for a full disk.
    except (OSError, SafetensorError) as error:
        remedy = "Free some space or fix the permissions"
        if getattr(error, "errno", None) == errno.ENOENT:
            remedy = "Name a folder in which files can be made"
        elif getattr(error, "errno", None) in (errno.EISDIR, errno.ENOTDIR, errno.EEXIST):
            remedy = "Move what lies there, or in place of a folder above it, to another name"
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            remedy = "Choose a shorter name"
        raise WriteError(
            f"{target}: cannot be written ({_reason(error)}). {remedy}, then run the same command "
            "again."
        ) from error


def _reason(error: OSError | SafetensorError) -> str:
    """The system's own message, without what libraries in Rust add to it."""
    found = re.search(r"([^:(]+) \(os error \d+\)", str(error))
    return (found[1].strip() if found else None) or getattr(error, "strerror", None) or str(error)


def _flush(temporary: Path) -> None:
    """Put a finished file on the disk, readable as other results are."""
    with temporary.open("rb") as written:
        os.fsync(written.fileno())
    # safetensors makes private files; results are meant to be read by colleagues.
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)


def _flush_folder(folder: Path) -> None:
    """Put the new name on the disk as well: after a power cut the old file would be back."""
    with suppress(OSError):  # some network file systems refuse
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_atomically(target, lambda path: path.write_text(text, encoding="utf-8"))


def write_json(target: Path, data: BaseModel | dict[str, Any] | list[Any]) -> None:
    """Write a record or plain data as indented JSON, atomically."""
    write_text(target, _pretty(data))


def write_json_if_changed(target: Path, data: BaseModel | dict[str, Any]) -> None:
    """Write as `write_json` does, but leave the file and its time alone if it holds the same."""
    text = _pretty(data)
    if not target.is_file() or target.read_bytes() != text.encode():
        write_text(target, text)


def _pretty(data: BaseModel | dict[str, Any] | list[Any]) -> str:
    plain = data.model_dump(mode="json") if isinstance(data, BaseModel) else data
    return json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def check_regular(path: Path, remedy: str) -> None:
    """Raise UserError, ending in `remedy`, for a folder, a pipe or a device, before a library opens
    it: a pipe may never end. A file that is missing or not accessible passes: opening it says so.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode):
        found = "is a folder" if stat.S_ISDIR(mode) else "is not a regular file"
        raise UserError(f"{path}: {found}. {remedy}")


def read_bytes(path: Path, remedy: str, most: int | None = None) -> bytes:
    """The content of a file, of at most `most` bytes. Raises UserError, ending in `remedy`,
    if it cannot be read or is larger."""
    try:
        check_regular(path, remedy)
        with path.open("rb") as file:
            content = file.read(-1 if most is None else most + 1)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file ({looked_in()}). {remedy}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). {remedy}") from None
    if most is not None and len(content) > most:
        raise UserError(f"{path}: has more than {most} bytes, which is the most allowed. {remedy}")
    return content


def read_json(path: Path, remedy: str, most: int = MAX_JSON_BYTES) -> Any:
    """What a stranger's JSON file holds. Raises UserError, ending in `remedy`, if it cannot be read
    or is larger than any of ours, and ValueError where it is no JSON."""
    content = read_bytes(path, remedy, most)
    if sum(map(content.count, (b",", b"[", b"{"))) > MAX_JSON_VALUES:
        raise UserError(f"{path}: holds more than {MAX_JSON_VALUES} values. {remedy}")
    return from_json(content)


def read_record(path: Path, kind: type[R], remedy: str) -> R:
    """Read and check a record. Raises UserError, ending in `remedy`, if anything is off.

    `remedy` is one sentence that says what to do, as `run_command` makes it.
    """
    content = read_bytes(path, remedy, MAX_JSON_BYTES)
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        first, *_ = found = error.errors(include_url=False)
        versions = [each["input"] for each in found if each["loc"][-1:] == ("schema_version",)]
        if any(isinstance(version, int) and version > 1 for version in versions):
            newer = "was made by a newer version of resnet-sizes"
            raise UserError(f"{path}: {newer}. Update: pip install -U resnet-sizes") from None
        if first["type"] == "json_invalid":
            problem = shown_text(str(first["ctx"]["error"]))
            raise UserError(f"{path}: is not complete JSON ({problem}). {remedy}") from None
        problems = "\n".join(f"  {line}" for line in explain(error, kind).values())
        raise UserError(f"{path}: is not a valid {kind.__name__}:\n{problems}\n{remedy}") from None


def read_if_valid(path: Path, kind: type[R]) -> R | None:
    """The record; None where there is none that can be read."""
    try:
        return read_record(path, kind, "")
    except UserError:
        return None
