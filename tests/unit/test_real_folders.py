"""Folders and archives as phones, Macs, NAS boxes and downloads make them, by the command line."""

import io
import os
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from data_studies import images_told, told_by
from image_trees import WRITERS, Tree, as_folder, as_zip, encoded, tree
from resnet_sizes.schemas.run.tensors import read_dataset


def _refused(path: Path, **dataset: Any) -> str:
    told, info = images_told(path, **dataset)
    assert info is None
    assert told.status == 1
    assert "Traceback" not in told.words
    return told.words


def _progressive() -> bytes:
    target = io.BytesIO()
    Image.open(io.BytesIO(encoded(5))).save(target, "JPEG", progressive=True)
    content = target.getvalue()
    assert content.count(b"\xff\xda") > 1
    return content


def _with_segment(jpeg: bytes, marker: int, content: bytes) -> bytes:
    return (
        jpeg[:2]
        + bytes([0xFF, marker])
        + (len(content) + 2).to_bytes(2, "big")
        + content
        + jpeg[2:]
    )


SCANS = b"\xff\xda" * 101


@pytest.mark.parametrize(
    "change",
    [
        lambda jpeg: jpeg + SCANS + bytes(6 * 1024**2),
        lambda jpeg: jpeg + b"\x00\x00\x00\x18ftypmp42" + SCANS,  # a motion photo's film
        lambda jpeg: jpeg + encoded(8, format="JPEG") * 150,  # a burst
        lambda jpeg: _with_segment(jpeg, 0xE1, b"Exif\0\0" + SCANS),  # a preview
        lambda jpeg: _with_segment(jpeg, 0xFE, SCANS),
    ],
    ids=["zeros", "film", "burst", "preview", "comment"],
)
@pytest.mark.parametrize("kind", ["baseline", "progressive"])
def test_scans_of_a_jpeg_end_where_its_picture_ends(tmp_path: Path, change: Any, kind: str) -> None:
    plain = encoded(5, format="JPEG") if kind == "baseline" else _progressive()
    identities = set()
    for name, content in (("plain", plain), ("long", change(plain))):
        path = as_zip({**tree(), "train/cat/000.png": content}, tmp_path / name)
        told, info = images_told(path)
        assert info is not None, told.words
        identities.add(info.identity)
    assert len(identities) == 1


def _tar(folder: Path, target: Path, *options: str) -> Path:
    subprocess.run(["tar", *options, "-cf", target, "-C", folder, "."], check=True)
    return target


def _add_link(folder: Path) -> None:
    (folder / "train" / "cat" / "linked.png").symlink_to("000.png")


def _add_second_name(folder: Path) -> None:
    os.link(folder / "train" / "cat" / "000.png", folder / "train" / "cat" / "linked.png")


def _add_holes(folder: Path) -> None:
    with (folder / "train" / "cat" / "linked.png").open("wb") as file:
        file.write(encoded(9))
        file.truncate(1024**2)


@pytest.mark.skipif(shutil.which("zip") is None, reason="needs the command zip")
@pytest.mark.parametrize("add", [_add_link, _add_second_name, _add_holes])
def test_of_links_and_holes_in_an_archive_the_remedy_works(tmp_path: Path, add: Any) -> None:
    folder = as_folder(tree(), tmp_path / "images")
    add(folder)
    refused = [_tar(folder, tmp_path / "images.tar", "--sparse")]
    if add is _add_link:
        refused.append(_zip(folder, tmp_path / "links.zip", "-ry"))
    for path in refused:
        words = _refused(path).replace("000", "linked")
        assert "linked.png is a link, a sparse file or a device; allowed: files and fold" in words
        assert "Create the archive again by zip -r FILE.zip, which puts files there" in words
    info = images_told(_zip(folder, tmp_path / "images.zip", "-r"))[1]
    assert info is not None
    assert info.train_images == 7


def _zip(folder: Path, target: Path, option: str) -> Path:
    subprocess.run(["zip", "-q", option, target, "."], cwd=folder, check=True)
    return target


