"""The base class of all records, and their hashes."""

import hashlib
import json
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

SCHEMA_VERSION: Final = 1


class Record(BaseModel):
    """A strict, immutable record: unknown keys and wrong types are errors, never repaired."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _number_from_text(value: Any) -> Any:
    """Read ``5e-4`` as a number: YAML 1.1 parsers hand over scientific notation without a
    dot as text."""
    if isinstance(value, str) and any(character.isdigit() for character in value):
        try:
            return float(value)
        except ValueError:
            return value
    return value


Number = Annotated[float, BeforeValidator(_number_from_text)]
"""A float that may be written in scientific notation in YAML (``5e-4``)."""


def canonical_json(data: Any) -> str:
    """JSON with sorted keys and no spare characters, so that equal data gives equal text."""
    if isinstance(data, BaseModel):
        data = data.model_dump(mode="json")
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(data: Any) -> str:
    """SHA-256 of the canonical JSON of a record or of plain data, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()
