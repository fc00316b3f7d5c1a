"""Tar archives, plain or compressed with gzip, bzip2 or xz, with bounds on what they unpack to."""

import bz2
import io
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from resnet_sizes.data.archives.containers import Archive, check_total, damaged
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown_text

BUFFER = 1024**2
_PIECE = 64 * 1024
_XZ_MEMORY = 128 * 1024**2
"""The largest dictionary that an xz file may ask for; its largest preset takes 65 MiB."""

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
"""Limits of the headers that hold for all members: tarfile goes through them for each one."""


class Tar(Archive):
    """A tar archive, read front to back: a compressed one is unpacked only once per call."""

    def _members(self) -> Iterator[tuple[str, int, bool, tuple[int, int]]]:
        try:
            with open_unpacked(self.path) as stream:
                bounded = cast(BinaryIO, _BoundedReads(stream, self.path))
                with tarfile.open(fileobj=bounded, mode="r:") as archive:
                    while (member := archive.next()) is not None:
                        # tarfile would keep them all in memory.
                        archive.members.clear()  # type: ignore[attr-defined]
                        self._check_shared_headers(archive.pax_headers)
                        self._check_kind(member)
                        place = member.offset_data, member.size
                        yield member.name, member.size, member.isdir(), place
                    _check_end(stream, archive.offset)
        except _BROKEN as error:
            raise damaged(self.path, error) from None

    def _check_shared_headers(self, shared: Mapping[str, str]) -> None:
        length = sum(len(key) + len(value) for key, value in shared.items())
        if len(shared) > _MAX_SHARED_HEADERS or length > _MAX_SHARED_CHARACTERS:
            raise UserError(
                f"{self.path}: has {len(shared)} headers of {length} characters for all its "
                f"members; allowed: {_MAX_SHARED_HEADERS} of {_MAX_SHARED_CHARACTERS}. Create "
                "the archive again."
            )

    def _check_kind(self, member: tarfile.TarInfo) -> None:
        if (member.isreg() or member.isdir()) and not member.issparse():
            return
        kind, remedy = "a device or special file", "without it"
        if member.issym() or member.islnk():
            # Of a link and its file GNU tar makes a hard link where it is told --dereference alone.
            kind, remedy = "a link", "with GNU tar --dereference --hard-dereference, or as a zip"
        elif member.issparse():
            kind, remedy = "a sparse file", "without tar --sparse"
        raise UserError(
            f"{self.path}: {shown_text(member.name)} is {kind}; allowed: files and folders. "
            f"Create the archive again, {remedy}."
        )

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """See `Container`."""
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
            raise UserError(
                f"{self._path}: has a header of {size} bytes. Create the archive again."
            )
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


@contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, uncompressed; the content decides the compression, not the name.

    Reading raises UserError if far more comes out than images would give, and what the
    libraries raise if the file is damaged.
    """
    with path.open("rb") as file:
        decompressor = _decompressor(file.read(6))
        file.seek(0)
        raw = file if decompressor is None else _Unpacked(file, path, decompressor)
        # The small seeks between members are then done inside the buffer.
        with io.BufferedReader(cast(io.RawIOBase, raw), BUFFER) as buffered:
            yield cast(BinaryIO, buffered)


def _decompressor(magic: bytes) -> Callable[[], Any] | None:
    if magic.startswith(b"\x1f\x8b"):
        return _Gzip
    if magic.startswith(b"BZh"):
        return bz2.BZ2Decompressor
    if magic.startswith(b"\xfd7zXZ\0"):
        return lambda: lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    return None


class _Gzip:
    """zlib's decompressor with the interface of bz2's and lzma's; it checks length and CRC."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    def __getattr__(self, name: str) -> Any:  # eof and unused_data
        return getattr(self._zlib, name)


class _Unpacked(io.RawIOBase):
    """One or more compressed streams, one after the other; seeking backwards starts over.

    The standard library's readers bound neither the total nor xz's memory, and pass over bytes
    that follow a bzip2 or xz stream.
    """

    def __init__(self, file: BinaryIO, path: Path, make: Callable[[], Any]) -> None:
        self._file = file
        self._path = path
        self._make = make
        self._start_over()

    def _start_over(self) -> None:
        self._file.seek(0)
        self._decompressor = self._make()
        self._pending = b""
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """As the base class says. Raises EOFError if the file was cut short."""
        view = memoryview(buffer)
        piece = self._next(len(view)) if view.nbytes else b""
        view[: len(piece)] = piece
        self._position += len(piece)
        check_total(self._path, self._position)
        return len(piece)

    def _next(self, size: int) -> bytes:
        while True:
            if self._decompressor.eof:
                # Zeros may follow, and another stream; anything else is reported as damage.
                rest = (self._decompressor.unused_data + self._pending).lstrip(b"\0")
                while not rest and (more := self._file.read(_PIECE)):
                    rest = more.lstrip(b"\0")
                if not rest:
                    return b""
                self._decompressor, self._pending = self._make(), rest
            if self._decompressor.needs_input and not self._pending:
                self._pending = self._file.read(_PIECE)
                if not self._pending:
                    raise EOFError("the compressed data end too early")
            data, self._pending = self._pending, b""
            piece: bytes = self._decompressor.decompress(data, size)
            if piece:
                return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Forwards by reading, backwards by starting over; from the end is not possible."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence != io.SEEK_SET:
            raise io.UnsupportedOperation("seeking from the end of compressed data")
        if offset < self._position:
            self._start_over()
        while self._position < offset:
            if not self.read(min(BUFFER, offset - self._position)):
                break
        return self._position

    def tell(self) -> int:
        return self._position
