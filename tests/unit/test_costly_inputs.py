"""Small files that would take their reader minutes or hours."""

import io
import tarfile
import time
from pathlib import Path

import pytest
from PIL import Image

from image_trees import as_tar, encoded, tree
from resnet_sizes.data.archives import Tar
from resnet_sizes.data.sources import image_folder
from resnet_sizes.data.sources.image_folder import decode
from resnet_sizes.io.errors import UserError


def _tar_with_shared_headers(path: Path, headers: dict[str, str]) -> Path:
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:
        for name, content in tree().items():
            member = tarfile.TarInfo(name)
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))
    return path


def test_headers_for_all_members_of_a_tar_are_bounded(tmp_path: Path) -> None:
    few = _tar_with_shared_headers(tmp_path / "few.tar", {"comment": "0" * 40})
    assert Tar(few).entries() == Tar(as_tar(tree(), tmp_path / "plain.tar", "")).entries()
    many = {f"key{number}": "x" for number in range(2000)}
    told = "has more than 10000 characters of headers"
    with pytest.raises(UserError, match=rf"many\.tar: \S+ {told}"):
        Tar(_tar_with_shared_headers(tmp_path / "many.tar", many)).entries()
    with pytest.raises(UserError, match=told):
        Tar(_tar_with_shared_headers(tmp_path / "long.tar", {"comment": "x" * 20_000})).entries()


def _with_scans(scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    target = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(target, "JPEG", progressive=True)
    content = target.getvalue()
    last = content.rindex(b"\xff\xda")
    have = content.count(b"\xff\xda")
    return content[:last] + content[last:-2] * (scans - have + 1) + content[-2:]


def test_a_jpeg_of_more_scans_than_its_size_allows_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(image_folder, "MAX_SCANNED", 100 * 32 * 32)
    decode(_with_scans(100), "image", resize=False)
    with pytest.raises(UserError, match=r"image: is a JPEG of 101 scans; allowed: 100 of its size"):
        decode(_with_scans(101), "image", resize=False)
    decode(encoded() + b"\xff\xda" * 101, "image", resize=False)  # of no meaning in a PNG


def test_scans_that_are_allowed_take_seconds() -> None:
    target = io.BytesIO()
    Image.new("RGB", (1000, 1000), "red").save(target, "JPEG", progressive=True)
    content = target.getvalue()
    begun = time.process_time()
    scan = content[content.rindex(b"\xff\xda") : -2]
    decode(content[:-2] + scan * 4900 + content[-2:], "image", resize=True)
    assert time.process_time() - begun < 20
