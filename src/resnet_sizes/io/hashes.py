"""Hashes of files, and of records independent of their formatting."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel


def file_hash(path: Path, algorithm: Literal["md5", "sha256"] = "sha256") -> str:
    """The hash of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        # MD5 is what CIFAR-10's authors publish. It guards against accidents, not against
        # malice, and FIPS builds of Python refuse it without this flag.
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()


def hashes_of(paths: Iterable[Path]) -> dict[str, str]:
    """The SHA-256 of each file, as 64 hexadecimal digits, by its name."""
    return {path.name: file_hash(path) for path in paths}


def canonical_json(data: Any) -> str:
    """JSON with sorted keys and no spare characters, so that equal data gives equal text."""
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json")
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(data: Any) -> str:
    """SHA-256 of the canonical JSON of a record or of plain data, as 64 hexadecimal digits."""
    # A file may have a name that is no UTF-8, which Python keeps as lone surrogates.
    return hashlib.sha256(canonical_json(data).encode(errors="surrogateescape")).hexdigest()
