"""Reads the pickles of the official CIFAR-10 archive without running what is in them.

Unpickling calls whatever functions a file names. The official batches, written by Python 2,
name three: numpy's `_reconstruct`, `ndarray` and `dtype`. Here these are stand-ins that only
take notes, and any other name is refused. So nothing in the file is ever called, not even
numpy's own code for restoring arrays.

Even without a call a pickle can ask for gigabytes: a place far beyond the end of the memo, a
byte array of any declared size. So the operations are looked through first, and only those that
the batches are made of are carried out.
"""

import pickle
import pickletools
from io import BytesIO
from typing import Any

import numpy as np

from resnet_sizes.schemas.run.tensors import UInt8Array


class _Dtype:
    """Notes the arguments of `numpy.dtype`."""

    def __init__(self, code: bytes, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        pass  # byte order and alignment: without meaning for single bytes


class _Array:
    """Notes shape, dtype and bytes of an array."""

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
