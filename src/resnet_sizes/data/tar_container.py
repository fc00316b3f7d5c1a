"""Tar archives, plain or compressed with gzip, bzip2 or xz."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from resnet_sizes.data.containers import Entry, check_entry, check_unique, damaged
from resnet_sizes.data.safe_names import safe_parts, shown, visible_parts
from resnet_sizes.records.errors import UserError

_BUFFER = 1024**2
# Images are compressed already, so an archive of them hardly shrinks further. One that
# unpacks to this much and many times its own size is made to harm.
_BOMB_BYTES = 2 * 1024**3
_BOMB_RATIO = 100

_BROKEN = (
    tarfile.TarError,
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    ValueError,
    OverflowError,
)


class Tar:
    """A tar archive. It is read front to back, so a compressed one is unpacked only once a call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}

    def entries(self) -> list[Entry]:
        """See `Container`."""
        found: list[Entry] = []
        compressed = self.path.stat().st_size
        total = 0
        try:
            with open_unpacked(self.path) as stream:
                bounded = cast(BinaryIO, _BoundedReads(stream, self.path))
                with tarfile.open(fileobj=bounded, mode="r:") as archive:
                    for count, member in enumerate(_members(archive), 1):
                        check_entry(self.path, member.name, member.size, count)
                        total += member.size
                        if total > max(_BOMB_BYTES, _BOMB_RATIO * compressed):
                            raise UserError(
                                f"{self.path}: {compressed} bytes unpack to more than {total}. "
                                "That is no archive of images; use another."
                            )
                        parts = self._checked_parts(member)
                        visible = visible_parts(parts)
                        if not visible:
                            continue
                        entry = Entry(visible, member.isdir() or visible != parts)
                        found.append(entry)
                        if not entry.is_folder:
                            self._places[entry.name] = (member.offset_data, member.size)
                    _check_end(stream, archive.offset)
        except _BROKEN as error:
            raise damaged(self.path, error) from None
        check_unique(self.path, found)
        return found

    def _checked_parts(self, member: tarfile.TarInfo) -> tuple[str, ...]:
        if not (member.isreg() or member.isdir()) or member.issparse():
            kind = "a link" if member.issym() or member.islnk() else "a device or special file"
            raise UserError(
                f"{self.path}: {shown(member.name)} is {kind}; allowed: files and folders. "
                "Make the archive anew, for example with tar --dereference."
            )
        return safe_parts(member.name, str(self.path))

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """See `Container`. Call `entries` first: it notes where each file lies."""
        try:
            with open_unpacked(self.path) as stream:
                for name in sorted(names, key=self._places.__getitem__):
                    offset, size = self._places[name]
                    stream.seek(offset)
                    content = stream.read(size)
                    if len(content) != size:
                        raise EOFError("unexpected end of data")
                    yield name, content
        except _BROKEN as error:
            raise damaged(self.path, error) from None


@contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, uncompressed; the compression is told by the content, not the name."""
    with path.open("rb") as file:
        magic = file.read(6)
        file.seek(0)
        unpacked: BinaryIO
        if magic.startswith(b"\x1f\x8b"):
            unpacked = cast(BinaryIO, gzip.GzipFile(fileobj=file))
        elif magic.startswith(b"BZh"):
            unpacked = cast(BinaryIO, bz2.BZ2File(file))
        elif magic.startswith(b"\xfd7zXZ\0"):
            unpacked = cast(BinaryIO, lzma.LZMAFile(file))  # noqa: SIM115 - closed below
        else:
            unpacked = file
        # The small seeks between members are then done inside the buffer.
        with io.BufferedReader(cast(io.RawIOBase, unpacked), _BUFFER) as buffered:
            yield cast(BinaryIO, buffered)


class _BoundedReads:
    """Refuses the giant header blocks that tarfile would read into memory at once."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _BUFFER:
            raise UserError(f"{self._path}: has a header of {size} bytes. Make the archive anew.")
        return self._stream.read(size)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := archive.next()) is not None:
        # tarfile would keep them all in memory.
        archive.members.clear()  # type: ignore[attr-defined]
        yield member


def _check_end(stream: BinaryIO, offset: int) -> None:
    # tarfile takes a missing or broken header for the end, so an archive that was cut
    # between two members would pass as a smaller data set.
    stream.seek(offset)
    block = stream.read(tarfile.BLOCKSIZE)
    if len(block) != tarfile.BLOCKSIZE or any(block):
        raise EOFError("its end is missing")
    while stream.read(_BUFFER):  # to the end, where gzip and xz check their sums
        pass
