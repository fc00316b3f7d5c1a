"""Which reader a folder or an archive needs: its first bytes decide, not its name."""

import zipfile
from pathlib import Path

from resnet_sizes.data.archives.containers import Container, Folder, Zip
from resnet_sizes.data.archives.tar import Tar
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import check_regular

_NOT_READ = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}


def open_container(path: Path) -> Container:
    """The reader of a folder, zip or tar. Raises UserError for formats that are known and not
    read, naming those that are."""
    if path.is_dir():
        return Folder(path)
    check_regular(path, "Name a folder, a zip or a tar archive in dataset.path.")
    with path.open("rb") as file:
        beginning = file.read(8)
    for magic, kind in _NOT_READ.items():
        if beginning.startswith(magic):
            raise UserError(
                f"{path}: is packed with {kind}, which is not read; allowed: folders, zip, and "
                "tar, plain or with gzip, bzip2 or xz. Unpack it, and set dataset.path to the "
                "folder."
            )
    return Zip(path) if zipfile.is_zipfile(path) else Tar(path)
