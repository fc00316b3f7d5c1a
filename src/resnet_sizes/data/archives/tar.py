"""Tar archives, plain or compressed with gzip, bzip2 or xz."""

import lzma
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from resnet_sizes.data.archives.containers import Entry, check_entry, check_unique, damaged
from resnet_sizes.data.archives.safe_names import safe_parts, shown, visible_parts
from resnet_sizes.data.archives.unpacking import BUFFER, check_total, open_unpacked
from resnet_sizes.io.errors import UserError

_BROKEN = (
    tarfile.TarError,
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    ValueError,
    OverflowError,
    RecursionError,  # tarfile calls itself for each long name or extended header
)


_MAX_SHARED_HEADERS = 100
_MAX_SHARED_CHARACTERS = 10_000
"""Of the headers that hold for all members: tarfile goes through them for each one."""


class Tar:
    """A tar archive. It is read front to back, so a compressed one is unpacked only once a call."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}

    def entries(self) -> list[Entry]:
        """See `Container`."""
        found: list[Entry] = []
        total = 0
        try:
            with open_unpacked(self.path) as stream:
                bounded = cast(BinaryIO, _BoundedReads(stream, self.path))
                with tarfile.open(fileobj=bounded, mode="r:") as archive:
                    for count, member in enumerate(self._members(archive), 1):
                        check_entry(self.path, member.name, member.size, count)
                        total += member.size
                        check_total(self.path, total)
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

    def _members(self, archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        while (member := archive.next()) is not None:
            # tarfile would keep them all in memory.
            archive.members.clear()  # type: ignore[attr-defined]
            shared = archive.pax_headers
            length = sum(len(key) + len(value) for key, value in shared.items())
            if len(shared) > _MAX_SHARED_HEADERS or length > _MAX_SHARED_CHARACTERS:
                raise UserError(
                    f"{self.path}: has {len(shared)} headers of {length} characters for all its "
                    f"members; allowed: {_MAX_SHARED_HEADERS} of {_MAX_SHARED_CHARACTERS}. Make "
                    "the archive anew."
                )
            yield member

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


class _BoundedReads:
    """Refuses the giant header blocks that tarfile would read into memory at once."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._path = path
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= BUFFER:
            raise UserError(f"{self._path}: has a header of {size} bytes. Make the archive anew.")
        return self._stream.read(size)


def _check_end(stream: BinaryIO, offset: int) -> None:
    # tarfile takes a missing or broken header for the end, so an archive that was cut
    # between two members would pass as a smaller data set.
    stream.seek(offset)
    block = stream.read(tarfile.BLOCKSIZE)
    if len(block) != tarfile.BLOCKSIZE or any(block):
        raise EOFError("its end is missing")
    while stream.read(BUFFER):  # to the end, where gzip and xz check their sums
        pass
