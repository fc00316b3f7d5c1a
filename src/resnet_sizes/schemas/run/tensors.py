"""The two safetensors files that cross stages, both verified on every read.

`dataset.safetensors` goes from the data stage to the training, `predictions.safetensors` from
the training to the evidence. Reading needs numpy alone, so no stage loads torch for it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import check_regular, read_record, write_atomically
from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.base import MOST, Sealed, Sha256, Versioned
from resnet_sizes.schemas.run.run import Problem, RunProblem
from resnet_sizes.schemas.study.sources import DataContent, DatasetSpec

IMAGE_SHAPE = (3, 32, 32)
"""Channels (red, green, blue), rows, columns."""

_INFO_KEY = "dataset_info"
PREDICTION_NAMES = ("logits", "labels")

UInt8Array = npt.NDArray[np.uint8]
Int64Array = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]


class DatasetInfo(Versioned, Sealed):
    """`dataset.json`, and the metadata inside `dataset.safetensors`.

    The tensor file holds `train_images` and `test_images` (uint8, `[N, 3, 32, 32]`, RGB) and
    `train_labels` and `test_labels` (int64, `[N]`).
    """

    spec: DatasetSpec
    content: DataContent
    class_names: list[str] = Field(min_length=2)
    train_images: int = Field(ge=1, le=MOST)
    test_images: int = Field(ge=1, le=MOST)
    full_train_images: int = Field(ge=1, le=MOST, description="Before `limit`.")
    full_test_images: int = Field(ge=1, le=MOST, description="Before `limit`.")
    identity: Sha256 = Field(description="SHA-256 of the decoded pixels and labels.")
    unordered_identity: Sha256 | None = None
    """As `identity`, whatever the order of the images; null in older files."""
    test_images_in_training: int | None = Field(None, ge=0)
    """Test images with the pixels of a training image; null in older files."""
    source_file: str | None = Field(description="Name of the archive or folder it came from.")
    source_sha256: str | None
    """SHA-256 of that archive, or over names and contents of the folder's files; null of folders
    in older files."""

    @property
    def is_subset(self) -> bool:
        """Whether `limit` left images out."""
        all_images = self.full_train_images, self.full_test_images
        return (self.train_images, self.test_images) != all_images


def read_dataset_info(path: Path, spec: DatasetSpec) -> DatasetInfo:
    """What is known of a study's dataset. Raises UserError where the file is missing, not valid,
    or of another dataset than `spec`."""
    study = path.parent.parent / "study.json"
    remedy = f"Run snakemake again, or: resnet-sizes data {study}"
    info = read_record(path, DatasetInfo, remedy)
    if info.spec != spec:
        raise UserError(f"{path}: was made for another `dataset:` than {study} names. {remedy}")
    return info


@dataclass(frozen=True)
class DatasetArrays:
    """Images are uint8 `[N, 3, 32, 32]` (RGB, 0…255), labels int64 `[N]`, counted from 0 in the
    order of the class names."""

    train_images: UInt8Array
    train_labels: Int64Array
    test_images: UInt8Array
    test_labels: Int64Array


def dataset_identity(arrays: DatasetArrays) -> str:
    """SHA-256 (64 hexadecimal digits) over the decoded pixels and labels: each array's name, dtype,
    shape and little-endian bytes in a fixed order, so the same images from a folder, a zip or a tar
    archive compare equal, and so do byte orders."""
    return _hash_of(vars(arrays))


def unordered_identity(arrays: DatasetArrays, class_names: Sequence[str]) -> str:
    """SHA-256 (64 hexadecimal digits) over the images of each part with the names of their classes,
    whatever their order: of the sorted lines `part SHA-256-of-the-pixels class`."""
    lines = sorted(
        f"{part} {digest.hex()} {class_names[label]}\n"
        for part, images, labels in (
            ("train", arrays.train_images, arrays.train_labels),
            ("test", arrays.test_images, arrays.test_labels),
        )
        for digest, label in zip(_pixel_digests(images), labels, strict=True)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def count_test_images_in_training(arrays: DatasetArrays) -> int:
    """How many test images are equal to a training image in each pixel, whatever their labels."""
    trained = set(_pixel_digests(arrays.train_images))
    return sum(digest in trained for digest in _pixel_digests(arrays.test_images))


def _pixel_digests(images: UInt8Array) -> Iterator[bytes]:
    return (hashlib.sha256(image.tobytes()).digest() for image in images)


def _hash_of(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        stored = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{name} {array.dtype.name} {list(array.shape)}\n".encode())
        digest.update(stored.data)
    return digest.hexdigest()


def write_dataset(path: Path, info: DatasetInfo, arrays: DatasetArrays) -> None:
    """Write the tensor file atomically, with `info` as JSON in its metadata. Raises ValueError if
    the arrays are not what `info` says: such a file could not be read."""
    _check_dataset(info, arrays)
    _save(path, vars(arrays), {_INFO_KEY: info.model_dump_json()})


def read_dataset(path: Path) -> tuple[DatasetInfo, DatasetArrays]:
    """Read the tensor file and verify it: format, dtypes, shapes, labels, counts, identity. Raises
    UserError if it is missing or anything is off. Hashing takes about a second for 60,000 images;
    without it, a damaged file would train."""
    remedy = (
        "Delete the file, if it is there, and run snakemake again, or: "
        f"resnet-sizes data {path.parent.parent / 'study.json'}"
    )
    names = tuple(each.name for each in fields(DatasetArrays))
    metadata, tensors = _read_tensors(path, names, remedy)
    arrays = DatasetArrays(**tensors)
    try:
        info = DatasetInfo.model_validate_json(metadata.get(_INFO_KEY, ""))
        _check_dataset(info, arrays)
    except ValidationError:
        raise UserError(
            f"{path}: its metadata hold no valid {_INFO_KEY}, so it is not a tensor file of this "
            f"version of resnet-sizes. {remedy}"
        ) from None
    except ValueError as error:
        raise UserError(f"{path}: {error}. {remedy}") from None
    return info, arrays


def write_predictions(path: Path, logits: Float32Array, labels: Int64Array) -> None:
    """Write a run's outputs on the test images atomically: `logits`, float32 `[N, classes]`, before
    the softmax; `labels`, int64 `[N]`, the true classes. Raises ValueError if shapes, dtypes or
    values are not as `read_predictions` wants."""
    _check_predictions(logits, labels)
    _check_finite(logits)
    _save(path, {"logits": logits, "labels": labels})


def predictions_hash(logits: Float32Array, labels: Int64Array) -> str:
    """SHA-256 (64 hexadecimal digits) over names, dtypes, shapes and bytes of both arrays."""
    return _hash_of({"logits": logits, "labels": labels})


def read_predictions(path: Path, expected: str | None = None) -> tuple[Float32Array, Int64Array]:
    """Read and verify a run's `(logits, labels)`, as `write_predictions` describes them. `expected`
    is their `predictions_hash`, where the run's metrics have it. Raises RunProblem if the file is
    missing or damaged, or if a logit is not finite."""
    remedy = "Delete the file, if it is there, and run snakemake again: this run is then repeated."
    _, tensors = _read_tensors(path, PREDICTION_NAMES, remedy)
    logits, labels = tensors["logits"], tensors["labels"]
    kind: Problem = "out-of-schema"
    try:
        _check_predictions(logits, labels)
        kind = "not-finite"
        _check_finite(logits)
        kind = "inconsistent"
        if expected not in (None, predictions_hash(logits, labels)):
            raise ValueError("logits or labels are not those that the run's metrics tell of")
    except ValueError as error:
        raise RunProblem(kind, f"{path}: {error}. {remedy}") from None
    return logits, labels


def _save(path: Path, arrays: Arrays, metadata: dict[str, str] | None = None) -> None:
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(path, lambda target: save_file(tensors, target, metadata=metadata))


def _read_tensors(path: Path, names: tuple[str, ...], remedy: str) -> tuple[dict[str, str], Arrays]:
    try:
        if not path.exists():
            raise UserError(f"{path}: no such file. {remedy}")
        check_regular(path, remedy)
    except UserError as error:
        raise RunProblem("truncated", str(error)) from None
    try:
        with safe_open(path, framework="numpy") as opened:
            found = sorted(opened.keys())
            if found != sorted(names):
                raise RunProblem(
                    "out-of-schema",
                    f"{path}: holds {shown_text(', '.join(found)) or 'no tensors'}; "
                    f"expected: {', '.join(names)}. {remedy}",
                )
            return opened.metadata() or {}, {name: opened.get_tensor(name) for name in names}
    # An array type that numpy lacks (bfloat16) is a TypeError or an AttributeError.
    except (SafetensorError, OSError, TypeError, AttributeError, ValueError) as error:
        is_cut_off = isinstance(error, SafetensorError | OSError)
        raise RunProblem(
            "truncated" if is_cut_off else "out-of-schema",
            f"{path}: is damaged ({shown_text(str(error))}). {remedy}",
        ) from None


def _check_dataset(info: DatasetInfo, arrays: DatasetArrays) -> None:
    for part, count in (("train", info.train_images), ("test", info.test_images)):
        images, labels = getattr(arrays, f"{part}_images"), getattr(arrays, f"{part}_labels")
        check_part(part, images, labels, count, len(info.class_names))
    identity = dataset_identity(arrays)
    if identity != info.identity:
        raise ValueError(
            f"pixels or labels have been changed: their SHA-256 is {identity}, "
            f"expected: {info.identity}"
        )


def check_part(part: str, images: Any, labels: Any, count: int, classes: int) -> None:
    """Raise ValueError where images or labels are not as `DatasetArrays` has them."""
    _check_array(f"{part}_images", images, np.uint8, (count, *IMAGE_SHAPE))
    _check_labels(f"{part}_labels", labels, count, classes)


def _check_predictions(logits: npt.NDArray[Any], labels: npt.NDArray[Any]) -> None:
    if logits.ndim != 2 or logits.shape[0] < 1 or logits.shape[1] < 2:
        raise ValueError(
            f"logits has shape {list(logits.shape)}; expected: "
            "[images, classes] with 1 image and 2 classes or more"
        )
    _check_array("logits", logits, np.float32, logits.shape)
    _check_labels("labels", labels, *logits.shape)


def _check_finite(logits: Float32Array) -> None:
    if broken := int(np.count_nonzero(~np.isfinite(logits).all(axis=1))):
        raise ValueError(
            f"logits of {broken} of {len(logits)} images are not finite: the training has diverged"
        )


def _check_array(name: str, array: Any, dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(
            f"{name} is {array.dtype.name} {list(array.shape)}; "
            f"expected: {np.dtype(dtype).name} {list(shape)}"
        )


def _check_labels(name: str, labels: npt.NDArray[Any], count: int, classes: int) -> None:
    _check_array(name, labels, np.int64, (count,))
    if not count:
        raise ValueError(f"{name} is empty; expected: 1 image or more")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"{name} holds labels from {labels.min()} to {labels.max()}; "
            f"allowed: 0 to {classes - 1} ({classes} classes)"
        )
