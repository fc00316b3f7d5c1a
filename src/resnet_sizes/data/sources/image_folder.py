"""Images in `train/<class>/<image>` and `test/<class>/<image>`, in a folder, zip or tar archive.

Both may lie below one common folder; other files are not looked at.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from resnet_sizes.data.archives import Container, Entry, open_container
from resnet_sizes.data.sources.source import PARTS, Part, Source, refused
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, Int64Array, UInt8Array

SUFFIXES = (".png", ".jpg", ".jpeg")
_EXPECTED = "expected: train/<class>/<image> and test/<class>/<image>"

Classes = dict[str, list[str]]
"""Class name → full names of its files inside the container, both sorted."""

MAX_PIXELS = 50_000_000
"""As many as a large photograph has. Decoding takes up to eight bytes of memory for each."""
MAX_SIDE = 65_535
"""The most that JPEG can have. Resizing takes memory for the length of a side, too."""
_SIZE = (IMAGE_SHAPE[2], IMAGE_SHAPE[1])


class ImageFolderSource(Source):
    """PNG and JPEG images. Classes are sorted by name, images by class and file name, so a
    folder and its archives give the same arrays."""

    def __init__(self, path: Path, resize: bool) -> None:
        self._resize = resize
        self._container = open_container(path)
        classes = classes_of(self._container)
        self._names: dict[Part, list[str]] = {}
        labels: dict[Part, Int64Array] = {}
        for part in PARTS:
            files = list(classes[part].values())
            self._names[part] = list(chain.from_iterable(files))
            labels[part] = np.repeat(np.arange(len(files)), [len(names) for names in files])
        super().__init__(path, list(classes["train"]), labels)

        self.files = list(chain.from_iterable(self._names.values()))
        """Names of all files that it reads, below the folder or inside the archive."""

    def images(self, wanted: Mapping[Part, Int64Array]) -> dict[Part, UInt8Array]:
        """See `Source`."""
        images: dict[Part, UInt8Array] = {}
        place_of: dict[str, tuple[Part, int]] = {}
        for part, indices in wanted.items():
            images[part] = np.empty((len(indices), *IMAGE_SHAPE), dtype=np.uint8)
            place_of |= {self._names[part][index]: (part, row) for row, index in enumerate(indices)}
        problems: list[str] = []
        contents = self._container.read(list(place_of))
        on_terminal: Any = {"leave": False, "disable": None}
        for name, content in tqdm(contents, "images", len(place_of), unit="", **on_terminal):
            where = f"{self._container.path}: {shown_text(name)}"
            part, row = place_of[name]
            try:
                image = decode(content, where, self._resize)
                images[part][row] = image.transpose(2, 0, 1)
            except UserError as error:
                problems.append(str(error))
        if problems:
            raise refused(problems)
        return images


def classes_of(container: Container) -> dict[Part, Classes]:
    """The images of each part by class.

    Names are compared in Unicode's form C: macOS writes an accent as a character of its own.
    Raises UserError that names what is out of place.
    """
    path, entries = container.path, container.entries()
    top = _top(entries, path)
    classes: dict[Part, Classes] = {"train": {}, "test": {}}
    problems = []
    for part, entry in ((part, entry) for part in PARTS for entry in entries):
        below = entry.parts[len(top) + 1 :]
        if entry.parts[: len(top) + 1] != (*top, part) or not below:
            continue
        where = shown_text(entry.name)
        if len(below) + entry.is_folder != 2:
            problems.append(f"{where} is out of place; {_EXPECTED}. Move or remove it.")
        elif not entry.is_folder and not below[-1].lower().endswith(SUFFIXES):
            allowed = ", ".join(SUFFIXES)
            problems.append(
                f"{where} is not an image by its name; allowed: {allowed}. Convert or remove it."
            )
        else:
            images = classes[part].setdefault(normalize("NFC", below[0]), [])
            images += [] if entry.is_folder else [entry.name]
    problems = problems or list(_class_problems(classes))
    if problems:
        raise refused([f"{path}: {problem}" for problem in problems])
    for part in PARTS:
        classes[part] = {
            name: sorted(images, key=lambda image: (normalize("NFC", image), image))
            for name, images in sorted(classes[part].items())
        }
    return classes


def _top(entries: Sequence[Entry], path: Path) -> tuple[str, ...]:
    """The one folder that holds train and test; empty where nothing is above them."""
    folders = {entry.parts[: len(entry.parts) - 1 + entry.is_folder] for entry in entries}
    tops = sorted({parts[:1] for parts in folders if parts})
    for top in ((), *tops[:1]) if len(tops) == 1 else ((),):
        beginnings = {parts[: len(top) + 1] for parts in folders}
        if all((*top, part) in beginnings for part in PARTS):
            return top
    lowest = folders - {parts[:-1] for parts in folders}
    found = sorted({"/".join(parts[:2]) for parts in lowest if parts})
    raise UserError(
        f"{path}: holds {', '.join(map(shown_text, found[:10])) or 'no folder'}; {_EXPECTED}, "
        "perhaps below one common folder. Arrange it so, or change dataset.path."
    )


def _class_problems(classes: Mapping[Part, Classes]) -> Iterator[str]:
    for part, other in (PARTS, PARTS[::-1]):
        if not classes[part]:
            yield f"has no class folders in {part}/; {_EXPECTED}. Add them."
        for name, images in classes[part].items():
            folder = f"class folder {part}/{shown_text(name)}"
            if not name.isprintable():
                yield f"{folder} has a name that cannot be printed. Rename it."
            elif not images:
                yield f"{folder} is empty. Put images there, or remove the class from both parts."
            elif classes[other] and name not in classes[other]:
                yield (
                    f"class {name!r} is in {part}/ but not in {other}/. Both need the same classes."
                )
    if len(classes["train"]) == 1:
        only = next(iter(classes["train"]))
        yield f"has one class only, {only!r}; needed: 2 or more. Add another class folder."


def decode(content: bytes, where: str, resize: bool) -> UInt8Array:
    """Decode a PNG or JPEG file to uint8 `[32, 32, 3]`, RGB; `where` names it in messages.

    An image of another size is stretched to 32×32 (Lanczos) if `resize`, otherwise a UserError.
    Transparency is dropped. Orientation marks of cameras are not applied. An animated PNG is a
    UserError: which of its pictures is meant?
    """
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # of odd notes in it, and of its size
            Image.open(BytesIO(content), formats=("PNG", "JPEG")) as image,
        ):
            size = f"{image.width}×{image.height}"
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
                allowed = f"{MAX_PIXELS}, and {MAX_SIDE} a side. Make it smaller"
                problem = f"has too many pixels ({size}); allowed: {allowed}"
            elif image.format == "PNG" and getattr(image, "is_animated", False):
                problem = "is animated; allowed: one picture. Replace it"
            elif image.size != _SIZE and not resize:
                remedy = "Set dataset.resize to true to have images resized"
                problem = f"is {size} pixels; expected: 32×32. {remedy}"
            else:
                rgb = _to_rgb(image)
                if rgb.size != _SIZE:
                    rgb = rgb.resize(_SIZE, Image.Resampling.LANCZOS)
                return np.asarray(rgb)
            raise UserError(f"{where}: {problem}.")
    except UserError:
        raise
    except Exception as error:  # Pillow raises a wide range of types on broken files
        # Its own words for this one name an object in memory.
        is_other = isinstance(error, UnidentifiedImageError)
        reason = "its content is neither" if is_other else str(error) or type(error).__name__
        raise UserError(
            f"{where}: is not a complete PNG or JPEG image ({shown_text(reason)}). Replace or "
            "remove it."
        ) from None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip, not scale
        levels = np.clip(np.asarray(image), 0, 65535) >> 8
        return Image.fromarray(levels.astype(np.uint8)).convert("RGB")
    return image.convert("RGB")
