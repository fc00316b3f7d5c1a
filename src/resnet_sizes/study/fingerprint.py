"""Whether a user's own images have changed, without decoding them."""

import hashlib
from pathlib import Path

from resnet_sizes.io.hashes import content_hash


def fingerprint(path: Path) -> str:
    """64 hexadecimal digits that change when an archive or a folder of images changes.

    An archive is read whole: a new time alone, as a copy gives it, is no change. Of a folder
    only names, sizes and times are read, since it may hold very many files.
    """
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    listing = []
    for entry in sorted(path.rglob("*")):
        if entry.is_file():
            status = entry.stat()
            name = entry.relative_to(path).as_posix()
            listing.append([name, status.st_size, status.st_mtime_ns])
    return content_hash(listing)
