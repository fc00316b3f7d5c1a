"""Archives that were made to harm, or broke on their way."""

import bz2
import gzip
import io
import lzma
import resource
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from image_trees import Tree, as_tar, as_zip, encoded, tree
from resnet_sizes.data import archives
from resnet_sizes.data.archives import Tar, Zip
from resnet_sizes.data.sources.image_folder import ImageFolderSource
from resnet_sizes.io.errors import UserError


@pytest.fixture(params=[as_zip, as_tar], ids=["zip", "tar.gz"])
def write(request: pytest.FixtureRequest) -> Callable[[Tree, Path], Path]:
    writer: Callable[[Tree, Path], Path] = request.param
    return writer


def _decode_all(path: Path) -> None:
    source = ImageFolderSource(path, resize=False)
    source.images({part: np.arange(len(labels)) for part, labels in source.labels.items()})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/train/cat/1.png", "/train/cat/1.png is an absolute path,"),
        ("train/cat/../../../1.png", r"1.png .*leads out of the archive \(\.\.\)"),
        ("../.hidden", r"hidden .*leads out of the archive"),
        ("train\\cat\\1.png", "1.png .*holds a backslash"),
    ],
)
def test_a_member_that_points_out_of_the_archive_is_refused(
    tmp_path: Path, write: Callable[[Tree, Path], Path], name: str, message: str
) -> None:
    path = write({**tree(), name: encoded()}, tmp_path / "archive")
    with pytest.raises(UserError, match=message) as error:
        _decode_all(path)
    assert str(error.value).startswith(str(path))
    assert [found.name for found in tmp_path.iterdir()] == ["archive"]


NO_FILE = r"train/cat/9\.png is a link, a sparse file or a device; allowed: files and folders"


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    path = as_tar(tree(), tmp_path / "archive.tar", "")
    with tarfile.open(path, "a:") as archive:
        member = tarfile.TarInfo("train/cat/9.png")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(UserError, match=NO_FILE):
        _decode_all(path)


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = as_zip(tree(), tmp_path / "archive.zip")
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("train/cat/9.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match=NO_FILE):
        _decode_all(path)


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    path = as_zip(tree(), tmp_path / "archive.zip")
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02")
    content[entry + 8] |= 1
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="is encrypted"):
        _decode_all(path)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = as_tar(tree(), tmp_path / "archive.tar", "")
    with tarfile.open(path, "a:") as archive:
        member = tarfile.TarInfo("./train/cat/000.png")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    with pytest.raises(UserError, match=r"train/cat/000\.png appears in it twice"):
        _decode_all(path)


