"""The fingerprint of somebody's own images follows what is read of them, and nothing else."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cifar10_archive import batch_contents, python2_pickle
from resnet_sizes.data.fingerprint import KNOWN, fingerprint
from resnet_sizes.io.errors import UserError


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose training images lie elsewhere, behind a link."""
    monkeypatch.chdir(tmp_path)
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            folder = tmp_path / "real" / part / name
            folder.mkdir(parents=True)
            for number in range(2):
                Image.new("RGB", (32, 32), (number, 0, 0)).save(folder / f"{number}.png")
    images = tmp_path / "images"
    images.mkdir()
    (images / "train").symlink_to(tmp_path / "real/train")
    shutil.copytree(tmp_path / "real/test", images / "test")
    return images


def new_times(images: Path) -> None:
    for path in images.rglob("*"):
        os.utime(path, (1, 1))


def copied(images: Path) -> None:
    shutil.copytree(images, images.with_name("copy"))
    shutil.rmtree(images)
    images.with_name("copy").rename(images)


@pytest.mark.parametrize(
    "change",
    [
        new_times,
        copied,
        lambda images: (images / ".DS_Store").touch(),
        lambda images: (images / "train/cat/Thumbs.db").touch(),
        lambda images: (images / "notes.txt").write_text("beside train and test"),
        lambda _: shutil.rmtree(KNOWN.parent),
    ],
)
def test_it_stays_where_no_image_has_changed(images: Path, change: Callable[[Path], object]):
    before = fingerprint(images)
    change(images)
    assert fingerprint(images) == before


def edited_in_place(image: Path) -> None:
    """As many bytes, at the time of before."""
    status = image.stat()
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    os.utime(image, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda images: edited_in_place(images / "train/cat/1.png"),
        lambda images: (images / "train/cat/1.png").unlink(),
        lambda images: (images / "test/dog/1.png").rename(images / "test/dog/3.png"),
        lambda images: shutil.copy(images / "test/dog/1.png", images / "test/cat/9.png"),
    ],
)
def test_it_changes_with_every_image_behind_a_link_too(
    images: Path, change: Callable[[Path], object]
):
    before = fingerprint(images)
    change(images)
    assert fingerprint(images) != before


def test_a_file_is_known_by_its_content_and_read_again_only_when_it_was_touched(
    images: Path, monkeypatch: pytest.MonkeyPatch
):
    file = images / "test/cat/0.png"
    before = fingerprint(file)
    with monkeypatch.context() as patched:
        patched.setattr("resnet_sizes.data.fingerprint.file_hash", lambda _: pytest.fail("read"))
        assert fingerprint(file) == before
    os.utime(file, (1, 1))
    assert fingerprint(file) == before
    edited_in_place(file)
    assert fingerprint(file) != before


def test_a_folder_without_images_is_refused_before_anything_is_planned(tmp_path: Path):
    with pytest.raises(UserError, match="expected: train/<class>/<image>"):
        fingerprint(tmp_path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.symlink_to("nowhere.png"), "cannot be read (No such file or directory)"),
        (lambda path: path.symlink_to(path.name), "cannot be read (Too many levels of symbolic"),
        (os.mkfifo, "is not a regular file"),
    ],
)
def test_what_is_no_file_is_named_and_blocks_nothing(
    images: Path, make: Callable[[Path], object], said: str
):
    path = next(images.glob("train/*")) / "odd.png"
    make(path)
    with pytest.raises(UserError) as refused:
        fingerprint(images)
    assert str(refused.value).startswith(f"{path}: {said}")


def test_it_is_computed_where_nothing_can_be_written(images: Path):
    before = fingerprint(images)
    shutil.rmtree(KNOWN)
    KNOWN.write_text("in the way")
    assert fingerprint(images) == before


def test_of_unpacked_batches_each_one_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name, content in batch_contents(10).items():
        (folder / name).write_bytes(python2_pickle(content))
    before = fingerprint(folder)
    (folder / "readme.html").write_text("not read")
    assert fingerprint(folder) == before
    (folder / "data_batch_3").write_bytes(b"damaged")
    assert fingerprint(folder) != before
