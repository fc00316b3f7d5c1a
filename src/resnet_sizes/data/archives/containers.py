"""The rules for every container of images; folders and zip archives."""

import mmap
import os
import re
import stat
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown_text

MAX_FILE_BYTES = 32 * 1024**2
MAX_ENTRIES = 100_000
"""More than CIFAR-10 has images. Listing as many takes some 5 s."""
# Images are compressed already, so an archive of them hardly shrinks further. One that
# unpacks to this much and many times its own size is malicious.
BOMB_BYTES = 256 * 1024**2
BOMB_RATIO = 100
_DEEPEST = 5
"""Levels that a folder is searched: one more than `top/train/class/file` needs, so that what
lies too deep is seen and named."""
_SYSTEM_NAMES = frozenset({
    "__macosx", "icon\r", "network trash folder", "temporary items",  # macOS
    "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information",
    "@eadir", "@recycle", "#recycle", "#snapshot", "lost+found",  # network storage, Linux
    "picasa.ini",
})  # fmt: skip
"""In lower case, since file systems of Windows and macOS keep no case apart."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder, by the parts of its path below the top of the container."""

    parts: tuple[str, ...]
    is_folder: bool

    @property
    def name(self) -> str:
        """The path, with slashes."""
        return "/".join(self.parts)


class Container(ABC):
    """A folder or an archive."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def entries(self) -> list[Entry]:
        """Everything inside but hidden files; UserError if it is unsafe or damaged."""

    @abstractmethod
    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Names and contents of these files, in the order that is quickest to read. Call
        `entries` first. Raises UserError."""


def _check_entry(container: Path, name: str, size: int, count: int) -> None:
    """Raise UserError if the `count`-th entry exceeds a bound."""
    if not 0 <= size <= MAX_FILE_BYTES:
        raise UserError(
            f"{container}: {shown_text(name)} has {size} bytes; allowed: {MAX_FILE_BYTES} a file. "
            "Remove it or make it smaller."
        )
    if count > MAX_ENTRIES:
        raise _too_many(container)


def _too_many(container: Path) -> UserError:
    return UserError(
        f"{container}: holds more than {MAX_ENTRIES} entries, which is the most allowed. "
        "Use fewer images."
    )


def check_total(path: Path, unpacked: int) -> None:
    """Raise UserError if an archive gives, or promises, more bytes than one of images would."""
    packed = path.stat().st_size
    if unpacked > max(BOMB_BYTES, BOMB_RATIO * packed):
        raise UserError(
            f"{path}: {packed} bytes unpack to more than {unpacked}. That is not an "
            "archive of images; use another."
        )


def _safe_parts(name: str, container: Path) -> tuple[str, ...]:
    """The parts of a member's name below the top of its archive; `.` parts are dropped.

    Raises UserError for a name that points out of the archive, although nothing is ever
    extracted: an archive that tries is not one to take results from.
    """
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    problem = (
        "is an absolute path"
        if name.startswith("/")
        else "leads out of the archive (..)"
        if ".." in parts
        else "holds a backslash; folders are separated by /"
        if "\\" in name
        else None
    )
    if problem:
        raise UserError(
            f"{container}: {shown_text(name)} {problem}. Create the archive again, with names "
            "like train/<class>/<image>.png."
        )
    return parts


def is_ignored(part: str) -> bool:
    """Whether a system put a file or folder of this name there: hidden files, previews, folder
    settings, trash. Whatever reads a folder of images passes over them and all below them."""
    return part.startswith(".") or part.lower() in _SYSTEM_NAMES


def damaged(container: Path, error: object) -> UserError:
    """The error for an archive that cannot be read to its end."""
    return UserError(
        f"{container}: is not a complete zip or tar archive ({shown_text(str(error))}). "
        "Copy or download it again."
    )


class Folder(Container):
    """A directory. Links are followed: they are its owner's."""

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
            _check_entry(self.path, folder, 0, len(found))
        return found

    def _fail(self, error: OSError) -> None:
        raise UserError(
            f"{error.filename}: cannot be read ({error.strerror}). Fix its permissions, or change "
            "dataset.path."
        )

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """See `Container`."""
        for name in sorted(names):
            path = self.path / name
            try:
                status = path.stat()
                if not stat.S_ISREG(status.st_mode):  # a pipe would block forever
                    raise UserError(f"{path}: is not a regular file. Remove it from the folder.")
                _check_entry(self.path, name, status.st_size, 0)
                with path.open("rb") as file:
                    yield name, file.read(MAX_FILE_BYTES)
            except OSError as error:
                raise UserError(
                    f"{path}: cannot be read ({error.strerror}). Repair or remove it."
                ) from None


class Archive(Container):
    """What zip and tar archives share: members are checked while they are listed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._places: dict[str, Any] = {}

    @abstractmethod
    def _members(self) -> Iterator[tuple[str, int, bool, Any]]:
        """Name, size in bytes, whether it is a folder, and what `read` needs to find it."""

    def entries(self) -> list[Entry]:
        """See `Container`."""
        found: list[Entry] = []
        seen: set[tuple[str, ...]] = set()
        total = 0
        for count, (name, size, is_folder, place) in enumerate(self._members(), 1):
            _check_entry(self.path, name, size, count)
            total += size
            check_total(self.path, total)
            parts = _safe_parts(name, self.path)
            # A hidden file still shows that its folder is there.
            visible = tuple(takewhile(lambda part: not is_ignored(part), parts))
            if not visible:
                continue
            entry = Entry(visible, is_folder or visible != parts)
            if not entry.is_folder:
                if visible in seen:  # which one counts would depend on the reader
                    raise UserError(
                        f"{self.path}: {shown_text(entry.name)} appears in it twice. Create the "
                        "archive again."
                    )
                self._places[entry.name] = place
            seen.add(visible)
            found.append(entry)
        return found


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


class Zip(Archive):
    """A zip archive."""

    def _members(self) -> Iterator[tuple[str, int, bool, zipfile.ZipInfo]]:
        self._check_count()
        with self._open() as archive:
            for member in archive.infolist():
                self._check_member(member)
                # zipfile's own is_dir fails for a member without a name.
                yield member.filename, member.file_size, member.filename.endswith("/"), member

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
        problem, remedy = None, ""
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            problem = "is a link or a device; allowed: files and folders"
            remedy = ", without zip's option --symlinks"
        elif member.flag_bits & 0x1:
            problem = "is encrypted"
        elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # Python's readers of the others take as much memory as a file asks for.
            problem = "is compressed in a way that is not allowed; allowed: stored, deflated"
        if problem:
            raise UserError(
                f"{self.path}: {shown_text(member.filename)} {problem}. Create the archive "
                f"again{remedy}."
            )

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """See `Container`."""
        with self._open() as archive:
            for name in sorted(names, key=lambda name: self._places[name].header_offset):
                member = self._places[name]
                try:
                    with archive.open(member) as file:
                        content = file.read(member.file_size + 1)
                except _BROKEN as error:  # zipfile checks each member's CRC
                    raise damaged(self.path, f"{shown_text(name)}: {error}") from None
                if len(content) != member.file_size:
                    raise damaged(self.path, f"{shown_text(name)} is not as long as declared")
                yield name, content

    def _open(self) -> zipfile.ZipFile:
        try:
            return zipfile.ZipFile(self.path)
        except _BROKEN as error:
            raise damaged(self.path, error) from None
