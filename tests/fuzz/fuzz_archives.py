"""Archives of images: what they list, and their bytes."""

import bz2
import gzip
import io
import lzma
import tarfile
import warnings
import zipfile
import zlib
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from fuzz_mutations import changed_bytes

from image_trees import encoded, tree
from resnet_sizes.data.sources.image_folder import ImageFolderSource

_NAMES = [
    "/etc/passwd", "../x.png", "train/cat/../../x.png", "train\\cat\\1.png", "train/cat/.hidden",
    "train/cat/000.png", "./train/cat/000.png", "train//cat///9.png", "train/caf\u00e9/1.png",
    "train/cat/1.txt", "train/cat", "train", "test/cat/\u202e9.png", "train/\x1b[31m/1.png",
    "test/\U0001f642/1.png", "train/cat/" + "x" * 300 + ".png", "", ".", "a" * 90, "C:/x.png",
    "train/cat/a/b/c/d.png", "__MACOSX/x", "train/cat/NUL.png", "train/cat /1.png", "extra/x.png",
]  # fmt: skip
_TYPES = [
    tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE,
    tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.DIRTYPE, b"Z",
]  # fmt: skip
_FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
_PAX = [
    {"size": "-5"}, {"size": "99999999999999999999"}, {"path": "../x"}, {"path": "a\nb"},
    {"GNU.sparse.map": "1,2,3"}, {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
    {"GNU.sparse.size": "x"}, {"mtime": "nan"}, {"mtime": "1e999"}, {"uid": "x"},
    {"hdrcharset": "BINARY"}, {"comment": "x" * 100_000}, {"linkpath": "x"},
]  # fmt: skip
ZEROS = bytes(20 * 1024**2)


class _Archive:
    refusals = ()

    def __init__(self, folder: Path) -> None:
        self._tree = {name: content or b"" for name, content in tree(2, 1).items()}

    def read(self, path: Path) -> None:
        source = ImageFolderSource(path, resize=True)
        source.images({part: np.arange(len(labels)) for part, labels in source.labels.items()})

    def entries(self, random: Random) -> list[tuple[str, bytes]]:
        entries = list(self._tree.items())
        if random.random() < 0.4:
            extra = (random.choice(_NAMES), random.choice([b"", b"x", encoded(), encoded()[:50]]))
            entries.insert(random.randrange(len(entries) + 1), extra)
        if random.random() < 0.1:
            entries.pop(random.randrange(len(entries)))
        if random.random() < 0.1:
            random.shuffle(entries)
        return entries


class TarArchive(_Archive):
    """Plain and compressed tar archives."""

    name = "tar archives"
    suffix = ".tar"

    def make(self, random: Random) -> bytes:
        if random.random() < 0.02:
            return _tar_bomb(random)
        plain = self._plain(random)
        if random.random() < 0.4:
            plain = changed_bytes(random, plain, plain[:1024])
        if random.random() < 0.5:
            plain = _with_right_sums(_changed_headers(random, plain))
        packed = _packed(random, plain)
        return changed_bytes(random, packed) if random.random() < 0.2 else packed

    def _plain(self, random: Random) -> bytes:
        target = io.BytesIO()
        with tarfile.open(
            fileobj=target, mode="w:", format=random.choice(_FORMATS), errors="surrogateescape"
        ) as archive:
            for name, content in self.entries(random):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                if random.random() < 0.03:
                    member.type = random.choice(_TYPES)
                    member.linkname = "/etc/passwd"
                if random.random() < 0.05:
                    member.pax_headers = dict(random.choice(_PAX))
                if random.random() < 0.02:
                    member.name = "train/cat/\udcff.png"
                try:
                    archive.addfile(member, io.BytesIO(content))
                except (ValueError, OverflowError):  # a name too long for this format
                    continue
        return target.getvalue()


class ZipArchive(_Archive):
    """Zip archives."""

    name = "zip archives"
    suffix = ".zip"

    def make(self, random: Random) -> bytes:
        target = io.BytesIO()
        methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        methods = random.choice((methods[:2], methods[:2], methods[:2], methods))
        bomb = random.random() < 0.02
        with warnings.catch_warnings(), zipfile.ZipFile(target, "w") as archive:
            warnings.simplefilter("ignore")  # of names that stand twice
            for name, content in self.entries(random):
                member = zipfile.ZipInfo(name or "x")
                if random.random() < 0.03:
                    member.external_attr = random.choice((0o120777, 0o020666, 0o040755)) << 16
                if random.random() < 0.03:
                    member.extra = random.randbytes(random.choice((3, 4, 20)))
                member.compress_type = random.choice(methods)
                archive.writestr(member, ZEROS if bomb else content)
                bomb = False
        content = target.getvalue()
        if random.random() < 0.6:
            return content if random.random() < 0.3 else _changed_directory(random, content)
        return changed_bytes(random, content, content[-500:])


def _packed(random: Random, content: bytes) -> bytes:
    match random.choices(("tar", "gz", "bz2", "xz"), (6, 3, 1, 1))[0]:
        case "gz":
            return gzip.compress(content, 1, mtime=0)
        case "bz2":
            return bz2.compress(content, 1)
        case "xz":
            return lzma.compress(content, preset=0)
        case _:
            return content


def _tar_bomb(random: Random) -> bytes:
    match random.randrange(5):
        case 4:
            return _headers_for_all(members=2000)
        case 0:
            return _zeros_in_gzip(members=random.choice((1, 40)), after=0)
        case 1:
            return _zeros_in_gzip(members=0, after=20)
        case 2:
            header = tarfile.TarInfo("x")
            header.type, header.size = tarfile.GNUTYPE_LONGNAME, 512
            return (header.tobuf(tarfile.GNU_FORMAT) + bytes(512)) * 3000
        case _:
            filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096}]
            packed = lzma.compress(bytes(10_240), filters=filters)
            # The size of the dictionary is one byte of the block's header, before its sum.
            place = packed.index(b"\x21\x01") + 2
            block = packed[12 : 12 + (packed[12] + 1) * 4]
            changed = bytearray(block)
            changed[place - 12] = 38  # 2 GiB
            changed[-4:] = zlib.crc32(changed[:-4]).to_bytes(4, "little")
            return packed[:12] + bytes(changed) + packed[12 + len(block) :]


