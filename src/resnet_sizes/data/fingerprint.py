"""What tells, before any job is planned, that somebody's own images or weights have changed."""

from contextlib import suppress
from pathlib import Path

from resnet_sizes.data.archives import Folder
from resnet_sizes.data.official import batch_files
from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.io.files import check_regular, read_bytes, write_text
from resnet_sizes.io.hashes import content_hash, file_hash
from resnet_sizes.schemas.paths import WORK

KNOWN = WORK / "fingerprints"
"""Fingerprints by path, each with the state of the files that it was computed from."""


def fingerprint(path: Path) -> str:
    """64 hexadecimal digits that change with the content of a file, or of a folder of images.

    Of a folder only the files count that its source reads, by name and content. New
    times alone, as a copy gives them, are no change. Files are read again only where their
    sizes, inodes or times differ from those of the last time. Raises UserError for a folder
    that does not hold images as the source expects them, and for what cannot be read.
    """
    known = KNOWN / content_hash(str(path.absolute()))
    try:
        names = _image_names(path) if path.is_dir() else [""]
        state = content_hash([[name, *_state(path / name)] for name in names])
        with suppress(UserError):
            before = read_bytes(known, "", 200).decode(errors="replace").split()
            if len(before) == 2 and before[0] == state:
                return before[1]
        hashes = [[name, file_hash(path / name)] for name in names]
        found = content_hash(hashes) if path.is_dir() else hashes[0][1]
    except OSError as error:  # a link to nothing, say
        raise UserError(
            f"{error.filename}: cannot be read ({error.strerror}). Repair or remove it."
        ) from None
    with suppress(WriteError):  # the next look is only slower without
        write_text(known, f"{state} {found}\n")
    return found


def _image_names(folder: Path) -> list[str]:
    # numpy and Pillow are not needed where there is no folder.
    from resnet_sizes.data.sources.image_folder import ImageFolderSource

    batches = batch_files(Folder(folder))  # CIFAR-10, unpacked
    return list(batches.values()) or ImageFolderSource(folder, resize=False).files


def _state(path: Path) -> list[int]:
    """What changes whenever a file does. The time of the last change cannot be set by hand, unlike
    that of the content."""
    check_regular(path, "Remove it, or name another.")  # a pipe would block forever
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
