"""From a study to its tensor file, with every source, and the two commands."""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from cifar10_archive import CLASS_NAMES, write_archive
from data_studies import study_on
from image_trees import as_folder, as_tar, as_zip, tree
from local_server import refused_address
from resnet_sizes.cli.data import data as data_command
from resnet_sizes.cli.data import fetch as fetch_command
from resnet_sizes.data import fetch
from resnet_sizes.data.fingerprint import fingerprint
from resnet_sizes.data.prepare import prepare_dataset
from resnet_sizes.data.sources.digits import DigitsSource
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.run.tensors import DatasetArrays, DatasetInfo, read_dataset
from resnet_sizes.schemas.study.sources import Cifar10Download
from resnet_sizes.schemas.study.study import Study

SRC = Path(__file__).parents[2] / "src"


def _prepared(study: Study, folder: Path) -> tuple[DatasetInfo, DatasetArrays]:
    """Prepare a study; what is returned, written as JSON, and in the tensor file must agree."""
    dataset, info_file = folder / "dataset.safetensors", folder / "dataset.json"
    returned = prepare_dataset(study, dataset, info_file)
    info, arrays = read_dataset(dataset)
    assert info == returned == read_record(info_file, DatasetInfo, "")
    return info, arrays


def test_digits_are_whole_stratified_and_always_the_same(tmp_path: Path) -> None:
    info, arrays = _prepared(study_on({"source": "digits"}), tmp_path)
    assert info.train_images + info.test_images == 1797
    assert info.test_images / 1797 == pytest.approx(0.2, abs=0.01)
    assert info.class_names == [str(digit) for digit in range(10)]
    assert (info.content, info.source_file, info.is_subset) == ("digits", None, False)
    train = np.bincount(arrays.train_labels)
    shares = train / (train + np.bincount(arrays.test_labels))
    assert shares.min() > 0.79
    assert shares.max() < 0.82


def test_digits_are_the_levels_of_scikit_learn_on_three_equal_channels() -> None:
    source = DigitsSource()
    (image,) = source.images({"train": np.array([0])})["train"]
    assert image.min() == 0
    assert image.max() > 200
    assert (image == image[0]).all()
    # Bilinear enlargement by 4 keeps the mean of each 4×4 block near its level.
    levels = np.rint(load_digits().images[0] * 255 / 16)
    blocks = image[0].reshape(8, 4, 8, 4).mean(axis=(1, 3))
    assert np.corrcoef(blocks.ravel(), levels.ravel())[0, 1] > 0.97


def test_no_digit_is_in_both_parts() -> None:
    source = DigitsSource()
    every = {part: np.arange(len(labels)) for part, labels in source.labels.items()}
    both = [image.tobytes() for images in source.images(every).values() for image in images]
    assert len(set(both)) == len(both) == len(load_digits().images)


def _cifar10_study(path: Path, **dataset: Any) -> Study:
    entries = write_archive(path)
    return study_on(
        {"source": "cifar10", "path": str(path), **dataset}, {"cifar10": {**entries, "mirrors": []}}
    )


def test_cifar10_is_prepared_from_its_archive(tmp_path: Path) -> None:
    archive = tmp_path / "copy.tar.gz"
    info, arrays = _prepared(_cifar10_study(archive), tmp_path / "data")
    assert info.class_names == CLASS_NAMES
    assert (info.train_images, info.test_images, info.is_subset) == (100, 20, False)
    assert info.source_file == "copy.tar.gz"
    assert info.source_sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert arrays.train_images.shape == (100, 3, 32, 32)