@cache
def _headers_for_all(members: int) -> bytes:
    """A tar archive of empty members and tens of thousands of headers that hold for each."""
    target = io.BytesIO()
    headers = {f"k{number}": "x" for number in range(50_000)}
    with tarfile.open(
        fileobj=target, mode="w:gz", format=tarfile.PAX_FORMAT, pax_headers=headers
    ) as archive:
        for number in range(members):
            archive.addfile(tarfile.TarInfo(f"train/cat/{number}.png"))
    return target.getvalue()


@cache
def _zeros_in_gzip(members: int, after: int) -> bytes:
    """A tar archive of images of zeros, and zeros after its end, 20 MiB each."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1) as packed:
        with tarfile.open(fileobj=packed, mode="w:") as archive:
            for number in range(members):
                member = tarfile.TarInfo(f"train/cat/{number}.png")
                member.size = len(ZEROS)
                archive.addfile(member, io.BytesIO(ZEROS))
        for _ in range(after):
            packed.write(ZEROS)
    return target.getvalue()


def _changed_headers(random: Random, content: bytes) -> bytes:
    data = bytearray(content)
    blocks = range(0, max(512, len(data) - 511), 512)
    headers = [place for place in blocks if data[place + 257 : place + 262] == b"ustar"]
    for place in random.sample(headers, min(len(headers), random.choice((1, 1, 2)))):
        match random.randrange(5):
            case 0:  # size
                data[place + 124 : place + 136] = random.choice(
                    (b"77777777777\0", b"-0000000005\0", b"00000000001\0", b"\x80" + b"\xff" * 11,
                     b"\xff" * 12, b"\0" * 12, b"99999999999\0", b"\x80" + bytes(7) + b"\x7f\0\0\0")
                )  # fmt: skip
            case 1:
                data[place + 156 : place + 157] = random.choice(_TYPES)
            case 2:
                name = random.choice(_NAMES).encode()[:100]
                data[place : place + 100] = name.ljust(100, b"\0")
            case 3:
                data[place + random.randrange(100)] = random.randrange(256)
            case _:
                field = random.randrange(500)
                data[place + field : place + field + 8] = random.randbytes(8)
    return bytes(data)


def _with_right_sums(content: bytes) -> bytes:
    data = bytearray(content)
    for place in range(0, len(data) - 511, 512):
        if data[place + 257 : place + 262] == b"ustar":
            data[place + 148 : place + 156] = b" " * 8
            data[place + 148 : place + 156] = b"%06o\0 " % sum(data[place : place + 512])
    return bytes(data)


def _changed_directory(random: Random, content: bytes) -> bytes:
    data = bytearray(content)
    start = data.find(b"PK\x01\x02")
    end = data.rfind(b"PK\x05\x06")
    for _ in range(random.choice((1, 1, 2))):
        place = (
            random.randrange(start, len(data))
            if random.random() < 0.7
            else random.randrange(end, len(data))
        )
        width = random.choice((1, 2, 4))
        number = random.choice((0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)) % 256**width
        data[place : place + width] = number.to_bytes(width, "little")
    return bytes(data)
