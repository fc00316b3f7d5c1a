"""The official CIFAR-10 archive, version for Python.

Format: https://www.cs.toronto.edu/~kriz/cifar.html. A gzipped tar with `data_batch_1` to
`data_batch_5` and `test_batch`, each a pickled dictionary: `data` is uint8 `[N, 3072]` (1,024
red, then green, then blue values, row by row), `labels` a list of N numbers; `batches.meta`
holds the names of the classes and N.

The files are known by their MD5 before they are read (`data/fetch.py`), and all the same nothing in
them is run. Unpickling calls whatever functions a file names. The official batches, written by
Python 2, name three: numpy's `_reconstruct`, `ndarray` and `dtype`. A stand-in for these only
keeps its state, and any other name is refused.
"""

import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from resnet_sizes.data.archives import open_container
from resnet_sizes.data.official import TOP, batch_files, official_cifar10
from resnet_sizes.data.sources.source import Part, Source
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown, shown_text
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, Int64Array, UInt8Array

_META = "batches.meta"
_BATCHES: Mapping[Part, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
_NAMED = ("numpy.core.multiarray._reconstruct", "numpy.ndarray", "numpy.dtype")
_CLASSES = 10
_REMEDY = "Copy or download the archive again."


class Cifar10Source(Source):
    """All images of the archive, packed or unpacked, in the order of its batches."""

    def __init__(self, path: Path) -> None:
        container = open_container(path)
        files = batch_files(container)
        missing = [f"{TOP}/{name}" for name in official_cifar10().batches if name not in files]
        if missing:
            raise UserError(
                f"{path}: lacks {', '.join(missing)}, so it is not CIFAR-10 in its version for "
                f"Python. {_REMEDY}"
            )
        contents = {name.rpartition("/")[2]: each for name, each in container.read(files.values())}
        with _official_format(path, _META):
            meta = _load(contents[_META])
            names = [str(name, "ascii") for name in meta.get(b"label_names", [])]
            if len(names) != _CLASSES:
                raise ValueError(f"does not name {_CLASSES} classes")
        images: dict[Part, UInt8Array] = {}
        labels: dict[Part, Int64Array] = {}
        for part, batches in _BATCHES.items():
            found = []
            for name in batches:
                with _official_format(path, name):
                    found.append(_checked(_load(contents[name]), meta.get(b"num_cases_per_batch")))
            images[part], labels[part] = map(np.concatenate, zip(*found, strict=True))
        super().__init__(path, names, labels, images)


@contextmanager
def _official_format(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged pickle can raise nearly anything
        reason = shown_text(str(error))
        raise UserError(
            f"{path}: {name} is not in the official format ({reason}). {_REMEDY}"
        ) from None


def _checked(batch: dict[bytes, Any], count: Any) -> tuple[UInt8Array, Int64Array]:
    """Images, uint8 `[count, 3, 32, 32]`, and labels, int64 `[count]`."""
    state: Any = getattr(batch.get(b"data"), "state", None) or [None] * 5
    _, shape, _, column_major, content = state
    if shape != (count, int(np.prod(IMAGE_SHAPE))):
        raise ValueError(f"data is {shown(shape)}; expected: ({shown(count)}, 3072)")
    labels = np.array(batch.get(b"labels"), dtype=np.int64)
    if labels.shape != (count,) or set(labels) - set(range(_CLASSES)):
        raise ValueError(f"labels are not {shown(count)} numbers from 0 to {_CLASSES - 1}")
    flat = np.frombuffer(content, dtype=np.uint8)
    images = flat.reshape(shape, order="F" if column_major else "C").reshape(-1, *IMAGE_SHAPE)
    return images, labels


class _Recorded:
    """Stands for what a pickle names: keeps the state that it gets, whatever it is called with."""

    def __init__(self, *_: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Called for every name in the pickle."""
        if f"{module}.{name}" in _NAMED:
            return _Recorded
        raise ValueError(f"names {module}.{name}, which the official batches do not")


def _load(content: bytes) -> dict[bytes, Any]:
    """The dictionary in a batch file. Raises nearly anything for what no official batch has."""
    # bytes: the text of Python 2 had no encoding, and the keys are documented as bytes.
    batch = _Unpickler(BytesIO(content), encoding="bytes").load()
    if not isinstance(batch, dict):
        raise ValueError(f"holds a {type(batch).__name__}, not a dictionary")
    return batch
