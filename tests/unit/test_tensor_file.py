"""The tensor files: what is written is read back, what was changed is refused."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.tensors import (
    DatasetArrays,
    DatasetInfo,
    dataset_identity,
    read_dataset,
    read_predictions,
    write_dataset,
    write_predictions,
)
from resnet_sizes.schemas.study.sources import DatasetSpec


def _arrays(train: int = 6, test: int = 4) -> DatasetArrays:
    random = np.random.default_rng(0)
    return DatasetArrays(
        train_images=random.integers(0, 256, (train, 3, 32, 32), dtype=np.uint8),
        train_labels=np.arange(train) % 2,
        test_images=random.integers(0, 256, (test, 3, 32, 32), dtype=np.uint8),
        test_labels=np.arange(test) % 2,
    )


def _info(arrays: DatasetArrays) -> DatasetInfo:
    return DatasetInfo(
        spec=DatasetSpec(source="digits"),
        content="digits",
        class_names=["zero", "um"],
        train_images=len(arrays.train_labels),
        test_images=len(arrays.test_labels),
        full_train_images=len(arrays.train_labels),
        full_test_images=len(arrays.test_labels),
        identity=dataset_identity(arrays),
        source_file=None,
        source_sha256=None,
    )


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    path = tmp_path / "results" / "tested" / "data" / "dataset.safetensors"
    arrays = _arrays()
    write_dataset(path, _info(arrays), arrays)
    return path


def _rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the tensors of a file but keep its metadata."""
    tensors = load_file(path)
    with safe_open(path, framework="numpy") as opened:
        metadata = opened.metadata()
    change(tensors)
    save_file(tensors, path, metadata=metadata)


def test_a_dataset_is_read_as_it_was_written(dataset: Path) -> None:
    info, arrays = read_dataset(dataset)
    expected = _arrays()
    assert info == _info(expected)
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(arrays, name), getattr(expected, name))
        assert getattr(arrays, name).dtype == getattr(expected, name).dtype


def test_equal_datasets_are_written_as_equal_bytes(dataset: Path, tmp_path: Path) -> None:
    arrays = _arrays()
    write_dataset(tmp_path / "again", _info(arrays), arrays)
    assert (tmp_path / "again").read_bytes() == dataset.read_bytes()


def _flip_a_pixel(tensors: dict[str, Any]) -> None:
    tensors["test_images"][1, 2, 3, 4] ^= 1


def _swap_two_labels(tensors: dict[str, Any]) -> None:
    tensors["train_labels"][:2] = tensors["train_labels"][1::-1].copy()


def _raise_a_label(tensors: dict[str, Any]) -> None:
    tensors["train_labels"][0] = 2


def _drop_an_image(tensors: dict[str, Any]) -> None:
    tensors["train_images"] = tensors["train_images"][1:]


def _widen_the_pixels(tensors: dict[str, Any]) -> None:
    tensors["train_images"] = tensors["train_images"].astype(np.float32)


