"""How the official CIFAR-10 is told from other images: by its archive, its batches, its pixels."""

import hashlib
from pathlib import Path

from resnet_sizes.data.archives import Container, open_container
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.base import Record, Sha256

RECORD = Path(__file__).with_name("official_cifar10.json")
TOP = "cifar-10-batches-py"
"""The folder that the archive unpacks to."""


class OfficialCifar10(Record):
    """What is shipped of it: MD5s by name of file, and its `unordered_identity` once that is known.

    The MD5 of the archive itself is a default of the configuration.
    """

    note: str
    batches: dict[str, str]
    unordered_identity: Sha256 | None


def official_cifar10() -> OfficialCifar10:
    """The shipped record."""
    return read_record(RECORD, OfficialCifar10, "Install resnet-sizes again.")


def batch_files(container: Container) -> dict[str, str]:
    """The names of CIFAR-10's files that a container has → their full names in it."""
    names = official_cifar10().batches
    files = (entry for entry in container.entries() if not entry.is_folder)
    return {entry.parts[-1]: entry.name for entry in files if entry.parts[-1] in names}


def has_official_batches(path: Path) -> bool:
    """Whether a folder or archive can be read and holds the published batches."""
    try:
        container = open_container(path)
        files = container.read(list(batch_files(container).values()))
        found = {
            name.rpartition("/")[2]: hashlib.md5(content, usedforsecurity=False).hexdigest()
            for name, content in files
        }
    except UserError:
        return False
    return found == official_cifar10().batches
