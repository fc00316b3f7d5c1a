"""Folders, zip and tar archives as one thing: named files that are read into memory.

Nothing is extracted to disk. Sizes are bounded, as declared and as read, so that a small
archive cannot fill the memory.
"""

import mmap
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from resnet_sizes.data.archives.safe_names import is_ignored, safe_parts, shown, visible_parts
from resnet_sizes.data.archives.unpacking import check_total
from resnet_sizes.io.errors import UserError

MAX_FILE_BYTES = 32 * 1024**2
MAX_ENTRIES = 100_000
"""More than CIFAR-10 has images. Listing as many takes some 5 s."""
_DEEPEST = 5
"""Levels that a folder is searched: one more than `top/train/class/file` needs, so that what
lies too deep is seen and named."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder, by the parts of its path below the top of the container."""

    parts: tuple[str, ...]
    is_folder: bool

    @property
    def name(self) -> str:
        """The path, with slashes."""
        return "/".join(self.parts)


class Container(Protocol):
    """A folder or an archive."""

    path: Path

    def entries(self) -> list[Entry]:
        """Everything inside but hidden files; UserError if it is unsafe or damaged."""

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Names and contents of these files, in the order that is quickest to read."""


def check_entry(container: Path, name: str, size: int, count: int) -> None:
    """Raise UserError if the `count`-th entry goes beyond the bounds."""
    if not 0 <= size <= MAX_FILE_BYTES:
        raise UserError(
            f"{container}: {shown(name)} has {size} bytes; allowed: {MAX_FILE_BYTES} a file. "
            "Take it out or make it smaller."
        )
    if count > MAX_ENTRIES:
        raise _too_many(container)


def _too_many(container: Path) -> UserError:
    return UserError(
        f"{container}: holds more than {MAX_ENTRIES} entries, which is the most allowed. "
        "Take fewer images."
    )


def check_unique(container: Path, entries: list[Entry]) -> None:
    """Raise UserError if a file stands twice: which one counts would depend on the reader."""
    seen: set[tuple[str, ...]] = set()
    for entry in entries:
        if entry.parts in seen and not entry.is_folder:
            raise UserError(
                f"{container}: {shown(entry.name)} stands in it twice. Make the archive anew."
            )
        seen.add(entry.parts)


def damaged(container: Path, error: object) -> UserError:
    """The error for an archive that cannot be read to its end."""
    return UserError(
        f"{container}: is not a whole zip or tar archive ({shown(str(error))}). "
        "Copy or download it again."
    )


class Folder:
    """A directory. Links are followed: they are its owner's."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """See `Container`."""
        found: list[Entry] = []
        for folder, folders, files in os.walk(self.path, followlinks=True, onerror=self._fail):
            above = Path(folder).relative_to(self.path).parts
            folders[:] = [name for name in folders if not is_ignored(name)]
            found += [Entry((*above, name), True) for name in folders]
            if len(above) + 1 >= _DEEPEST:
                folders.clear()
            found += [Entry((*above, name), False) for name in files if not is_ignored(name)]
            check_entry(self.path, folder, 0, len(found))
        return found

    def _fail(self, error: OSError) -> None:
        raise UserError(
            f"{error.filename}: cannot be read ({error.strerror}). Permit it, or change "
            "dataset.path."
        )

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """See `Container`."""
        for name in sorted(names):
            path = self.path / name
            try:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):  # a pipe would block for ever
                    raise UserError(f"{path}: is not a regular file. Take it out of the folder.")
                check_entry(self.path, name, status.st_size, 0)
                with path.open("rb") as file:
                    yield name, file.read(MAX_FILE_BYTES)
            except OSError as error:
                raise UserError(
                    f"{path}: cannot be read ({error.strerror}). Repair it or take it out."
                ) from None


_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,  # a name that is not in its encoding
    OverflowError,
    RuntimeError,  # what this Python cannot read (NotImplementedError), or is encrypted
)


class Zip:
    """A zip archive."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def entries(self) -> list[Entry]:
        """See `Container`."""
        found: list[Entry] = []
        total = 0
        self._check_count()
        with self._open() as archive:
            for count, member in enumerate(archive.infolist(), 1):
                check_entry(self.path, member.filename, member.file_size, count)
                total += member.file_size
                check_total(self.path, total)
                self._check_member(member)
                parts = safe_parts(member.filename, str(self.path))
                visible = visible_parts(parts)
                if visible:
                    found.append(Entry(visible, member.is_dir() or visible != parts))
        check_unique(self.path, found)
        return found

    def _check_count(self) -> None:
        """Refuse too many entries before zipfile reads them all; it trusts no declared number."""
        try:
            with (
                self.path.open("rb") as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                found = re.finditer(b"PK\x01\x02", content)
                too_many = next(islice(found, MAX_ENTRIES, None), None) is not None
                del found  # it holds on to the mapping, which could not be closed
        except _BROKEN as error:
            raise damaged(self.path, error) from None
        if too_many:
            raise _too_many(self.path)

    def _check_member(self, member: zipfile.ZipInfo) -> None:
        kind = stat.S_IFMT(member.external_attr >> 16)
        problem = None
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "is a link or a device; allowed: files and folders"
        elif member.flag_bits & 0x1:
            problem = "is encrypted"
        elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Python's readers of the others take as much memory as a file asks for.
            problem = "is compressed in a way that is not allowed; allowed: stored, deflated"
        if problem:
            raise UserError(
                f"{self.path}: {shown(member.filename)} {problem}. Make the archive anew."
            )

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """See `Container`."""
        wanted = set(names)
        with self._open() as archive:
            for member in archive.infolist():
                name = "/".join(safe_parts(member.filename, str(self.path)))
                if name not in wanted or member.is_dir():
                    continue
                try:
                    with archive.open(member) as file:
                        content = file.read(member.file_size + 1)
                except _BROKEN as error:  # zipfile checks each member's CRC
                    raise damaged(self.path, f"{shown(name)}: {error}") from None
                if len(content) != member.file_size:
                    raise damaged(self.path, f"{shown(name)} is not as long as declared")
                yield name, content

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except _BROKEN as error:
            raise damaged(self.path, error) from None
