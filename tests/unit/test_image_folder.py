"""Images in folders and archives: what is read, in which order, and what is refused."""

import io
import os
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from image_trees import WRITERS, as_folder, as_tar, as_zip, encoded, tree
from resnet_sizes.data.archives import Folder
from resnet_sizes.data.sources import image_folder
from resnet_sizes.data.sources.image_folder import ImageFolderSource, decode
from resnet_sizes.data.sources.source import PARTS
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.tensors import DatasetArrays, dataset_identity

Writer = Callable[[Any, Path], Path]


@pytest.fixture(params=["folder", "zip", "tar.gz"])
def write(request: pytest.FixtureRequest) -> Writer:
    return WRITERS[request.param]


def _read(path: Path, resize: bool = False) -> tuple[list[str], DatasetArrays]:
    source = ImageFolderSource(path, resize)
    images = source.images({part: np.arange(len(source.labels[part])) for part in PARTS})
    arrays = {f"{part}_images": images[part] for part in PARTS}
    arrays |= {f"{part}_labels": source.labels[part] for part in PARTS}
    return source.class_names, DatasetArrays(**arrays)  # type: ignore[arg-type]


def _pixels(content: bytes) -> Any:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).transpose(2, 0, 1)


def test_images_come_by_class_and_name(tmp_path: Path, write: Writer) -> None:
    files = tree(train=2, test=1)
    names, arrays = _read(write(files, tmp_path / "images"))
    assert names == ["cat", "dog"]
    assert arrays.train_labels.tolist() == [0, 0, 1, 1]
    order = ["train/cat/000.png", "train/cat/001.png", "train/dog/000.png", "train/dog/001.png"]
    for image, name in zip(arrays.train_images, order, strict=True):
        np.testing.assert_array_equal(image, _pixels(files[name] or b""))
    np.testing.assert_array_equal(arrays.test_images[1], _pixels(files["test/dog/000.jpg"] or b""))


def test_the_identity_is_the_same_from_a_folder_and_from_every_archive(tmp_path: Path) -> None:
    files = tree()
    backwards = dict(reversed(files.items()))
    below_a_folder = {f"my images/{name}": content for name, content in files.items()}
    with_dots = {f"./{name}": content for name, content in files.items()}
    identities = {
        dataset_identity(_read(writer(variant, tmp_path / f"{name}{number}"))[1])
        for name, writer in WRITERS.items()
        for number, variant in enumerate((files, backwards, below_a_folder, with_dots))
    }
    assert len(identities) == 1


def test_what_operating_systems_add_is_ignored(tmp_path: Path, write: Writer) -> None:
    files = tree()
    clutter = dict.fromkeys(
        (
            "__MACOSX/train/cat/._000.png",
            ".DS_Store",
            "train/.DS_Store",
            "train/cat/.hidden.png",
            "test/dog/Thumbs.db",
            "train/dog/thumbs.db",
            "train/@eaDir/cat/000.png/SYNOPHOTO_THUMB_M.jpg",
            "test/dog/@eaDir/000.jpg",
            "train/cat/Desktop.INI",
            "train/cat/Icon\r",
            "$RECYCLE.BIN/train/cat/000.png",
            "#recycle/test/cat/000.jpg",
            "lost+found/000.png",
            "README.txt",
        ),
        b"clutter",
    )
    plain = _read(write(files, tmp_path / "plain"))[1]
    cluttered = _read(write({**clutter, **files}, tmp_path / "cluttered"))[1]
    assert dataset_identity(cluttered) == dataset_identity(plain)


