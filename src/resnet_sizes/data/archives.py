"""Folders, zip and tar archives, which may come from strangers: named files read into memory.

Nothing is extracted to disk. Names are checked, and sizes are bounded, as declared and as read,
so that a small archive cannot fill the memory.
"""

import bz2
import gzip
import lzma
import os
import stat
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import check_regular, read_bytes
from resnet_sizes.io.messages import shown_text

T = TypeVar("T")

MAX_FILE_BYTES = 32 * 1024**2
MAX_ENTRIES = 100_000
"""More than CIFAR-10 has images. Listing as many takes some 5 s."""
# Images are compressed already, so an archive of them hardly shrinks further. One that
# unpacks to this much and many times its own size is malicious.
BOMB_BYTES = 256 * 1024**2
BOMB_RATIO = 100
BUFFER = 1024**2
_MAX_SHARED_HEADERS = 10_000
"""Characters of the headers that hold for all members: tarfile goes through them for each one."""
_DEEPEST = 5
"""Levels that a folder is searched: one more than `top/train/class/file` needs, so that what
lies too deep is seen and named."""
_AGAIN = "Create the archive again"
_NO_FILE = (
    "is a link, a sparse file or a device; allowed: files and folders",
    f"{_AGAIN} by zip -r FILE.zip, which puts files there in place of links",
)
_SYSTEM_NAMES = frozenset({
    "__macosx", "icon\r", "network trash folder", "temporary items",  # macOS
    "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information",
    "@eadir", "@recycle", "#recycle", "#snapshot", "lost+found",  # network storage, Linux
    "picasa.ini",
})  # fmt: skip
"""In lower case, since file systems of Windows and macOS keep no case apart."""


def open_container(path: Path) -> "Container":
    """The reader of a folder, zip or tar: its first bytes decide, not its name."""
    if path.is_dir():
        return Folder(path)
    check_regular(path, "Name a folder, a zip or a tar archive in dataset.path.")
    return Zip(path) if zipfile.is_zipfile(path) else Tar(path)


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
        self._places: dict[str, Any] = {}

    @abstractmethod
    def _members(self) -> Iterator[tuple[tuple[str, ...], int, bool, Any]]:
        """Parts of the name, size in bytes, whether it is a folder, and its place for `_contents`,
        by which the order of reading is chosen."""

    @abstractmethod
    def _contents(self, places: Sequence[Any]) -> Iterator[bytes]:
        """What lies at these places."""

    def entries(self) -> list[Entry]:
        """Everything inside but hidden files; UserError if it is unsafe or damaged."""
        found: list[Entry] = []
        seen: set[tuple[str, ...]] = set()
        total = 0
        for count, (parts, size, is_folder, place) in enumerate(self._told(self._members()), 1):
            if not 0 <= size <= MAX_FILE_BYTES:
                problem = f"has {size} bytes; allowed: {MAX_FILE_BYTES} a file"
                raise self._refusal("/".join(parts), problem, "Make it smaller or remove it")
            if count > MAX_ENTRIES:
                raise UserError(
                    f"{self.path}: holds more than {MAX_ENTRIES} entries, which is the most "
                    "allowed. Use fewer images."
                )
            total += size
            self._check_total(total)
            # A hidden file still shows that its folder is there.
            visible = tuple(takewhile(lambda part: not is_ignored(part), parts))
            if not visible:
                continue
            entry = Entry(visible, is_folder or visible != parts)
            if not entry.is_folder:
                if visible in seen:  # which one counts would depend on the reader
                    raise self._refusal(entry.name, "appears in it twice")
                self._places[entry.name] = place
            seen.add(visible)
            found.append(entry)
        return found

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Names and contents of these files, in the order that is quickest to read. Call
        `entries` first. Raises UserError."""
        ordered = sorted(names, key=self._places.__getitem__)
        contents = self._contents([self._places[name] for name in ordered])
        return self._told(zip(ordered, contents, strict=True))

    def _told(self, items: Iterator[T]) -> Iterator[T]:
        try:
            yield from items
        except UserError:
            raise
        except Exception as error:  # a damaged archive makes the libraries raise nearly anything
            reason = shown_text(str(error)) or type(error).__name__
            raise UserError(
                f"{self.path}: is not a complete zip or tar archive ({reason}); allowed: folders, "
                "zip, and tar, plain or with gzip, bzip2 or xz. Copy or download it again, or "
                "unpack it and name the folder."
            ) from None

    def _refusal(self, name: str, problem: str, remedy: str = _AGAIN) -> UserError:
        return UserError(f"{self.path}: {shown_text(name)} {problem}. {remedy}.")

    def _check_total(self, unpacked: int) -> None:
        """Raise UserError if an archive gives, or promises, more bytes than one of images would."""
        packed = self.path.stat().st_size
        if unpacked > max(BOMB_BYTES, BOMB_RATIO * packed):
            raise UserError(
                f"{self.path}: {packed} bytes unpack to more than {unpacked}. That is not an "
                "archive of images; use another."
            )

    def _safe_parts(self, name: str) -> tuple[str, ...]:
        """The parts of a member's name below the top of its archive; `.` parts are dropped.

        Raises UserError for a name that points out of the archive, although nothing is ever
        extracted: an archive that tries is not one to take results from.
        """
        parts = tuple(part for part in name.split("/") if part not in ("", "."))
        if name.startswith("/") or "\\" in name or ".." in parts:
            problem = "is an absolute path, leads out of the archive (..) or holds a backslash"
            remedy = f"{_AGAIN}, with names like train/<class>/<image>.png"
            raise self._refusal(name, problem, remedy)
        return parts


def is_ignored(part: str) -> bool:
    """Whether a system put a file or folder of this name there: hidden files, previews, folder
    settings, trash. Whatever reads a folder of images passes over them and all below them."""
    return part.startswith(".") or part.lower() in _SYSTEM_NAMES


class Folder(Container):
    """A directory. Links are followed: they are its owner's."""

    def _members(self) -> Iterator[tuple[tuple[str, ...], int, bool, str]]:
        for folder, folders, files in os.walk(self.path, followlinks=True, onerror=self._fail):
            above = Path(folder).relative_to(self.path).parts
            folders[:] = [name for name in folders if not is_ignored(name)]
            yield from (((*above, name), 0, True, "") for name in folders)
            if len(above) + 1 >= _DEEPEST:
                folders.clear()
            yield from (((*above, name), 0, False, "/".join((*above, name))) for name in files)

    def _fail(self, error: OSError) -> None:
        raise UserError(
            f"{error.filename}: cannot be read ({error.strerror}). Fix its permissions, or change "
            "dataset.path."
        )

    def _contents(self, places: Sequence[str]) -> Iterator[bytes]:
        remedy = "Repair it, or remove it from the folder."
        return (read_bytes(self.path / name, remedy, MAX_FILE_BYTES) for name in places)


