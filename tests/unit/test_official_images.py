"""How the official CIFAR-10 is recognised without its archive, tried on a small made-up one."""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import CIFAR10

from cifar10_archive import BATCHES, CLASS_NAMES, batch_contents, write_archive
from data_studies import Told, images_told, study_file_on, told_by
from image_trees import WRITERS, as_folder, as_zip, tree
from local_server import refused_address
from resnet_sizes.data import fetch, official, prepare
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.sources import Downloads

PER_BATCH = 20


@dataclass
class Official:
    """The made-up official data, packed, unpacked and as pictures."""

    folder: Path
    entries: dict[str, Any]

    @property
    def archive(self) -> Path:
        return self.folder / "cifar-10-python.tar.gz"

    @property
    def unpacked(self) -> Path:
        return self.folder / "cifar-10-batches-py"

    def ship(self, identity: str | None) -> None:
        """Make it the official data of this installation, with or without the identity."""
        files = {path.name: path.read_bytes() for path in self.unpacked.iterdir()}
        record = {
            "note": "",
            "batches": {
                name: hashlib.md5(files[name]).hexdigest() for name in [*BATCHES, "batches.meta"]
            },
            "unordered_identity": identity,
        }
        official.RECORD.write_text(json.dumps(record), encoding="utf-8")

    def fetched(self, **dataset: Any) -> Told:
        spec = {"source": "cifar10", "path": str(self.archive), **dataset}
        return told_by("fetch", study_file_on(self.folder / "fetched", spec, cifar10=self.entries))

    def identity(self) -> str:
        """As the command prints it."""
        words = self.data(self.archive)[0].words
        found = re.search(r"unordered_identity of .*: ([0-9a-f]{64}) ", words)
        assert found
        return found[1]

    def data(self, path: Path | None, **downloads: Any) -> tuple[Told, DatasetInfo | None]:
        """`resnet-sizes data` on these files as source cifar10."""
        spec = {"source": "cifar10", "path": path and str(path)}
        keys = {"cifar10": {**self.entries, "origin": refused_address()}, "allow_http": True}
        study = study_file_on(self.folder / "studies", spec, **keys | downloads)
        told = told_by("data", study)
        info = StudyFolder.of_file(study).dataset_info
        return told, read_record(info, DatasetInfo, "") if told.status == 0 else None

    def pictures(self) -> list[tuple[str, str, bytes]]:
        """Part, class and PNG of each image."""
        found = []
        for batch, content in batch_contents(PER_BATCH).items():
            if batch == "batches.meta":
                continue
            part = "test" if batch == "test_batch" else "train"
            for pixels, label in zip(content["data"], content["labels"], strict=True):
                target = io.BytesIO()
                image = pixels.reshape(3, 32, 32).transpose(1, 2, 0)
                Image.fromarray(np.ascontiguousarray(image)).save(target, "PNG")
                found.append((part, CLASS_NAMES[label], target.getvalue()))
        return found


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Official:
    """Official data that the installation knows, without the identity of its images."""
    folder = tmp_path / "official"
    folder.mkdir()
    entries = write_archive(folder / "cifar-10-python.tar.gz", batch_contents(PER_BATCH))
    with tarfile.open(folder / "cifar-10-python.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    for module in (official, prepare):
        monkeypatch.setattr(module, "RECORD", tmp_path / "official_cifar10.json")
    default = Downloads.model_validate({"cifar10": entries})
    monkeypatch.setattr(fetch, "Downloads", lambda: default)
    made = Official(folder, entries)
    made.ship(None)
    return made


def _as_classes(pictures: list[tuple[str, str, bytes]]) -> dict[str, bytes | None]:
    """In class folders, in another order and under names that say nothing."""
    return {
        f"{part}/{name}/{hashlib.md5(png).hexdigest()}.png": png for part, name, png in pictures
    }


def test_nothing_is_shipped_yet_and_the_batches_are_torchvision_s() -> None:
    shipped = official.official_cifar10()
    assert shipped.unordered_identity is None
    assert "null until somebody who has the official archive" in shipped.note
    files = [
        *CIFAR10.train_list,
        *CIFAR10.test_list,
        [CIFAR10.meta["filename"], CIFAR10.meta["md5"]],
    ]
    assert shipped.batches == dict(files)


def test_data_tells_the_identity_of_the_official_archive(made_up: Official) -> None:
    assert made_up.fetched().out == f"{made_up.archive}\n"
    assert f"({official.RECORD} has none yet)" in made_up.data(made_up.archive)[0].words
    made_up.ship("0" * 64)
    assert f"({official.RECORD} has {'0' * 64})" in made_up.data(made_up.archive)[0].words


def test_of_another_archive_and_of_a_subset_no_identity_is_told(
    made_up: Official, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {"source": "cifar10", "path": str(made_up.archive)}
    subset = {**spec, "limit": {"train": 50}}
    told = told_by("data", study_file_on(made_up.folder / "y", subset, cifar10=made_up.entries))
    assert told.status == 0
    assert "unordered_identity" not in told.words
    monkeypatch.setattr(fetch, "Downloads", Downloads)
    other = write_archive(made_up.archive, batch_contents(PER_BATCH, seed=1))
    study = study_file_on(made_up.folder / "x", spec, cifar10=other)
    told = told_by("data", study)
    assert told.status == 0
    assert "unordered_identity" not in told.words
    assert read_record(StudyFolder.of_file(study).dataset_info, DatasetInfo, "").content == "other"


@pytest.mark.parametrize("container", list(WRITERS))
def test_the_official_pixels_are_accepted_as_official(
    made_up: Official, tmp_path: Path, container: str
) -> None:
    path = WRITERS[container](_as_classes(made_up.pictures()), tmp_path / "pictures")
    told, info = images_told(path)
    assert info is not None, told.words
    assert (info.content, info.unordered_identity) == ("other", made_up.identity())
    made_up.ship(made_up.identity())
    for declared in ("auto", "cifar10-reencoded", "other"):
        told, info = images_told(path, content=declared)
        assert info is not None
        assert info.content == "cifar10"
        assert info.class_names == CLASS_NAMES
        assert "Every image and label is that of the official CIFAR-10." in told.words


def _other_pixel(pictures: list[tuple[str, str, bytes]]) -> None:
    part, name, png = pictures[7]
    pixels = np.array(Image.open(io.BytesIO(png)))
    pixels[3, 4, 1] ^= 1
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    pictures[7] = part, name, target.getvalue()


def _other_label(pictures: list[tuple[str, str, bytes]]) -> None:
    pictures[7] = pictures[7][0], "cat" if pictures[7][1] != "cat" else "dog", pictures[7][2]


def _other_part(pictures: list[tuple[str, str, bytes]]) -> None:
    pictures[7] = "test", *pictures[7][1:]


def _other_class_name(pictures: list[tuple[str, str, bytes]]) -> None:
    pictures[:] = [(part, name.replace("deer", "hart"), png) for part, name, png in pictures]


def _one_less(pictures: list[tuple[str, str, bytes]]) -> None:
    pictures.pop(7)


def _one_twice(pictures: list[tuple[str, str, bytes]]) -> None:
    part, name, png = pictures[7]
    pictures.append((part, name, png + b"\0"))


def _as_jpeg(pictures: list[tuple[str, str, bytes]]) -> None:
    for number, (part, name, png) in enumerate(pictures):
        target = io.BytesIO()
        Image.open(io.BytesIO(png)).save(target, "JPEG", quality=100)
        pictures[number] = part, name, target.getvalue()


@pytest.mark.parametrize(
    "change",
    [_other_pixel, _other_label, _other_part, _other_class_name, _one_less, _one_twice, _as_jpeg],
)
@pytest.mark.parametrize("declared", ["auto", "cifar10-reencoded"])
def test_anything_else_is_what_its_study_declares(
    made_up: Official, tmp_path: Path, change: Callable[..., None], declared: str
) -> None:
    made_up.ship(made_up.identity())
    pictures = made_up.pictures()
    change(pictures)
    told, info = images_told(as_zip(_as_classes(pictures), tmp_path / "p.zip"), content=declared)
    assert info is not None, told.words
    assert info.content == ("other" if declared == "auto" else declared)
    assert "official" not in told.words


def test_a_subset_is_not_proven(made_up: Official, tmp_path: Path) -> None:
    made_up.ship(made_up.identity())
    path = as_zip(_as_classes(made_up.pictures()), tmp_path / "pictures.zip")
    info = images_told(path, limit={"train": 50, "test": None})[1]
    assert info is not None
    assert info.content == "other"


def test_every_dataset_has_an_identity_without_order(tmp_path: Path, made_up: Official) -> None:
    digits = study_file_on(tmp_path / "digits", {"source": "digits"})
    assert told_by("data", digits).status == 0
    found = [
        read_record(StudyFolder.of_file(digits).dataset_info, DatasetInfo, ""),
        made_up.data(made_up.archive)[1],
        images_told(as_zip(tree(), tmp_path / "images.zip"))[1],
    ]
    assert len({info.unordered_identity for info in found if info}) == 3
    # Other names of files are another order: only the identity without order stays.
    renamed = {
        re.sub(r"00(\d)", lambda name: f"{9 - int(name[1])}", name): content
        for name, content in tree().items()
    }
    info = images_told(as_zip(renamed, tmp_path / "renamed.zip"))[1]
    assert info is not None
    assert found[2] is not None
    assert info.unordered_identity == found[2].unordered_identity
    assert info.identity != found[2].identity


def test_the_unpacked_batches_are_verified_and_used(made_up: Official, tmp_path: Path) -> None:
    packed = made_up.data(made_up.archive)[1]
    made_up.archive.unlink()
    files = {path.name: path.read_bytes() for path in made_up.unpacked.iterdir()}
    as_zip(
        {f"cifar-10-batches-py/{name}": content for name, content in files.items()},
        tmp_path / "k.zip",
    )
    WRITERS["tar"]({f"./{name}": content for name, content in files.items()}, tmp_path / "k.tar")
    for place in (made_up.unpacked, made_up.folder, tmp_path / "k.zip", tmp_path / "k.tar"):
        told, info = made_up.data(place)
        assert info is not None, told.words
        assert packed is not None
        assert (info.content, info.identity) == ("cifar10", packed.identity)
        fetched = made_up.fetched(path=str(place))
        assert fetched.out == f"{place}\n"


def test_what_was_unpacked_among_the_downloads_is_used_without_a_network(
    made_up: Official,
) -> None:
    made_up.archive.unlink()
    told, info = made_up.data(None, folder=str(made_up.folder))
    assert info is not None, told.words
    assert (info.content, info.source_file) == ("cifar10", "cifar-10-batches-py")
    fetched = made_up.fetched(path=None)
    assert fetched.status == 1  # its downloads are elsewhere


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_batches_are_refused(made_up: Official, tmp_path: Path, packed: bool) -> None:
    content = bytearray((made_up.unpacked / "test_batch").read_bytes())
    content[5000] ^= 1
    (made_up.unpacked / "test_batch").write_bytes(content)
    path = made_up.unpacked
    if packed:
        path = tmp_path / "batches.zip"
        as_zip({file.name: file.read_bytes() for file in made_up.unpacked.iterdir()}, path)
    told, info = made_up.data(path)
    assert info is None
    assert f"dataset.path: {path} is not the official CIFAR-10 archive" in told.words


def test_damaged_batches_among_the_downloads_are_not_used(made_up: Official) -> None:
    made_up.archive.unlink()
    (made_up.unpacked / "test_batch").write_bytes(b"")
    told, info = made_up.data(None, folder=str(made_up.folder))
    assert info is None
    assert "cifar-10-python.tar.gz: no such file. Run: resnet-sizes fetch" in told.words


def test_a_folder_without_batches_is_told(made_up: Official, tmp_path: Path) -> None:
    folder = as_folder(tree(), tmp_path / "images")
    told, info = made_up.data(folder)
    assert info is None
    problem = "nor its batches: it is a folder without the published cifar-10-batches-py"
    assert f"images is not the official CIFAR-10 archive, {problem}" in told.words
