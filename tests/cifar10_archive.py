"""Small archives in the real format of CIFAR-10 for Python, with pickles as Python 2 wrote them."""

import hashlib
import io
import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

CLASS_NAMES = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
]
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


class _Named:
    """A name that a pickle mentions, as `module name`."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self) -> None:
        """Only what can be called may be reduced to."""


_RECONSTRUCT = _Named("numpy.core.multiarray", "_reconstruct")
_NDARRAY = _Named("numpy", "ndarray")
_DTYPE = _Named("numpy", "dtype")


class _Dtype:
    def __reduce__(self) -> tuple[Any, ...]:
        return _DTYPE, (b"u1", 0, 1), (3, b"|", None, None, None, -1, -1, 0)


class Python2Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
    """Writes text and bytes as Python 2's `str`, and numpy arrays as numpy 1 did under it."""

    dispatch = pickle._Pickler.dispatch.copy()  # type: ignore[attr-defined]

    def save_python2_str(self, value: bytes | str) -> None:
        content = value.encode() if isinstance(value, str) else value
        if len(content) < 256:
            self.write(pickle.SHORT_BINSTRING + bytes([len(content)]) + content)
        else:
            self.write(pickle.BINSTRING + len(content).to_bytes(4, "little") + content)
        self.memoize(value)

    def save_name(self, value: _Named) -> None:
        self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        self.memoize(value)

    def save_array(self, array: np.ndarray[Any, Any]) -> None:
        column_major = array.flags.f_contiguous and not array.flags.c_contiguous
        content = array.tobytes("F" if column_major else "C")
        state = (1, array.shape, _Dtype(), column_major, content)
        self.save_reduce(_RECONSTRUCT, (_NDARRAY, (0,), b"b"), state, obj=array)

    dispatch[bytes] = save_python2_str
    dispatch[str] = save_python2_str
    dispatch[_Named] = save_name
    dispatch[np.ndarray] = save_array


def python2_pickle(value: Any) -> bytes:
    """Pickle as Python 2 did, protocol 2."""
    target = io.BytesIO()
    Python2Pickler(target, protocol=2).dump(value)
    return target.getvalue()


def batch_contents(images_per_batch: int = 20, seed: int = 0) -> dict[str, dict[str, Any]]:
    """What the seven files of the archive hold; pixels are random, labels in turn."""
    random = np.random.default_rng(seed)
    files: dict[str, dict[str, Any]] = {
        name: {
            "batch_label": f"batch {name}",
            "labels": [index % 10 for index in range(images_per_batch)],
            "data": random.integers(0, 256, (images_per_batch, 3072), dtype=np.uint8),
            "filenames": [f"{index}.png" for index in range(images_per_batch)],
        }
        for name in BATCHES
    }
    files["batches.meta"] = {
        "num_cases_per_batch": images_per_batch,
        "label_names": CLASS_NAMES,
        "num_vis": 3072,
    }
    return files


def write_archive(
    path: Path,
    contents: Mapping[str, dict[str, Any]] | None = None,
    raw: Mapping[str, bytes] | None = None,
) -> dict[str, Any]:
    """Write an archive and return its `downloads.cifar10` entries (file, md5, bytes).

    `raw` replaces files of the archive by these bytes.
    """
    pickles = {
        name: python2_pickle(value) for name, value in (contents or batch_contents()).items()
    }
    pickles.update(raw or {})
    with tarfile.open(path, "w:gz") as archive:
        for name, content in {**pickles, "readme.html": b"<p>CIFAR-10"}.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return {
        "file": "cifar-10-python.tar.gz",
        "md5": hashlib.md5(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
    }
