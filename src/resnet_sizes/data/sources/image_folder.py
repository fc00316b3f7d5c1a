"""Images in `train/<class>/…` and `test/<class>/…`, in a folder, a zip or a tar archive."""

import sys
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import chain
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from resnet_sizes.data.archives.containers import Container, Entry, Folder, Zip
from resnet_sizes.data.archives.tar import Tar
from resnet_sizes.data.sources.source import PARTS, Part, Source
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import check_regular
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, Int64Array, UInt8Array

MAX_PIXELS = 50_000_000
"""As many as a large photograph has. Decoding takes up to eight bytes of memory for each."""
MAX_SIDE = 65_535
"""The most that JPEG can have. Resizing takes memory for the length of a side, too."""
MAX_SCANS = 100
"""A progressive JPEG of today's encoders has about ten; each goes over the whole picture."""
SUFFIXES = (".png", ".jpg", ".jpeg")
_EXPECTED = "expected: train/<class>/<image> and test/<class>/<image>"
_SIZE = (IMAGE_SHAPE[2], IMAGE_SHAPE[1])
_START_OF_SCAN = b"\xff\xda"


class ImageFolderSource(Source):
    """PNG and JPEG images. Classes are sorted by name, images by class and file name, so a
    folder and its archives give the same arrays."""

    def __init__(self, path: Path, resize: bool) -> None:
        self._resize = resize
        self._container = _open_container(path)
        classes = classes_of(self._container.entries(), path)
        self._names: dict[Part, list[str]] = {}
        labels: dict[Part, Int64Array] = {}
        for part in PARTS:
            files = list(classes[part].values())
            self._names[part] = list(chain.from_iterable(files))
            labels[part] = np.repeat(np.arange(len(files)), [len(names) for names in files])
        super().__init__(path, list(classes["train"]), labels)

    @property
    def files(self) -> list[str]:
        """Names of all files that it reads, below the folder or inside the archive."""
        return [name for part in PARTS for name in self._names[part]]

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
            where = f"{self._container.path}: {shown_text(name)}"
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
                    f"{where}: is a JPEG of {scans} scans; allowed: {MAX_SCANS}. Save it again."
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
            f"{where}: is not a complete PNG or JPEG image "
            f"({shown_text(str(error) or type(error).__name__)}). Replace or remove it."
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
    check_regular(path, "Name a folder, a zip or a tar archive in dataset.path.")
    if zipfile.is_zipfile(path):
        return Zip(path)
    return Tar(path)


Classes = dict[str, list[str]]
"""Class name → full names of its files inside the container, both sorted."""


def classes_of(entries: Sequence[Entry], container: Path) -> dict[Part, Classes]:
    """Sort entries into parts and classes. `train` and `test` may lie below one common folder;
    what lies beside them is not looked at. Raises UserError that names what is out of place."""
    depth = 0 if _has_parts(entries, 0) else 1
    if depth:
        tops = {entry.parts[0] for entry in entries if entry.is_folder or len(entry.parts) > 1}
        if len(tops) != 1 or not _has_parts(entries, 1):
            found = ", ".join(
                shown_text(name) for name in sorted({entry.parts[0] for entry in entries})[:10]
            )
            raise UserError(
                f"{container}: holds {found or 'nothing'}; {_EXPECTED}, perhaps below one common "
                "folder. Arrange it so, or change dataset.path."
            )
    classes = {part: _classes_of_part(part, entries, depth, container) for part in PARTS}
    for part in PARTS:
        other: Part = "test" if part == "train" else "train"
        _check_classes(part, classes[part], other, classes[other], container)
    if len(classes["train"]) < 2:
        raise UserError(
            f"{container}: has one class only, {next(iter(classes['train']))!r}; needed: 2 or "
            "more. Add another class folder."
        )
    return classes


def _has_parts(entries: Sequence[Entry], depth: int) -> bool:
    return any(len(entry.parts) > depth and entry.parts[depth] in PARTS for entry in entries)


def _classes_of_part(part: Part, entries: Sequence[Entry], depth: int, container: Path) -> Classes:
    classes: Classes = {}
    for entry in entries:
        parts = entry.parts[depth:]
        if not parts or parts[0] != part:
            continue
        if len(parts) == 2 and entry.is_folder:
            classes.setdefault(parts[1], [])
        elif len(parts) == 3 and not entry.is_folder:
            if not parts[2].lower().endswith(SUFFIXES):
                raise UserError(
                    f"{container}: {shown_text(entry.name)} is not an image by its name; allowed: "
                    f"{', '.join(SUFFIXES)}. Convert or remove it."
                )
            classes.setdefault(parts[1], []).append(entry.name)
        elif len(parts) > 1 or not entry.is_folder:
            raise UserError(
                f"{container}: {shown_text(entry.name)} is out of place; {_EXPECTED}. "
                "Move or remove it."
            )
    return {name: sorted(classes[name]) for name in sorted(classes)}


def _check_classes(
    part: Part, classes: Classes, other: Part, others: Classes, container: Path
) -> None:
    if not classes:
        raise UserError(f"{container}: has no class folders in {part}/; {_EXPECTED}. Add them.")
    for name, files in classes.items():
        if not name.isprintable():
            raise UserError(
                f"{container}: class folder {part}/{shown_text(name)} has a name that cannot be "
                "printed. Rename it."
            )
        if not files:
            raise UserError(
                f"{container}: class folder {part}/{name} is empty. "
                "Put images there, or remove the class from train and test."
            )
        if others and name not in others:
            raise UserError(
                f"{container}: class {name!r} is in {part}/ but not in {other}/. "
                "Both need the same classes."
            )
