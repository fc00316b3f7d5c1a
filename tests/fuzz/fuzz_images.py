"""PNG and JPEG files."""

import io
import struct
import zlib
from pathlib import Path
from random import Random

import numpy as np
from fuzz_mutations import changed_bytes
from PIL import Image

from resnet_sizes.data.sources.image_folder import decode

_SIZES = ((32, 32), (32, 32), (32, 32), (1, 1), (7, 50), (200, 3))


class _Images:
    refusals = ()

    def __init__(self, folder: Path) -> None:
        self._resize = False

    def read(self, path: Path) -> None:
        pixels = decode(path.read_bytes(), str(path), self._resize)
        if pixels.shape != (32, 32, 3) or pixels.dtype != np.uint8:
            raise AssertionError(f"decoded to {pixels.dtype} {pixels.shape}")


class PngImage(_Images):
    """PNG in all modes, still and animated."""

    name = "PNG images"
    suffix = ".png"

    def make(self, random: Random) -> bytes:
        self._resize = random.random() < 0.7
        mode = random.choice(("RGB", "RGBA", "L", "LA", "P", "1", "I;16", "I"))
        options = {"save_all": True, "append_images": [_image(random, mode)]} if (
            random.random() < 0.05) else {}  # fmt: skip
        content = _saved(_image(random, mode), "PNG", **options)
        match random.randrange(6):
            case 0:
                return content
            case 1 | 2:
                return changed_bytes(random, content, content[:60])
            case _:
                return _changed_chunks(random, content)


class JpegImage(_Images):
    """JPEG in all modes, and what is called one."""

    name = "JPEG images"
    suffix = ".jpg"

    def make(self, random: Random) -> bytes:
        self._resize = random.random() < 0.7
        mode = random.choice(("RGB", "L", "CMYK", "RGB"))
        content = _saved(
            _image(random, mode), "JPEG", quality=random.choice((5, 75, 95)),
            progressive=random.random() < 0.3,
        )  # fmt: skip
        match random.randrange(8):
            case 0 if random.random() < 0.2:
                scan = content[content.rindex(b"\xff\xda") : -2]
                return content[:-2] + scan * random.choice((1, 50, 20_000)) + content[-2:]
            case 0:
                return content
            case 1:
                other = random.choice(("GIF", "BMP", "WEBP", "TIFF", "PPM", "ICO"))
                return _saved(_image(random, "RGB"), other)
            case 2:
                return _with_size(content, random.choice((0, 1, 33, 3000, 20_000, 65_535)))
            case 3:
                return content[: random.randrange(len(content))]
            case _:
                return changed_bytes(random, content, content[:300])


def _image(random: Random, mode: str) -> Image.Image:
    width, height = random.choice(_SIZES)
    if mode in ("I;16", "I"):
        levels = np.frombuffer(random.randbytes(2 * width * height), np.uint16)
        return Image.fromarray(levels.reshape(height, width))
    pixels = np.frombuffer(random.randbytes(3 * width * height), np.uint8)
    return Image.fromarray(pixels.reshape(height, width, 3)).convert(mode)


def _saved(image: Image.Image, format: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def _with_size(content: bytes, size: int) -> bytes:
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        place = content.find(marker)
        if place > 0:
            return content[: place + 5] + struct.pack(">HH", size, size) + content[place + 9 :]
    return content


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], 8
    while place + 8 <= len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        found.append((content[place + 4 : place + 8], content[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def _changed_chunks(random: Random, content: bytes) -> bytes:
    chunks = _chunks(content)
    number = random.randrange(len(chunks))
    kind, body = chunks[number]
    match random.randrange(7):
        case 0 if kind == b"IHDR":
            sides = (0, 1, 33, 3000, 20_000, 65_535, 10**7, 2**31 - 1, 2**32 - 1)
            size = struct.pack(">II", random.choice(sides), random.choice(sides))
            chunks[number] = (kind, size + body[8:])
        case 1:
            del chunks[number]
        case 2:
            chunks.insert(number, chunks[random.randrange(len(chunks))])
        case 3:
            bomb = zlib.compress(
                bytes(random.choice((10, 50_000_000 if random.random() < 0.1 else 10**5))), 1
            )
            text = random.choice(((b"zTXt", b"x\0\0" + bomb), (b"iCCP", b"x\0\0" + bomb),
                                  (b"iTXt", b"x\0\1\0\0\0" + bomb), (b"IDAT", bomb)))  # fmt: skip
            chunks.insert(random.randrange(1, len(chunks) + 1), text)
        case 4:
            kinds = (
                b"tRNS",
                b"PLTE",
                b"acTL",
                b"fcTL",
                b"fdAT",
                b"gAMA",
                b"eXIf",
                b"cICP",
                b"pHYs",
            )
            size = random.choice((0, 1, 8, 26))
            chunks.insert(number + 1, (random.choice(kinds), random.randbytes(size)))
        case _:
            chunks[number] = (kind, changed_bytes(random, body))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