@pytest.mark.parametrize("container", ["folder", "zip", "tar.gz"])
def test_a_class_is_one_however_its_accents_are_written(tmp_path: Path, container: str) -> None:
    names = {"pássaro": "cat", "cão": "dog"}
    infos = []
    for number, forms in enumerate((("NFC", "NFC"), ("NFD", "NFD"), ("NFD", "NFC"))):
        form = dict(zip(("train", "test"), forms, strict=True))
        files = {
            f"{part}/{unicodedata.normalize(form[part], name)}/é{rest.rpartition('/')[2]}": content
            for whole, content in tree().items()
            for part, _, rest in [whole.partition("/")]
            for name, old in names.items()
            if rest.startswith(old)
        }
        path = WRITERS[container](files, tmp_path / f"images-{number}")
        told, info = images_told(path)
        assert info is not None, told.words
        infos.append(info)
    assert {tuple(info.class_names) for info in infos} == {("cão", "pássaro")}
    assert len({info.identity for info in infos}) == 1


def test_a_class_written_in_two_ways_within_a_part_is_one(tmp_path: Path) -> None:
    files: Tree = {
        **tree(classes=("cat", "dog")),
        unicodedata.normalize("NFC", "train/cão/1.png"): encoded(50),
        unicodedata.normalize("NFD", "train/cão/1.png"): encoded(51),
        unicodedata.normalize("NFD", "test/cão/1.png"): encoded(52),
    }
    told, info = images_told(as_zip(files, tmp_path / "images.zip"))
    assert info is not None, told.words
    assert info.class_names == ["cat", "cão", "dog"]
    assert info.train_images == 8


@pytest.mark.parametrize("beginning", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd"])
@pytest.mark.parametrize("suffix", ["tar.gz", "zip", "7z"])
def test_of_an_archive_of_another_format_the_allowed_ones_are_told(
    tmp_path: Path, beginning: bytes, suffix: str
) -> None:
    path = tmp_path / f"images.{suffix}"
    path.write_bytes(beginning + bytes(3000))
    words = _refused(path)
    assert f"{path}: is not a complete zip or tar archive (" in words
    assert "allowed: folders, zip, and tar, plain or with gzip, bzip2 or xz." in words
    assert "or unpack it and name the folder." in words


@pytest.mark.parametrize("container", ["folder", "zip", "tar.gz"])
def test_damaged_images_of_both_parts_are_named_at_once(tmp_path: Path, container: str) -> None:
    damaged = {
        "train/cat/000.png": encoded()[:200],
        "train/dog/001.png": encoded(format="GIF"),
        "test/cat/000.jpg": b"",
        "test/dog/001.jpg": encoded(size=(40, 30), format="JPEG"),
    }
    words = _refused(WRITERS[container]({**tree(), **damaged}, tmp_path / "images"))
    for name, problem in (
        ("train/cat/000.png", "is not a complete PNG or JPEG image ("),
        ("train/dog/001.png", "is not a complete PNG or JPEG image (its content is neither)."),
        ("test/cat/000.jpg", "is not a complete PNG or JPEG image ("),
        ("test/dog/001.jpg", "is 40×30 pixels; expected: 32×32."),
    ):
        assert f"{name}: {problem}" in words
    assert "BytesIO" not in words
    assert " 0x" not in words


def test_of_many_damaged_images_ten_are_named(tmp_path: Path) -> None:
    damaged = {f"train/cat/{number:03}.png": b"damaged" for number in range(13)}
    lines = _refused(as_folder({**tree(), **damaged}, tmp_path / "images")).splitlines()
    assert sum("is not a complete PNG" in line for line in lines) == 10
    assert lines[-1] == "… and 3 more."


def test_files_out_of_place_are_named_at_once(tmp_path: Path) -> None:
    strange = {"train/notes.docx": b"", "train/cat/clip.mov": b"", "test/dog/deep/1.png": b""}
    words = _refused(as_zip({**tree(), **strange}, tmp_path / "images.zip"))
    assert all(f"images.zip: {name} is " in words for name in strange)


def test_classes_that_do_not_fit_are_named_at_once(tmp_path: Path) -> None:
    strange = {"train/bird/1.png": encoded(), "train/deer": None, "test/frog/1.png": encoded()}
    words = _refused(as_folder({**tree(), **strange}, tmp_path / "images"))
    assert "class 'bird' is in train/ but not in test/." in words
    assert "class folder train/deer is empty." in words
    assert "class 'frog' is in test/ but not in train/." in words


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("train", "val"), "holds train/cat, train/dog, val/cat, val/dog"),
        (("Train", "Test"), "holds Test/cat, Test/dog, Train/cat, Train/dog"),
        (("data/Train", "data/val"), "holds data/Train, data/val"),
    ],
)
@pytest.mark.parametrize("container", ["folder", "zip"])
def test_parts_under_other_names_are_told_with_those_expected(
    tmp_path: Path, container: str, names: tuple[str, str], found: str
) -> None:
    files = {
        f"{names[name.startswith('test/')]}/{name.partition('/')[2]}": content
        for name, content in tree().items()
    }
    words = _refused(WRITERS[container](files, tmp_path / "images"))
    assert f"{found}; expected: train/<class>/<image> and test/<class>/<image>" in words
    assert "Arrange it so, or change dataset.path." in words


