"""Images in `train/<class>/…` and `test/<class>/…`, in a folder, a zip or a tar archive."""

import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from resnet_sizes.data.archives.containers import Container, Folder, Zip
from resnet_sizes.data.archives.safe_names import shown
from resnet_sizes.data.archives.tar import Tar
from resnet_sizes.data.sources.image_layout import arrange
from resnet_sizes.data.sources.source import PARTS, Part
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, Int64Array, UInt8Array

MAX_PIXELS = 50_000_000
"""As many as a large photograph has. Decoding takes up to eight bytes of memory for each."""
MAX_SIDE = 65_535
"""The most that JPEG can have. Resizing takes memory for the length of a side, too."""
MAX_SCANS = 100
"""A progressive JPEG of today's encoders has about ten; each goes over the whole picture."""
_SIZE = (IMAGE_SHAPE[2], IMAGE_SHAPE[1])
_START_OF_SCAN = b"\xff\xda"


class ImageFolderSource:
    """PNG and JPEG images. Classes are sorted by name, images by class and file name, so a
    folder and its archives give the same arrays."""

    def __init__(self, path: Path, resize: bool) -> None:
        self.file: Path | None = path
        self._resize = resize
        self._container = _open_container(path)
        layout = arrange(self._container.entries(), str(path))
        self.class_names = layout.class_names
        self._names = {part: layout.names(part) for part in PARTS}
        self._labels = {part: layout.labels(part) for part in PARTS}

    def labels(self, part: Part) -> Int64Array:
        """See `Source`."""
        return self._labels[part]

    def images(self, part: Part, indices: Int64Array) -> UInt8Array:
        """See `Source`."""
        names = [self._names[part][index] for index in indices]
        row_of = {name: row for row, name in enumerate(names)}
        images = np.empty((len(names), *IMAGE_SHAPE), dtype=np.uint8)
        files = self._container.read(names)
        for name, content in tqdm(
            files,
            total=len(names),
            desc=f"{part} images",
            unit="",
            leave=False,
            disable=not sys.stderr.isatty(),
        ):
            where = f"{self._container.path}: {shown(name)}"
            images[row_of[name]] = decode(content, where, self._resize).transpose(2, 0, 1)
        return images


def decode(content: bytes, where: str, resize: bool) -> UInt8Array:
    """Decode a PNG or JPEG file to uint8 `[32, 32, 3]`, RGB; `where` names it in messages.

    An image of another size is stretched to 32×32 (Lanczos) if `resize`, otherwise a UserError.
    Transparency is dropped. Orientation marks of cameras are not applied. An animated PNG is a
    UserError: which of its pictures is meant?
    """
    try:
        with _quiet(), Image.open(BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
                raise _too_many(where, f"{image.width}×{image.height}")
            if image.format == "PNG" and getattr(image, "is_animated", False):
                raise UserError(f"{where}: is animated; allowed: one picture. Replace it.")
            scans = 0 if image.format == "PNG" else content.count(_START_OF_SCAN)
            if scans > MAX_SCANS:
                raise UserError(
                    f"{where}: is a JPEG of {scans} scans; allowed: {MAX_SCANS}. Save it anew."
                )
            if image.size != _SIZE and not resize:
                raise UserError(
                    f"{where}: is {image.width}×{image.height} pixels; expected: 32×32. "
                    "Set dataset.resize to true to have images resized."
                )
            rgb = _to_rgb(image)
            if rgb.size != _SIZE:
                rgb = rgb.resize(_SIZE, Image.Resampling.LANCZOS)
            return np.asarray(rgb)
    except UserError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _too_many(where, "even more") from None
    except Exception as error:  # Pillow raises a wide range of types on broken files
        raise UserError(
            f"{where}: is not a whole PNG or JPEG image "
            f"({shown(str(error) or type(error).__name__)}). Replace it or take it out."
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of odd notes beside the pixels
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _too_many(where: str, found: str) -> UserError:
    return UserError(
        f"{where}: has too many pixels ({found}); allowed: {MAX_PIXELS}, and {MAX_SIDE} a side. "
        "Make it smaller."
    )


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip, not scale
        levels = np.clip(np.asarray(image), 0, 65535) >> 8
        return Image.fromarray(levels.astype(np.uint8)).convert("RGB")
    if "transparency" in image.info:  # straight from a palette Pillow warns
        return image.convert("RGBA").convert("RGB")
    return image.convert("RGB")


def _open_container(path: Path) -> Container:
    if path.is_dir():
        return Folder(path)
    if zipfile.is_zipfile(path):
        return Zip(path)
    return Tar(path)
