"""The base class of all records."""

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
