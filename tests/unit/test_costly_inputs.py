"""Small files that would take their reader minutes or hours."""

import contextlib
import io
import tarfile
import time
from pathlib import Path

import pytest
from PIL import Image

from image_trees import as_tar, encoded, tree
from resnet_sizes.data.archives import Tar
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


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded() -> None:
    decode(_with_scans(100), "image", resize=False)
    with pytest.raises(UserError, match=r"image: is a JPEG of 101 scans; allowed: 100"):
        decode(_with_scans(101), "image", resize=False)
    decode(encoded() + b"\xff\xda" * 101, "image", resize=False)  # of no meaning in a PNG


@pytest.mark.parametrize("filling", [b"\xff", b"\xff\xe0\x00\x02", b"\xff\xd0"])
def test_what_follows_the_picture_of_a_jpeg_is_not_searched_for_long(filling: bytes) -> None:
    scans = b"\xff\xda" * 101
    begun = time.process_time()
    decode(encoded(format="JPEG") + scans + filling * 2_000_000, "image", resize=False)
    # Within the picture, as far as a search can tell.
    content = encoded(format="JPEG")[:-2] + filling * 2_000_000 + scans
    with contextlib.suppress(UserError):
        decode(content, "image", resize=False)
    assert time.process_time() - begun < 5
