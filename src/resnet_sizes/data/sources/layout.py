"""Which files of a folder or archive are the images of which class.

`train/<class>/<image>` and `test/<class>/<image>`, perhaps below one common folder; other files are
not looked at.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from unicodedata import normalize

from resnet_sizes.data.archives import Container, Entry
from resnet_sizes.data.sources.source import PARTS, Part, refused
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown_text

SUFFIXES = (".png", ".jpg", ".jpeg")
_EXPECTED = "expected: train/<class>/<image> and test/<class>/<image>"

Classes = dict[str, list[str]]
"""Class name → full names of its files inside the container, both sorted."""


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
