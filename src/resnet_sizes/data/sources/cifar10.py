"""The official CIFAR-10 archive, version for Python.

Format: https://www.cs.toronto.edu/~kriz/cifar.html. A gzipped tar with `data_batch_1` to
`data_batch_5` and `test_batch`, each a pickled dictionary: `data` is uint8 `[N, 3072]` (1,024
red, then green, then blue values, row by row), `labels` a list of N numbers; `batches.meta`
holds the names of the classes and N.
"""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from resnet_sizes.data.archives.safe_names import shown
from resnet_sizes.data.archives.tar import Tar
from resnet_sizes.data.sources.cifar10_pickle import load_batch
from resnet_sizes.data.sources.source import Part
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown as value
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, Int64Array, UInt8Array

_TOP = "cifar-10-batches-py"
_META = "batches.meta"
_BATCHES: Mapping[Part, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
_CLASSES = 10
_REMEDY = "Copy or download the archive again."


class Cifar10Source:
    """All images of the archive, in the order of its batches."""

    def __init__(self, path: Path) -> None:
        self.file: Path | None = path
        pickles = _read_pickles(path)
        meta = pickles[_META]
        self.class_names = _class_names(meta, path)
        self._images: dict[Part, UInt8Array] = {}
        self._labels: dict[Part, Int64Array] = {}
        for part, names in _BATCHES.items():
            batches = [
                _checked(pickles[name], meta.get(b"num_cases_per_batch"), f"{path}: {name}")
                for name in names
            ]
            self._images[part] = np.concatenate([images for images, _ in batches])
            self._labels[part] = np.concatenate([labels for _, labels in batches])

    def labels(self, part: Part) -> Int64Array:
        """See `Source`."""
        return self._labels[part]

    def images(self, part: Part, indices: Int64Array) -> UInt8Array:
        """See `Source`."""
        return self._images[part][indices]


def _read_pickles(path: Path) -> dict[str, dict[bytes, Any]]:
    archive = Tar(path)
    present = {entry.name for entry in archive.entries() if not entry.is_folder}
    wanted = [f"{_TOP}/{name}" for names in _BATCHES.values() for name in names]
    wanted.append(f"{_TOP}/{_META}")
    missing = [name for name in wanted if name not in present]
    if missing:
        raise UserError(
            f"{path}: lacks {', '.join(missing)}, so it is not CIFAR-10 in its version for Python. "
            f"{_REMEDY}"
        )
    pickles = {}
    for name, content in archive.read(wanted):
        try:
            pickles[name.removeprefix(f"{_TOP}/")] = load_batch(content)
        except pickle.UnpicklingError as error:
            raise UserError(
                f"{path}: {name} is not in the official format ({shown(str(error))}). {_REMEDY}"
            ) from None
    return pickles


def _class_names(meta: dict[bytes, Any], path: Path) -> list[str]:
    names = meta.get(b"label_names")
    if (
        not isinstance(names, list)
        or len(names) != _CLASSES
        or not all(isinstance(name, bytes) and name.isascii() for name in names)
    ):
        raise UserError(f"{path}: {_META} does not name {_CLASSES} classes. {_REMEDY}")
    return [name.decode("ascii") for name in names]


def _checked(batch: dict[bytes, Any], count: Any, where: str) -> tuple[UInt8Array, Int64Array]:
    data, labels = batch.get(b"data"), batch.get(b"labels")
    if not isinstance(data, np.ndarray) or data.shape != (count, int(np.prod(IMAGE_SHAPE))):
        found = list(data.shape) if isinstance(data, np.ndarray) else type(data).__name__
        raise UserError(f"{where}: data is {found}; expected: [{value(count)}, 3072]. {_REMEDY}")
    if (
        not isinstance(labels, list)
        or len(labels) != count
        or not all(isinstance(label, int) and 0 <= label < _CLASSES for label in labels)
    ):
        raise UserError(
            f"{where}: labels are not {value(count)} numbers from 0 to {_CLASSES - 1}. {_REMEDY}"
        )
    images: UInt8Array = data.reshape(-1, *IMAGE_SHAPE)
    return images, np.array(labels, dtype=np.int64)
