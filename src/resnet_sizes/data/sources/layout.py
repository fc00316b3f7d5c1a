"""Which files of a folder or archive are the images of which class.

Either `train/<class>/<image>` or, as Kaggle gives it, `train/<image>` with `trainLabels.csv` beside
`train`; `test` likewise. Both may lie below one common folder; other files are not looked at.
"""

import csv
import io
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


def classes_of(container: Container) -> tuple[dict[Part, Classes], list[str]]:
    """The images of each part by class, and the names of the tables of labels that it took.

    Names are compared in Unicode's form C: macOS writes an accent as a character of its own.
    Raises UserError that names what is out of place.
    """
    path, entries = container.path, container.entries()
    top = _top(entries, path)
    inside = [
        (part, entry.parts[len(top) + 1 :], entry)
        for part in PARTS
        for entry in entries
        if entry.parts[: len(top) + 1] == (*top, part) and len(entry.parts) > len(top) + 1
    ]
    flat = {part for part, below, entry in inside if len(below) == 1 and not entry.is_folder}
    tables = {part: "/".join((*top, f"{part}Labels.csv")) for part in PARTS if part in flat}
    files = {entry.name for entry in entries if not entry.is_folder}
    labels = {part: _labels(container, name) for part, name in tables.items() if name in files}
    classes: dict[Part, Classes] = {"train": {}, "test": {}}
    problems = []
    for part, below, entry in inside:
        where, names = shown_text(entry.name), labels.get(part)
        name: str | None = below[0]
        if len(below) + entry.is_folder != (2 if names is None else 1):
            table = f", or {part}Labels.csv beside {part}/" if len(below) == 1 else ""
            problems.append(f"{where} is out of place; {_EXPECTED}{table}. Move or remove it.")
        elif not entry.is_folder and not below[-1].lower().endswith(SUFFIXES):
            allowed = ", ".join(SUFFIXES)
            problems.append(
                f"{where} is not an image by its name; allowed: {allowed}. Convert or remove it."
            )
        elif names is not None and (name := names.pop(below[0].rpartition(".")[0], None)) is None:
            problems.append(f"{where} has no line in {part}Labels.csv. Add or remove it.")
        else:
            images = classes[part].setdefault(normalize("NFC", name or ""), [])
            images += [] if entry.is_folder else [entry.name]
    problems += [
        f"{part}Labels.csv: {shown_text(name)} has no image. Add or remove it."
        for part, unused in labels.items()
        for name in unused
    ]
    problems = problems or list(_class_problems(classes))
    if problems:
        raise refused([f"{path}: {problem}" for problem in problems])
    for part in PARTS:
        classes[part] = {
            name: sorted(images, key=lambda image: (normalize("NFC", image), image))
            for name, images in sorted(classes[part].items())
        }
    return classes, [tables[part] for part in labels]


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


def _labels(container: Container, table: str) -> dict[str, str]:
    """Name of an image without its suffix → name of its class."""
    ((_, content),) = container.read([table])
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
        labels = {id: label for id, label in rows if id and label}
        if rows[0] != ["id", "label"] or len(labels) != len(rows):
            raise ValueError("a line is empty or stands twice")
    except (ValueError, IndexError, csv.Error) as error:  # as bytes that are no UTF-8
        raise UserError(
            f"{container.path}: {shown_text(table)} cannot be read ({shown_text(str(error))}); "
            "expected: the line id,label and one for each image. Correct it."
        ) from None
    del labels["id"]
    return labels


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