class Zip(Container):
    """A zip archive."""

    def _members(self) -> Iterator[tuple[tuple[str, ...], int, bool, Any]]:
        with zipfile.ZipFile(self.path) as archive:
            for member in archive.infolist():
                name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise self._refusal(name, *_NO_FILE)
                if member.flag_bits & 0x1:
                    raise self._refusal(name, "is encrypted")
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    # Python's readers of the others take as much memory as a file asks for.
                    problem = "is compressed in a way that is not allowed"
                    raise self._refusal(name, f"{problem}; allowed: stored, deflated")
                place = member.header_offset, name, member  # damaged ones share an offset
                # zipfile's own is_dir fails for a member without a name.
                yield self._safe_parts(name), member.file_size, name.endswith("/"), place

    def _contents(self, places: Sequence[tuple[int, str, zipfile.ZipInfo]]) -> Iterator[bytes]:
        with zipfile.ZipFile(self.path) as archive:
            for *_, member in places:
                with archive.open(member) as file:  # which checks its CRC
                    content = file.read(member.file_size + 1)
                if len(content) != member.file_size:
                    raise EOFError(f"{member.filename} is not as long as declared")
                yield content


class Tar(Container):
    """A tar archive, plain or compressed, read front to back: it is unpacked once per call."""

    def _members(self) -> Iterator[tuple[tuple[str, ...], int, bool, tuple[int, int]]]:
        with self._unpacked() as stream:
            bounded = cast(BinaryIO, _BoundedReads(stream, self))
            with tarfile.open(fileobj=bounded, mode="r:") as archive:
                while (member := archive.next()) is not None:
                    # tarfile would keep them all in memory.
                    archive.members.clear()  # type: ignore[attr-defined]
                    if len(str(archive.pax_headers)) > _MAX_SHARED_HEADERS:
                        problem = f"has more than {_MAX_SHARED_HEADERS} characters of headers"
                        raise self._refusal(member.name, problem)
                    if not (member.isreg() or member.isdir()) or member.issparse():
                        raise self._refusal(member.name, *_NO_FILE)
                    place = member.offset_data, member.size
                    yield self._safe_parts(member.name), member.size, member.isdir(), place
                # tarfile takes a missing or broken header for the end, so an archive that was
                # cut between two members would pass as a smaller data set.
                bounded.seek(archive.offset)
                if bounded.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                    raise EOFError("its end is missing")
            while bounded.read(BUFFER):  # to the end, where gzip and xz check their sums
                pass

    def _contents(self, places: Sequence[tuple[int, int]]) -> Iterator[bytes]:
        with self._unpacked() as stream:
            for offset, size in places:
                stream.seek(offset)
                content = stream.read(size)
                if len(content) != size:
                    raise EOFError("unexpected end of data")
                yield content

    def _unpacked(self) -> "closing[BinaryIO]":
        """Its bytes, uncompressed; the content decides the compression, not the name."""
        readers = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
        with self.path.open("rb") as file:
            reader: Any = readers.get(file.read(2), open)
        return closing(reader(self.path, "rb"))


class _BoundedReads:
    """No giant header, which tarfile would read into memory at once, and no zeros without end."""

    def __init__(self, stream: BinaryIO, archive: Tar) -> None:
        self._stream = stream
        self._archive = archive
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= BUFFER:
            raise UserError(
                f"{self._archive.path}: has a header of {size} bytes. Create the archive again."
            )
        self._archive._check_total(self.tell())
        return self._stream.read(size)
