"""Whether a file is the one that its authors published."""

import hashlib
from pathlib import Path

from resnet_sizes.schemas.study.downloads import Cifar10Download


def mismatch(path: Path, expected: Cifar10Download) -> str | None:
    """Why the file at `path` is not the expected archive; None if it is.

    Size first: it tells a file that was cut short from one that is another.
    """
    size = path.stat().st_size
    if size != expected.bytes:
        return f"{size} bytes instead of {expected.bytes}"
    found = _digest(path, "md5")
    if found != expected.md5:
        return f"MD5 {found} instead of {expected.md5}"
    return None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    return _digest(path, "sha256")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        # MD5 is what the authors publish. It guards against accidents, not against malice,
        # and FIPS builds of Python refuse it without this flag.
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