def test_only_the_images_asked_for_are_decoded(tmp_path: Path, write: Writer) -> None:
    files = {**tree(), "train/dog/001.png": b"broken"}
    source = ImageFolderSource(write(files, tmp_path / "images"), resize=False)
    images = source.images({"train": np.array([5, 0])})["train"]
    np.testing.assert_array_equal(images[0], _pixels(files["train/dog/002.png"] or b""))
    np.testing.assert_array_equal(images[1], _pixels(files["train/cat/000.png"] or b""))
    with pytest.raises(UserError, match=r"train/dog/001\.png: is not a complete PNG or JPEG"):
        source.images({"train": np.array([4])})["train"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train/cat/9.png": encoded(size=(33, 32))}, r"train/cat/9\.png: is 33×32 pixels"),
        ({"test/dog/9.gif": b"GIF89a"}, r"test/dog/9\.gif is not an image by its name"),
        ({"test/dog/9.png": encoded(format="GIF")}, r"test/dog/9\.png: is not a complete PNG"),
        ({"test/dog/9.png": encoded()[:200]}, r"test/dog/9\.png: is not a complete PNG"),
        ({"test/dog/9.png": b""}, r"test/dog/9\.png: is not a complete PNG"),
        ({"train/bird": None, "test/bird": None}, "class folder train/bird is empty"),
        ({"train/bird/.hidden": b""}, "class folder train/bird is empty"),
        ({"train/bird/1.png": encoded()}, "class 'bird' is in train/ but not in test/"),
        ({"test/bird/1.png": encoded()}, "class 'bird' is in test/ but not in train/"),
        ({"train/1.png": encoded()}, r"train/1\.png is out of place; expected: train/<class>"),
        ({"train/cat/more/1.png": encoded()}, r"train/cat/more.* is out of place"),
        ({"train/cat\nfoo/1.png": encoded()}, r"cat\\nfoo has a name that cannot be printed"),
    ],
)
def test_a_tree_with_something_wrong_is_refused_by_name(
    tmp_path: Path, write: Writer, change: dict[str, bytes | None], message: str
) -> None:
    path = write({**tree(), **change}, tmp_path / "images")
    with pytest.raises(UserError, match=message) as error:
        _read(path)
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"holds no folder; expected: train/<class>/<image>"),
        ({"pictures/cat/1.png": encoded()}, r"holds pictures/cat; expected: "),
        ({"a/train/cat/1.png": b"", "b/test/cat/1.png": b""}, r"holds a/train, b/test; expected: "),
        ({"train/cat/1.png": encoded()}, r"holds train/cat; expected: "),
        ({"test/cat/1.png": encoded(), "train": None}, r"has no class folders in train/"),
        (tree(classes=("cat",)), r"has one class only, 'cat'; needed: 2 or more"),
    ],
)
def test_another_arrangement_is_refused_with_the_expected_one(
    tmp_path: Path, write: Writer, files: dict[str, bytes | None], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        _read(write(files, tmp_path / "images"))


def test_images_of_other_sizes_are_resized_on_request(tmp_path: Path, write: Writer) -> None:
    large = encoded(7, size=(80, 64))
    files = {**tree(), "train/cat/000.png": large}
    path = write(files, tmp_path / "images")
    with pytest.raises(UserError, match=r"expected: 32×32\. Set dataset\.resize to true"):
        _read(path)
    arrays = _read(path, resize=True)[1]
    expected = Image.open(io.BytesIO(large)).resize((32, 32), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(arrays.train_images[0].transpose(1, 2, 0), np.asarray(expected))
    # Images that have the size already are left as they are.
    np.testing.assert_array_equal(
        arrays.train_images[1], _pixels(files["train/cat/001.png"] or b"")
    )


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "I;16", "CMYK"])
def test_every_mode_becomes_rgb(mode: str) -> None:
    grey = np.tile(np.arange(0, 256, 8, dtype=np.uint8), (32, 1))
    image = Image.fromarray(grey)
    if mode == "I;16":
        image = Image.fromarray(grey.astype(np.uint16) * 257)
    elif mode == "CMYK":
        image = image.convert("RGB").convert("CMYK")
    else:
        image = image.convert(mode)
    target = io.BytesIO()
    image.save(target, "JPEG" if mode == "CMYK" else "PNG", quality=100)  # for JPEG only
    pixels = decode(target.getvalue(), "image", resize=False)
    assert pixels.shape == (32, 32, 3)
    assert pixels.dtype == np.uint8
    if mode != "1":
        difference = pixels.astype(int) - grey[:, :, None]
        assert abs(difference).max() <= (4 if mode == "CMYK" else 0)