def test_a_declared_size_beyond_the_limit_is_refused(
    tmp_path: Path, write: Callable[[Tree, Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 10_000)
    path = write({**tree(), "train/cat/9.png": bytes(10_001)}, tmp_path / "archive")
    with pytest.raises(UserError, match=r"train/cat/9\.png has 10001 bytes; allowed: 10000"):
        _decode_all(path)


def test_too_many_entries_are_refused(
    tmp_path: Path, write: Callable[[Tree, Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRIES", 9)
    with pytest.raises(UserError, match="holds more than 9 entries"):
        _decode_all(write(tree(), tmp_path / "archive"))


@pytest.mark.parametrize("declared", [50, 6000])
def test_a_member_of_another_size_than_declared_is_refused(tmp_path: Path, declared: int) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/cat/0.png", bytes(5000))
    content = path.read_bytes()
    lying = content.replace(struct.pack("<L", 5000), struct.pack("<L", declared))
    assert lying != content
    path.write_bytes(lying)
    container = Zip(path)
    container.entries()
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        list(container.read(["train/cat/0.png"]))


def test_an_archive_that_unpacks_to_many_times_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BOMB_BYTES", 1_000_000)
    zeros = {f"train/cat/{number}.png": bytes(500_000) for number in range(20)}
    path = as_tar({**tree(), **zeros}, tmp_path / "archive.tar.gz")
    with pytest.raises(UserError, match="unpack to more than"):
        Tar(path).entries()


def test_a_giant_header_is_refused_without_being_read(tmp_path: Path) -> None:
    header = tarfile.TarInfo("long-name")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**33
    path = tmp_path / "archive.tar"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    with pytest.raises(UserError, match=r"has a header of \d+ bytes"):
        Tar(path).entries()


def test_headers_for_all_members_of_a_tar_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "many.tar"
    headers = {f"key{number}": "x" for number in range(2000)}
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT, pax_headers=headers) as archive:
        member = tarfile.TarInfo("train/cat/0.png")
        archive.addfile(member, io.BytesIO(b""))
    with pytest.raises(UserError, match=r"many\.tar: \S+ has more than 10000 characters"):
        Tar(path).entries()


@pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
@pytest.mark.parametrize("keep", [0.2, 0.6, 0.9])
def test_a_tar_that_was_cut_short_is_refused(tmp_path: Path, compression: str, keep: float) -> None:
    path = as_tar(tree(train=20), tmp_path / "archive", compression)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        _decode_all(path)


def test_a_tar_that_was_cut_between_two_members_is_refused(tmp_path: Path) -> None:
    path = as_tar(tree(), tmp_path / "archive.tar", "")
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    path.write_bytes(path.read_bytes()[: last.offset])
    with pytest.raises(UserError, match="its end is missing"):
        Tar(path).entries()


def test_a_zip_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = as_zip(tree(), tmp_path / "archive.zip")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        _decode_all(path)


@pytest.mark.parametrize("write_archive", [as_zip, as_tar], ids=["zip", "tar.gz"])
def test_a_changed_byte_in_an_archive_is_found(
    tmp_path: Path, write_archive: Callable[[Tree, Path], Path]
) -> None:
    path = write_archive(tree(), tmp_path / "archive")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(UserError):
        _decode_all(path)


def test_zeros_after_the_end_of_an_archive_are_not_unpacked_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BOMB_BYTES", 1_000_000)
    path = as_tar(tree(), tmp_path / "archive.tar", "")
    path.write_bytes(gzip.compress(path.read_bytes() + bytes(50_000_000)))
    with pytest.raises(UserError, match="unpack to more than"):
        Tar(path).entries()


def test_a_zip_that_unpacks_to_many_times_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "BOMB_BYTES", 1_000_000)
    zeros = {f"train/cat/{number}.png": bytes(500_000) for number in range(20)}
    path = as_zip({**tree(), **zeros}, tmp_path / "archive.zip")
    with pytest.raises(UserError, match="unpack to more than"):
        Zip(path).entries()


def test_an_xz_file_that_asks_for_gigabytes_takes_none(tmp_path: Path) -> None:
    plain = as_tar(tree(), tmp_path / "plain.tar", "").read_bytes()
    packed = bytearray(lzma.compress(plain))
    # The size of the dictionary is one byte of the first block's header, before its sum.
    header = slice(12, 12 + packed[12] * 4)
    packed[packed.index(b"\x21\x01", 12) + 2] = 38  # 2 GiB
    packed[header.stop : header.stop + 4] = zlib.crc32(packed[header]).to_bytes(4, "little")
    path = tmp_path / "archive.tar.xz"
    path.write_bytes(packed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _decode_all(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024  # KiB


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_a_rare_compression_is_refused(tmp_path: Path, method: int) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in tree().items():
            archive.writestr(name, content or b"")
    with pytest.raises(UserError, match="in a way that is not allowed; allowed: stored, deflated"):
        _decode_all(path)


def test_a_header_in_a_header_in_a_header_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 512
    path = tmp_path / "archive.tar"
    path.write_bytes((header.tobuf(tarfile.GNU_FORMAT) + b"x".ljust(512, b"\0")) * 3000)
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        Tar(path).entries()


def test_a_negative_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.tar"
    with tarfile.open(path, "w:", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("train/cat/0.png")
        member.pax_headers = {"size": "-512"}
        archive.addfile(member)
    with pytest.raises(UserError, match=r"has -512 bytes|is not a complete zip or tar archive"):
        Tar(path).entries()


@pytest.mark.parametrize(
    ("name", "shown_as"), [("caf\udce9", r"caf\\udce9"), ("\u202egnp", r"\\u202egnp")]
)
def test_a_class_whose_name_is_no_text_is_refused(tmp_path: Path, name: str, shown_as: str) -> None:
    path = tmp_path / "archive.tar"
    with tarfile.open(path, "w:", errors="surrogateescape") as archive:
        for part in ("train", "test"):
            for number, label in enumerate((name, "dog")):
                member = tarfile.TarInfo(f"{part}/{label}/{number}.png")
                member.size = len(encoded())
                archive.addfile(member, io.BytesIO(encoded()))
    with pytest.raises(UserError, match=rf"{shown_as}.* has a name that cannot be printed"):
        _decode_all(path)


def test_a_zip_of_two_members_at_one_place_is_refused(tmp_path: Path) -> None:
    path = as_zip(tree(), tmp_path / "archive.zip")
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    content[second + 42 : second + 46] = bytes(4)  # where it begins: as the first one
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        _decode_all(path)


def test_a_zip_for_a_later_version_is_refused(tmp_path: Path) -> None:
    path = as_zip(tree(), tmp_path / "archive.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        _decode_all(path)


def test_a_zip_whose_names_are_not_in_their_encoding_is_refused(tmp_path: Path) -> None:
    path = as_zip({**tree(), "train/cat/é.png": encoded()}, tmp_path / "archive.zip")
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        _decode_all(path)


@pytest.mark.parametrize("compression", ["gz", "bz2", "xz"])
def test_streams_one_after_the_other_are_one_file(tmp_path: Path, compression: str) -> None:
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[compression]
    plain = as_tar(tree(), tmp_path / "plain.tar", "").read_bytes()
    path = tmp_path / "archive"
    path.write_bytes(pack(plain[:5000]) + pack(plain[5000:]))
    _decode_all(path)
    path.write_bytes(pack(plain[:5000]))
    with pytest.raises(UserError, match="is not a complete zip or tar archive"):
        Tar(path).entries()
