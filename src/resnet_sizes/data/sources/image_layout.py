"""From a list of files to classes and labels, or an error that names what is out of place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resnet_sizes.data.archives.containers import Entry
from resnet_sizes.data.archives.safe_names import shown
from resnet_sizes.data.sources.source import PARTS, Part
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.tensors import Int64Array

SUFFIXES = (".png", ".jpg", ".jpeg")
_EXPECTED = "expected: train/<class>/<image> and test/<class>/<image>"

Classes = dict[str, list[str]]
"""Class name → full names of its files inside the container, sorted."""


@dataclass(frozen=True)
class Layout:
    """The images of both parts by class, classes sorted by name."""

    train: Classes
    test: Classes

    @property
    def class_names(self) -> list[str]:
        """Sorted names of the classes, the same for both parts."""
        return list(self.train)

    def names(self, part: Part) -> list[str]:
        """All files of a part: class by class, sorted within it."""
        return [name for names in self._classes(part).values() for name in names]

    def labels(self, part: Part) -> Int64Array:
        """The label of each of `names`, int64."""
        counts = [len(names) for names in self._classes(part).values()]
        return np.repeat(np.arange(len(counts), dtype=np.int64), counts)

    def _classes(self, part: Part) -> Classes:
        return self.train if part == "train" else self.test


def arrange(entries: Sequence[Entry], container: str) -> Layout:
    """Sort entries into parts and classes. `train` and `test` may lie below one common folder;
    what lies beside them is not looked at. Raises UserError."""
    depth = 0 if _has_parts(entries, 0) else 1
    if depth:
        tops = {entry.parts[0] for entry in entries if entry.is_folder or len(entry.parts) > 1}
        if len(tops) != 1 or not _has_parts(entries, 1):
            found = ", ".join(shown(name) for name in sorted({e.parts[0] for e in entries})[:10])
            raise UserError(
                f"{container}: holds {found or 'nothing'}; {_EXPECTED}, perhaps below one common "
                "folder. Arrange it so, or change dataset.path."
            )
    layout = Layout(*(_classes_of(part, entries, depth, container) for part in PARTS))
    _check_classes(layout, container)
    return layout


def _has_parts(entries: Sequence[Entry], depth: int) -> bool:
    return any(len(entry.parts) > depth and entry.parts[depth] in PARTS for entry in entries)


def _classes_of(part: Part, entries: Sequence[Entry], depth: int, container: str) -> Classes:
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
                    f"{container}: {shown(entry.name)} is not an image by its name; allowed: "
                    f"{', '.join(SUFFIXES)}. Convert it or take it out."
                )
            classes.setdefault(parts[1], []).append(entry.name)
        elif len(parts) > 1 or not entry.is_folder:
            raise UserError(
                f"{container}: {shown(entry.name)} is out of place; {_EXPECTED}. "
                "Move it or take it out."
            )
    return {name: sorted(classes[name]) for name in sorted(classes)}


def _check_classes(layout: Layout, container: str) -> None:
    for part, classes, others, other in (
        ("train", layout.train, layout.test, "test"),
        ("test", layout.test, layout.train, "train"),
    ):
        if not classes:
            raise UserError(f"{container}: has no class folders in {part}/; {_EXPECTED}. Add them.")
        for name, files in classes.items():
            if not name.isprintable():
                raise UserError(
                    f"{container}: class folder {part}/{shown(name)} has a name that cannot be "
                    "printed. Rename it."
                )
            if not files:
                raise UserError(
                    f"{container}: class folder {part}/{name} is empty. "
                    "Put images there, or take the class out of train and test."
                )
            if others and name not in others:
                raise UserError(
                    f"{container}: class {name!r} is in {part}/ but not in {other}/. "
                    "Both need the same classes."
                )
    if len(layout.train) < 2:
        raise UserError(
            f"{container}: has one class only, {layout.class_names[0]!r}; needed: 2 or more. "
            "Add another class folder."
        )