def test_only_the_published_checksum_makes_it_the_official_cifar10(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = _cifar10_study(tmp_path / "copy.tar.gz")
    assert _prepared(study, tmp_path / "data")[0].content == "other"
    monkeypatch.setattr(fetch, "Downloads", lambda: study.downloads)
    assert _prepared(study, tmp_path / "data")[0].content == "cifar10"


def test_the_published_checksum_is_the_default() -> None:
    assert Cifar10Download().md5 == "c58f30108f718f92721af3b95e74349a"
    assert Cifar10Download().bytes == 170_498_071


def test_an_archive_that_was_not_fetched_stops_with_the_command(tmp_path: Path) -> None:
    study = study_on({"source": "cifar10"}, {"folder": str(tmp_path / "downloads")})
    with pytest.raises(UserError, match=r"Run: resnet-sizes fetch results/tested/study\.json"):
        prepare_dataset(study, tmp_path / "d.safetensors", tmp_path / "d.json")
    assert list(tmp_path.iterdir()) == []


def test_a_limit_takes_a_balanced_subset_of_the_same_images(tmp_path: Path) -> None:
    path = tmp_path / "copy.tar.gz"
    full = _prepared(_cifar10_study(path), tmp_path / "full")[1]
    limit = {"limit": {"train": 30, "test": 10}}
    info, arrays = _prepared(_cifar10_study(path, **limit), tmp_path / "subset")
    assert (info.train_images, info.test_images, info.is_subset) == (30, 10, True)
    assert (info.full_train_images, info.full_test_images) == (100, 20)
    assert np.bincount(arrays.train_labels).tolist() == [3] * 10
    labels = {
        image.tobytes(): label
        for image, label in zip(full.train_images, full.train_labels, strict=True)
    }
    for image, label in zip(arrays.train_images, arrays.train_labels, strict=True):
        assert labels[image.tobytes()] == label
    other = _prepared(_cifar10_study(path, subset_seed=1, **limit), tmp_path / "other")[0]
    assert other.identity != info.identity


def test_a_folder_and_its_archives_give_the_same_identity_also_as_a_subset(
    tmp_path: Path,
) -> None:
    files = tree(train=6, test=3)
    places = [
        as_folder(files, tmp_path / "folder"),
        as_zip(files, tmp_path / "images.zip"),
        as_tar(files, tmp_path / "images.tar.gz"),
    ]
    infos = [
        _prepared(
            study_on(
                {
                    "source": "image-folder",
                    "path": str(place),
                    "content": "cifar10-reencoded",
                    "limit": {"train": 5, "test": 4},
                }
            ),
            tmp_path / f"data{number}",
        )[0]
        for number, place in enumerate(places)
    ]
    assert len({info.identity for info in infos}) == 1
    assert [info.source_file for info in infos] == ["folder", "images.zip", "images.tar.gz"]
    assert infos[0].source_sha256 == fingerprint(places[0])
    assert infos[1].source_sha256 == hashlib.sha256(places[1].read_bytes()).hexdigest()
    assert {info.content for info in infos} == {"cifar10-reencoded"}


def test_real_jpeg_images_are_read_quickly(cifar10_jpeg: Path, tmp_path: Path) -> None:
    study = study_on(
        {
            "source": "image-folder",
            "path": str(cifar10_jpeg),
            "content": "cifar10-reencoded",
            "limit": {"train": 1000, "test": 200},
        }
    )
    started = time.monotonic()
    info, arrays = _prepared(study, tmp_path)
    assert time.monotonic() - started < 15
    assert info.class_names == CLASS_NAMES
    assert (info.full_train_images, info.full_test_images) == (50_000, 10_000)
    assert np.bincount(arrays.train_labels).tolist() == [100] * 10
    # CIFAR-10's published channel means are 125.3, 123.0 and 113.9.
    means = arrays.train_images.mean(axis=(0, 2, 3))
    np.testing.assert_allclose(means, [125.3, 123.0, 113.9], atol=6)


def _study_file(folder: Path, study: Study) -> Path:
    path = StudyFolder(folder / "results" / study.name).study
    write_json(path, StudyFile(study_hash=content_hash(study), study=study))
    return path


def test_the_commands_print_where_things_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study_file = _study_file(tmp_path, _cifar10_study(tmp_path / "copy.tar.gz"))
    fetch_command(study_file)
    assert capsys.readouterr().out == f"{tmp_path / 'copy.tar.gz'}\n"
    data_command(study_file)
    folder = StudyFolder.of_file(study_file)
    assert capsys.readouterr().out == f"{folder.dataset}\n"
    assert read_dataset(folder.dataset)[0].train_images == 100
    assert json.loads(folder.dataset_info.read_text())["class_names"] == CLASS_NAMES


def test_fetch_says_that_digits_need_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch_command(_study_file(tmp_path, study_on({"source": "digits"})))
    assert capsys.readouterr().out == ""


def test_a_missing_study_file_says_how_to_make_it(tmp_path: Path) -> None:
    for command in (fetch_command, data_command):
        with pytest.raises(UserError, match=r"no such file.*resnet-sizes study write"):
            command(tmp_path / "study.json")


def test_without_a_network_fetch_fails_in_seconds_and_its_log_says_what_to_do(
    tmp_path: Path,
) -> None:
    downloads = {
        "folder": str(tmp_path / "downloads"),
        "allow_http": True,
        "cifar10": {"mirrors": [refused_address()], "origin": refused_address()},
    }
    study_file = _study_file(tmp_path, study_on({"source": "cifar10"}, downloads))
    log = tmp_path / "logs" / "fetch.log"
    started = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-m", "resnet_sizes", "--log", str(log), "fetch", str(study_file)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"NO_PROXY": "127.0.0.1", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(SRC)},
    )
    assert time.monotonic() - started < 20
    assert finished.returncode == 1
    for text in (finished.stderr, log.read_text(encoding="utf-8")):
        assert "connection refused" in text.lower()
        assert str(tmp_path / "downloads" / "cifar-10-python.tar.gz") in text
        assert "c58f30108f718f92721af3b95e74349a" in text
        assert "--configfile config/demo.yaml" in text
        assert "Traceback" not in text
