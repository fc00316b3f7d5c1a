"""The official CIFAR-10 archive, version for Python.

Format: https://www.cs.toronto.edu/~kriz/cifar.html. A gzipped tar with `data_batch_1` to
`data_batch_5` and `test_batch`, each a pickled dictionary: `data` is uint8 `[N, 3072]` (1,024
red, then green, then blue values, row by row), `labels` a list of N numbers; `batches.meta`
holds the names of the classes and N.

The pickles are read without running what is in them. Unpickling calls whatever functions a file
names. The official batches, written by Python 2, name three: numpy's `_reconstruct`, `ndarray`
and `dtype`. Stand-ins for these only record their arguments, and any other name is refused. So
nothing in the file is ever called, not even numpy's own code for restoring arrays. Even without
a call a pickle can ask for gigabytes: a place far beyond the end of the memo, a byte array of
any declared size. So the operations are checked first, and only those that the official batches
contain are carried out.
"""

import pickle
import pickletools
from collections.abc import Mapping
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
_CLASSES = 10
_REMEDY = "Copy or download the archive again."


class Cifar10Source(Source):
    """All images of the archive, packed or unpacked, in the order of its batches."""

    def __init__(self, path: Path) -> None:
        pickles = _read_pickles(path)
        meta = pickles[_META]
        names = _class_names(meta, path)
        self._images: dict[Part, UInt8Array] = {}
        labels: dict[Part, Int64Array] = {}
        for part, files in _BATCHES.items():
            batches = [
                _checked(pickles[file], meta.get(b"num_cases_per_batch"), f"{path}: {file}")
                for file in files
            ]
            self._images[part] = np.concatenate([images for images, _ in batches])
            labels[part] = np.concatenate([labels for _, labels in batches])
        super().__init__(path, names, labels)

    def images(self, wanted: Mapping[Part, Int64Array]) -> dict[Part, UInt8Array]:
        """See `Source`."""
        return {part: self._images[part][indices] for part, indices in wanted.items()}


def _read_pickles(path: Path) -> dict[str, dict[bytes, Any]]:
    container = open_container(path)
    files = batch_files(container)
    missing = [f"{TOP}/{name}" for name in official_cifar10().batches if name not in files]
    if missing:
        raise UserError(
            f"{path}: lacks {', '.join(missing)}, so it is not CIFAR-10 in its version for Python. "
            f"{_REMEDY}"
        )
    pickles = {}
    for name, content in container.read(list(files.values())):
        try:
            pickles[name.rpartition("/")[2]] = load_batch(content)
        except pickle.UnpicklingError as error:
            raise UserError(
                f"{path}: {name} is not in the official format ({shown_text(str(error))}). "
                f"{_REMEDY}"
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
        raise UserError(f"{where}: data is {found}; expected: [{shown(count)}, 3072]. {_REMEDY}")
    if (
        not isinstance(labels, list)
        or len(labels) != count
        or not all(isinstance(label, int) and 0 <= label < _CLASSES for label in labels)
    ):
        raise UserError(
            f"{where}: labels are not {shown(count)} numbers from 0 to {_CLASSES - 1}. {_REMEDY}"
        )
    images: UInt8Array = data.reshape(-1, *IMAGE_SHAPE)
    return images, np.array(labels, dtype=np.int64)


class _Dtype:
    """Records the arguments of `numpy.dtype`."""

    def __init__(self, code: bytes, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        pass  # byte order and alignment: without meaning for single bytes


class _Array:
    """Records shape, dtype and bytes of an array."""

    def __init__(self, *_: Any) -> None:
        self.value: UInt8Array | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, column_major, content = state
        if not isinstance(dtype, _Dtype) or dtype.code != b"u1":
            raise pickle.UnpicklingError("holds an array of something other than uint8")
        flat = np.frombuffer(content, dtype=np.uint8)
        self.value = flat.reshape(shape, order="F" if column_major else "C")


class _OfficialUnpickler(pickle.Unpickler):
    _ALLOWED: dict[tuple[str, str], Any] = {  # noqa: RUF012 - nobody writes to it
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): "ndarray",  # an argument of _reconstruct, never called
        ("numpy", "dtype"): _Dtype,
    }

    def find_class(self, module: str, name: str) -> Any:
        """Called for every name in the pickle."""
        try:
            return self._ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"names {module}.{name}, which the official batches do not"
            ) from None


_OPERATIONS = frozenset(
    """
    PROTO GLOBAL REDUCE BUILD STOP MARK NONE NEWTRUE NEWFALSE EMPTY_DICT EMPTY_LIST EMPTY_TUPLE
    TUPLE TUPLE1 TUPLE2 TUPLE3 APPEND APPENDS SETITEM SETITEMS BININT BININT1 BININT2 LONG1
    BINFLOAT SHORT_BINSTRING BINSTRING BINUNICODE BINPUT LONG_BINPUT BINGET LONG_BINGET
    """.split()  # noqa: SIM905 - they are read as a text
)


def _check_operations(content: bytes) -> None:
    for count, (operation, argument, _) in enumerate(pickletools.genops(content), 1):
        if operation.name not in _OPERATIONS:
            raise pickle.UnpicklingError(
                f"holds the operation {operation.name}, which the official batches do not"
            )
        if operation.name == "LONG_BINPUT" and (argument or 0) > count:
            raise pickle.UnpicklingError("numbers its parts beyond their count")


def load_batch(content: bytes) -> dict[bytes, Any]:
    """The dictionary in a batch file; arrays in it are uint8.

    Raises pickle.UnpicklingError for anything that the official batches do not contain.
    """
    # bytes: the text of Python 2 had no encoding, and the keys are documented as bytes.
    unpickler = _OfficialUnpickler(BytesIO(content), encoding="bytes")
    try:
        _check_operations(content)
        batch = unpickler.load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise pickle.UnpicklingError(f"{type(error).__name__}: {error}") from None
    if not isinstance(batch, dict):
        raise pickle.UnpicklingError(f"holds a {type(batch).__name__}, not a dictionary")
    return {
        key: value.value if isinstance(value, _Array) else value for key, value in batch.items()
    }