def test_a_palette_with_transparency_is_read_without_a_warning() -> None:
    image = Image.new("P", (32, 32), 3)
    image.putpalette([level for level in range(256) for _ in range(3)])
    target = io.BytesIO()
    image.save(target, "PNG", transparency=bytes([0, 100, 200, 128]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(target.getvalue(), "image", resize=False)[0, 0].tolist() == [3, 3, 3]


def test_too_many_pixels_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9000)  # Pillow errs beyond twice that
    files = {**tree(), "train/cat/000.png": encoded(size=(150, 150))}
    path = as_folder(files, tmp_path / "images")
    with pytest.raises(UserError, match=r"train/cat/000\.png: .* \(Image size .* exceeds limit of"):
        _read(path, resize=True)


def test_a_picture_of_which_pillow_warns_is_judged_by_our_own_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9000)
    decode(encoded(size=(100, 100)), "image", resize=True)


def test_an_image_beyond_our_own_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_folder, "MAX_PIXELS", 10_000)
    decode(encoded(size=(100, 100)), "image", resize=True)
    with pytest.raises(UserError, match=r"too many pixels \(100×101\); allowed: 10000"):
        decode(encoded(size=(100, 101)), "image", resize=True)


def test_a_bomb_that_claims_more_pixels_than_it_has_takes_no_memory() -> None:
    content = bytearray(encoded())
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match="exceeds limit of"):
            decode(bytes(content), "image", resize=True)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_side_without_end_is_refused() -> None:
    target = io.BytesIO()
    Image.new("1", (1, 2_000_000)).save(target, "PNG")
    with pytest.raises(UserError, match=r"1×2000000.* 65535 a side"):
        decode(target.getvalue(), "image", resize=True)


def test_an_animated_image_is_refused() -> None:
    target = io.BytesIO()
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    frames[0].save(target, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(UserError, match="image: is animated; allowed: one picture"):
        decode(target.getvalue(), "image", resize=False)


@pytest.mark.parametrize("format", ["GIF", "BMP", "WEBP", "TIFF", "PPM"])
def test_other_formats_under_the_name_of_an_image_are_refused(format: str) -> None:
    with pytest.raises(UserError, match="is not a complete PNG or JPEG image"):
        decode(encoded(format=format), "image", resize=False)


@pytest.mark.parametrize("format", ["PNG", "JPEG"])
@pytest.mark.parametrize("keep", [0.0, 0.05, 0.5, 0.95])
def test_an_image_that_was_cut_short_is_refused(format: str, keep: float) -> None:
    content = encoded(format=format)
    with pytest.raises(UserError, match="is not a complete PNG or JPEG image"):
        decode(content[: int(keep * len(content))], "image", resize=False)


def test_a_link_in_a_folder_is_followed_but_a_pipe_is_refused(tmp_path: Path) -> None:
    folder = as_folder(tree(), tmp_path / "images")
    real = folder / "train" / "cat"
    real.rename(tmp_path / "elsewhere")
    real.symlink_to(tmp_path / "elsewhere")
    assert len(_read(folder)[1].train_labels) == 6
    os.mkfifo(folder / "test" / "dog" / "pipe.png")
    with pytest.raises(UserError, match=r"pipe\.png: is not a regular file"):
        _read(folder)


def test_a_folder_that_links_to_itself_ends(tmp_path: Path) -> None:
    folder = as_folder(tree(), tmp_path / "images")
    (folder / "train" / "cat" / "loop").symlink_to(folder)
    assert max(len(entry.parts) for entry in Folder(folder).entries()) == 5
    with pytest.raises(UserError, match="train/cat/loop is out of place"):
        _read(folder)


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.tar.gz"
    path.write_text("<html>not found</html>" * 100)
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        _read(path)


def test_a_pipe_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "images.zip")
    with pytest.raises(UserError, match=r"images\.zip: is not a regular file"):
        _read(tmp_path / "images.zip")


def test_writers_of_the_tests_differ(tmp_path: Path) -> None:
    """Guards the comparison above: the archives are what their names say."""
    assert as_zip(tree(), tmp_path / "a").read_bytes()[:2] == b"PK"
    assert as_tar(tree(), tmp_path / "b", "xz").read_bytes()[1:5] == b"7zXZ"
