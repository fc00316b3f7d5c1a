"""The official CIFAR-10 format, and what is refused in its name."""

import pickle
import re
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar10_archive import (
    BATCHES,
    CLASS_NAMES,
    batch_contents,
    python2_pickle,
    write_archive,
)
from resnet_sizes.data.sources.cifar10 import Cifar10Source
from resnet_sizes.io.errors import UserError


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return tmp_path / "cifar-10-python.tar.gz"


def test_the_official_format_is_read(archive: Path) -> None:
    contents = batch_contents(images_per_batch=20)
    write_archive(archive, contents)
    source = Cifar10Source(archive)
    assert source.class_names == CLASS_NAMES
    train = np.concatenate([contents[name]["data"] for name in BATCHES[:5]])
    assert (
        source.images({"train": np.arange(100)})["train"].tolist()
        == train.reshape(-1, 3, 32, 32).tolist()
    )
    test = contents["test_batch"]["data"].reshape(-1, 3, 32, 32)
    assert source.images({"test": np.array([3, 17])})["test"].tolist() == test[[3, 17]].tolist()
    assert source.labels["train"].tolist() == [index % 10 for index in range(20)] * 5
    assert source.labels["test"].dtype == np.int64


def test_an_image_has_its_red_plane_first_and_goes_row_by_row(archive: Path) -> None:
    contents = batch_contents(images_per_batch=10)
    data = contents["test_batch"]["data"]
    data[0] = 0
    data[0, 33] = 200  # red, second row, second column
    data[0, 2048 + 31] = 100  # blue, first row, last column
    write_archive(archive, contents)
    image = Cifar10Source(archive).images({"test": np.array([0])})["test"][0]
    assert image[0, 1, 1] == 200
    assert image[2, 0, 31] == 100
    assert int(image.sum()) == 300


def test_a_column_major_array_is_read_as_numpy_would(archive: Path) -> None:
    contents = batch_contents()
    data = contents["test_batch"]["data"]
    contents["test_batch"]["data"] = np.asfortranarray(data)
    write_archive(archive, contents)
    images = Cifar10Source(archive).images({"test": np.arange(20)})["test"]
    assert images.tolist() == data.reshape(-1, 3, 32, 32).tolist()


def refusal(archive: Path, content: bytes) -> str:
    """What is said of an archive in which this is one of the batches."""
    write_archive(archive, raw={"test_batch": content})
    with pytest.raises(UserError) as error:
        Cifar10Source(archive)
    found = re.fullmatch(
        r"(.*): test_batch is not in the official format \((.*)\)\. "
        r"Copy or download the archive again\.",
        str(error.value),
    )
    assert found
    assert found[1] == str(archive)
    return found[2]


class _Exploit:
    """Makes the file named by `marker` when a plain unpickler loads it."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(archive: Path, tmp_path: Path) -> None:
    marker = tmp_path / "was-run"
    exploit = pickle.dumps({b"data": _Exploit(marker)}, protocol=2)
    pickle.loads(exploit)
    assert marker.exists(), "the exploit must work where nothing guards against it"
    marker.unlink()
    write_archive(archive, raw={"data_batch_3": exploit})
    with pytest.raises(UserError, match=r"data_batch_3 is not in the official format \(names "):
        Cifar10Source(archive)
    assert not marker.exists()


@pytest.mark.parametrize(
    "name",
    [
        b"os\nsystem",
        b"builtins\neval",
        b"numpy\nload",
        b"numpy\nndarray.tofile",
        b"numpy.core.multiarray\nfromfile",
        b"_codecs\nencode",
    ],
)
def test_names_that_the_batches_do_not_use_are_refused(archive: Path, name: bytes) -> None:
    assert "which the official batches do not" in refusal(archive, b"c" + name + b"\n.")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Ran out of input"),
        (b"not a pickle", "unpickling stack underflow|invalid load key"),
        (python2_pickle([1, 2]), "holds a list, not a dictionary"),
        (python2_pickle({"a": 1})[:-4], "truncated|Ran out of input"),
        (b"cnumpy\nndarray\n(tR.", "holds a _Recorded"),  # calls what is only an argument
        (b"cnumpy\ndtype\n}b.", "missing 1 required"),  # sets state on the stand-in itself
        (b"P1\n.", "persistent"),
    ],
)
def test_broken_pickles_are_refused(archive: Path, content: bytes, message: str) -> None:
    assert re.search(message, refusal(archive, content))


def _shorten_labels(contents: dict[str, Any]) -> None:
    contents["data_batch_2"]["labels"].pop()


def _raise_a_label(contents: dict[str, Any]) -> None:
    contents["test_batch"]["labels"][4] = 10


def _drop_an_image(contents: dict[str, Any]) -> None:
    contents["data_batch_5"]["data"] = contents["data_batch_5"]["data"][1:]


def _drop_data(contents: dict[str, Any]) -> None:
    del contents["data_batch_1"]["data"]


def _drop_a_name(contents: dict[str, Any]) -> None:
    contents["batches.meta"]["label_names"] = CLASS_NAMES[1:]


def _drop_a_batch(contents: dict[str, Any]) -> None:
    del contents["data_batch_4"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_shorten_labels, r"data_batch_2 .*\(labels are not 20 numbers from 0 to 9\)"),
        (_raise_a_label, r"test_batch .*\(labels are not 20 numbers from 0 to 9\)"),
        (_drop_an_image, r"data_batch_5 .*\(data is \(19, 3072\); expected: \(20, 3072\)\)"),
        (_drop_data, r"data_batch_1 .*\(data is None; expected: \(20, 3072\)\)"),
        (_drop_a_name, r"batches\.meta .*\(does not name 10 classes\)"),
        (_drop_a_batch, "lacks cifar-10-batches-py/data_batch_4"),
    ],
)
def test_an_archive_with_other_contents_is_refused(
    archive: Path, change: Any, message: str
) -> None:
    contents = batch_contents()
    change(contents)
    write_archive(archive, contents)
    with pytest.raises(UserError, match=message) as error:
        Cifar10Source(archive)
    assert str(error.value).startswith(str(archive))
    assert str(error.value).endswith("Copy or download the archive again.")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95, 0.9999])
def test_an_archive_that_was_cut_short_is_refused(archive: Path, keep: float) -> None:
    write_archive(archive)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        Cifar10Source(archive)


def test_another_archive_is_told_apart(archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as empty:
        empty.addfile(tarfile.TarInfo("something.txt"))
    with pytest.raises(UserError, match="so it is not CIFAR-10 in its version for Python"):
        Cifar10Source(archive)
