"""Reading through gzip, bzip2 and xz, with bounds on what comes out and on the memory it takes."""

import bz2
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from resnet_sizes.io.errors import UserError

BUFFER = 1024**2
# Images are compressed already, so an archive of them hardly shrinks further. One that
# unpacks to this much and many times its own size is made to harm.
BOMB_BYTES = 256 * 1024**2
BOMB_RATIO = 100
_XZ_MEMORY = 128 * 1024**2
"""Of the dictionary that an xz file asks for; its largest preset takes 65 MiB."""
_PIECE = 64 * 1024


class Decompressor(Protocol):
    """As bz2's and lzma's."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out of what was put in."""

    @property
    def unused_data(self) -> bytes:
        """What followed the end of the stream."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes."""


@contextmanager
def open_unpacked(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, uncompressed; the compression is told by the content, not the name.

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


def check_total(path: Path, unpacked: int) -> None:
    """Raise UserError if an archive gives, or promises, more bytes than one of images would."""
    packed = path.stat().st_size
    if unpacked > max(BOMB_BYTES, BOMB_RATIO * packed):
        raise UserError(
            f"{path}: {packed} bytes unpack to more than {unpacked}. That is no archive of images; "
            "use another."
        )


def _decompressor(magic: bytes) -> Callable[[], Decompressor] | None:
    if magic.startswith(b"\x1f\x8b"):
        return _Gzip
    if magic.startswith(b"BZh"):
        return cast(Callable[[], Decompressor], bz2.BZ2Decompressor)
    if magic.startswith(b"\xfd7zXZ\0"):
        return lambda: cast(Decompressor, lzma.LZMADecompressor(memlimit=_XZ_MEMORY))
    return None


class _Gzip:
    """zlib's decompressor with the face of the other two; it checks length and CRC."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data


class _Unpacked(io.RawIOBase):
    """One or more compressed streams, one after the other; going back begins anew."""

    def __init__(self, file: BinaryIO, path: Path, make: Callable[[], Decompressor]) -> None:
        self._file = file
        self._path = path
        self._make = make
        self._begin()

    def _begin(self) -> None:
        self._file.seek(0)
        self._decompressor = self._make()
        self._pending = b""
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """Forwards by reading, backwards by beginning anew."""
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
                # Zeros may follow, and another stream; anything else is told as damage.
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
            piece = self._decompressor.decompress(data, size)
            if piece:
                return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As the base class says; from the end is not possible."""
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence != io.SEEK_SET:
            raise io.UnsupportedOperation("seeking from the end of compressed data")
        if offset < self._position:
            self._begin()
        while self._position < offset:
            if not self.read(min(BUFFER, offset - self._position)):
                break
        return self._position

    def tell(self) -> int:
        """Bytes from the beginning, uncompressed."""
        return self._position