def _drop_a_tensor(tensors: dict[str, Any]) -> None:
    del tensors["test_labels"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_flip_a_pixel, "pixels or labels have been changed"),
        (_swap_two_labels, "pixels or labels have been changed"),
        (_raise_a_label, r"labels from 0 to 2; allowed: 0 to 1 \(2 classes\)"),
        (_drop_an_image, r"train_images is uint8 \[5, 3, 32, 32\]; expected: uint8 \[6, "),
        (_widen_the_pixels, r"train_images is float32 .*; expected: uint8"),
        (_drop_a_tensor, "holds test_images, train_images, train_labels; expected: "),
    ],
)
def test_a_changed_dataset_is_refused_with_the_remedy(
    dataset: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    _rewrite(dataset, change)
    with pytest.raises(UserError, match=message) as error:
        read_dataset(dataset)
    assert str(dataset) in str(error.value)
    study = dataset.parents[1] / "study.json"
    assert str(error.value).endswith(f"resnet-sizes data {study}")


@pytest.mark.parametrize("keep", [0, 5, 100, 0.5, 0.99])
def test_a_dataset_that_was_cut_short_is_refused(dataset: Path, keep: float) -> None:
    content = dataset.read_bytes()
    dataset.write_bytes(content[: int(keep if keep >= 1 else keep * len(content))])
    with pytest.raises(UserError, match="is damaged"):
        read_dataset(dataset)


def test_a_missing_dataset_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_dataset(tmp_path / "data" / "dataset.safetensors")


def test_a_tensor_file_of_another_program_is_refused(dataset: Path) -> None:
    save_file(load_file(dataset), dataset, metadata={"format": "pt"})
    with pytest.raises(UserError, match="no valid dataset_info"):
        read_dataset(dataset)


def test_a_dataset_unlike_its_info_is_not_written(tmp_path: Path) -> None:
    arrays = _arrays()
    with pytest.raises(ValueError, match="train_images is uint8"):
        write_dataset(tmp_path / "file", _info(arrays), replace(arrays, **vars(_arrays(train=8))))
    assert list(tmp_path.iterdir()) == []


def test_the_identity_depends_on_shape_and_place_not_on_memory_layout() -> None:
    arrays = _arrays(train=4, test=4)
    swapped = DatasetArrays(
        arrays.test_images, arrays.test_labels, arrays.train_images, arrays.train_labels
    )
    assert dataset_identity(swapped) != dataset_identity(arrays)
    elsewhere = replace(
        arrays,
        train_images=np.asfortranarray(arrays.train_images),
        train_labels=arrays.train_labels.astype(">i8"),
    )
    assert dataset_identity(elsewhere) == dataset_identity(arrays)


@given(st.integers(0, 4 * 3 * 32 * 32 - 1), st.integers(1, 255))
def test_any_changed_pixel_changes_the_identity(position: int, difference: int) -> None:
    arrays = _arrays(train=4)
    images = arrays.train_images.copy()
    images.reshape(-1)[position] ^= difference
    assert dataset_identity(replace(arrays, train_images=images)) != dataset_identity(arrays)


def _predictions() -> tuple[Any, Any]:
    return np.arange(12, dtype=np.float32).reshape(4, 3), np.array([0, 1, 2, 0])


def test_predictions_are_read_as_they_were_written(tmp_path: Path) -> None:
    logits, labels = _predictions()
    write_predictions(tmp_path / "file", logits, labels)
    read_logits, read_labels = read_predictions(tmp_path / "file")
    np.testing.assert_array_equal(read_logits, logits)
    np.testing.assert_array_equal(read_labels, labels)


def _make_infinite(tensors: dict[str, Any]) -> None:
    tensors["logits"][2, 1] = np.inf


def _drop_a_label(tensors: dict[str, Any]) -> None:
    tensors["labels"] = tensors["labels"][1:]


def _flatten(tensors: dict[str, Any]) -> None:
    tensors["logits"] = tensors["logits"].reshape(-1)


def _lower_a_label(tensors: dict[str, Any]) -> None:
    tensors["labels"][0] = -1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_make_infinite, "logits of 1 of 4 images are not finite"),
        (_drop_a_label, r"labels is int64 \[3\]; expected: int64 \[4\]"),
        (_flatten, r"logits has shape \[12\]"),
        (_lower_a_label, "labels from -1 to 2; allowed: 0 to 2"),
    ],
)
def test_changed_predictions_are_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    path = tmp_path / "predictions.safetensors"
    write_predictions(path, *_predictions())
    _rewrite(path, change)
    with pytest.raises(UserError, match=message) as error:
        read_predictions(path)
    assert "run snakemake again" in str(error.value)


def test_predictions_of_a_diverged_run_are_not_written(tmp_path: Path) -> None:
    logits, labels = _predictions()
    logits[0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        write_predictions(tmp_path / "file", logits, labels)
    assert list(tmp_path.iterdir()) == []


def test_it_may_be_read_by_whoever_may_read_other_files(dataset: Path) -> None:
    (dataset.parent / "other").touch()
    assert dataset.stat().st_mode == (dataset.parent / "other").stat().st_mode


def test_a_full_disk_is_told_with_its_file(tmp_path: Path) -> None:
    # Written for real: a file may not grow beyond the limit, as on a full disk.
    code = (
        "import resource, sys; from pathlib import Path; import numpy as np;"
        "from resnet_sizes.schemas.run.tensors import write_predictions;"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "write_predictions(Path(sys.argv[1]), np.zeros((999, 10), np.float32),"
        " np.zeros(999, np.int64))"
    )
    path = tmp_path / "predictions.safetensors"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert f"WriteError: {path}: cannot be written" in done.stderr
    assert list(tmp_path.iterdir()) == []