def test_where_there_is_a_test_set_validation_images_are_left_alone(tmp_path: Path) -> None:
    files = {**tree(), "val/cat/1.png": encoded(), "Train/dog/1.png": encoded()}
    assert images_told(as_zip(files, tmp_path / "images.zip"))[1] is not None


NOT_EXPANDED = "~ and variables such as $HOME are not expanded: write the whole path."
NOT_FETCHED = "Addresses are not fetched: download it, and name the file."


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("~/images", NOT_EXPANDED),
        ("~someone/images.zip", NOT_EXPANDED),
        ("$HOME/images", NOT_EXPANDED),
        ("data/${USER}/images", NOT_EXPANDED),
        ("%USERPROFILE%/images", NOT_EXPANDED),
        ("https://host/images.zip", NOT_FETCHED),
        ("s3://bucket/images", NOT_FETCHED),
        ("file:///data/images", NOT_FETCHED),
        ("nowhere.zip", ""),
        ("costs 5$/images", ""),
    ],
)
@pytest.mark.parametrize(
    "key",
    ["dataset.path", "downloads.folder", "article", "protocol_definitions.scratch-32.weights"],
)
def test_a_path_that_would_have_to_be_expanded_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, path: str, why: str
) -> None:
    for name in ("config", "articles"):
        shutil.copytree(Path(__file__).parents[2] / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    text: Any = path
    for part in reversed(key.split(".")):
        text = {part: text}
    if key == "dataset.path":
        text["dataset"]["source"] = "image-folder"
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(repr({"name": "tested", "protocols": ["scratch-32"], **text}))
    told = told_by("study", "write", overlay)
    if key == "downloads.folder" and not why:  # that is made where it is not there
        assert told.status == 0, told.words
        return
    assert told.status == 1
    assert f"error: {key}: " in told.words
    assert (NOT_EXPANDED in told.words, NOT_FETCHED in told.words) == (
        why == NOT_EXPANDED,
        why == NOT_FETCHED,
    )


def test_a_path_that_is_really_called_so_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config", "articles"):
        shutil.copytree(Path(__file__).parents[2] / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    as_folder(tree(), tmp_path / "~images")
    overlay = tmp_path / "overlay.yaml"
    dataset = {"source": "image-folder", "path": "~images"}
    overlay.write_text(repr({"name": "tested", "dataset": dataset}))
    assert told_by("study", "write", overlay).status == 0
    told = told_by("data", "results/tested/study.json")
    assert told.status == 0, told.words
    info, _ = read_dataset(tmp_path / "results" / "tested" / "data" / "dataset.safetensors")
    assert info.train_images == 6
