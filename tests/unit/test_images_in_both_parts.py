"""Test images that stand in the training set: counted, told, and a limit of the report."""

import json
from pathlib import Path

import pytest
from report_studies import in_both_languages
from synthetic import make_study

from data_studies import images_told, told_by
from image_trees import WRITERS, encoded, tree
from resnet_sizes.io.files import read_record
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.tensors import DatasetInfo


@pytest.mark.parametrize("container", ["folder", "zip", "tar.gz"])
def test_a_test_image_with_the_pixels_of_a_training_image_is_counted_and_told(
    tmp_path: Path, container: str
) -> None:
    files = tree()
    again = {
        "test/cat/again.png": files["train/cat/000.png"],
        "test/dog/under-another-class.png": files["train/cat/000.png"],
        "test/dog/as-grey-and-jpeg.jpg": encoded(900, format="JPEG", mode="L"),
        "train/dog/as-grey-and-jpeg.jpg": encoded(900, format="JPEG", mode="L"),
        # Twice in the same part is no leak.
        "train/dog/twice.png": files["train/dog/001.png"],
    }
    told, info = images_told(WRITERS[container]({**files, **again}, tmp_path / "images"))
    assert info is not None
    assert info.test_images_in_training == 3
    assert (
        "warning: 3 of 7 test images stand in the training set too, pixel for pixel" in told.words
    )


def test_where_none_stands_in_both_nothing_is_told(tmp_path: Path) -> None:
    told, info = images_told(WRITERS["zip"](tree(), tmp_path / "images.zip"))
    assert info is not None
    assert info.test_images_in_training == 0
    assert "warning" not in told.words


def test_only_the_images_of_the_subset_count(tmp_path: Path) -> None:
    files = tree()
    files |= {"test/cat/000.jpg": files["test/cat/001.jpg"]}
    files |= {f"train/cat/again-{number}.jpg": files["test/cat/000.jpg"] for number in range(3)}
    images = WRITERS["zip"](files, tmp_path / "images.zip")
    told, info = images_told(images, limit={"train": None, "test": 2})
    assert info is not None
    assert info.test_images_in_training == 1
    assert "warning: 1 of 2 test images" in told.words


def test_a_dataset_of_an_older_version_is_read_and_counts_none(tmp_path: Path) -> None:
    _, info = images_told(WRITERS["zip"](tree(), tmp_path / "images.zip"))
    assert info is not None
    new = {"checksum", "unordered_identity", "test_images_in_training"}
    older = info.model_copy(update={"checksum": None}).model_dump(mode="json", exclude=new)
    path = tmp_path / "dataset.json"
    path.write_text(json.dumps(older))
    read = read_record(path, DatasetInfo, "")
    assert (read.identity, read.test_images_in_training) == (info.identity, None)


@pytest.mark.parametrize(
    ("count", "pt", "en"),
    [
        (None, None, None),
        (0, None, None),
        (1, "- Uma das 10.000 imagens de teste está também,", "- One of the 10,000 test images"),
        (
            1234,
            "- Das 10.000 imagens de teste, 1.234 estão também, pixel por pixel,",
            "- Of the 10,000 test images, 1,234 stand, pixel for pixel,",
        ),
    ],
)
def test_they_are_a_limit_of_the_report_in_both_languages(
    tmp_path: Path, count: int | None, pt: str | None, en: str | None
) -> None:
    study = make_study(tmp_path, seeds=(0,))
    files = StudyFolder.of_file(study)
    data = json.loads(files.dataset_info.read_text(encoding="utf-8"))
    data |= {"test_images_in_training": count, "checksum": None}
    files.dataset_info.write_text(json.dumps(data), encoding="utf-8")
    assert told_by("evidence", study).status == 0
    texts = in_both_languages(read_inputs(study, files.evidence))
    for language, sentence in (("pt", pt), ("en", en)):
        assert ("pixel por pixel" in texts[language] or "pixel for pixel" in texts[language]) is (
            sentence is not None
        )
        assert sentence is None or sentence in texts[language]
