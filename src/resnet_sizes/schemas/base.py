"""What all records are made of: strictness, checksums, numbers, times."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.messages import did_you_mean, shown

T = TypeVar("T")

MOVED = {"config/article.yaml": "articles/santos-2024/article.yaml"}
"""Files of the project by where older versions had them."""

MOST = 10_000_000
"""The most that a count of epochs or images may be: more than any study, less than would overflow
in what is computed from it."""


def where_now(path: Path, top: Path = Path()) -> Path:
    """Where a file of the project below `top` lies, which a study may name by where it was."""
    return top / (path if (top / path).exists() else MOVED.get(path.as_posix(), path))


class Record(BaseModel):
    """A strict, immutable record: unknown keys and wrong types are errors, never repaired.

    What a field means stands in its `Field` where there is room on the line, else in a docstring
    below it; `scripts/write_reference.py` has both.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Versioned(Record):
    """A record that is a file, with the version of its schema."""

    schema_version: Literal[1] = 1


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Sealed(Record):
    """A record with a checksum over all its other fields: it notices that its file was changed."""

    checksum: Sha256 | None = None
    """SHA-256 of the canonical JSON of all that stands beside it; null in older files."""

    def sealed(self) -> Self:
        """The same with its checksum."""
        rest = self.model_dump(mode="json", exclude={"checksum"})
        return self.model_copy(update={"checksum": content_hash(rest)})

    @model_validator(mode="after")
    def _is_as_it_was_written(self) -> Self:
        if self.checksum is not None:
            # Fields that a later version adds do not stand in an older file.
            rest = self.model_dump(mode="json", exclude={"checksum"}, exclude_unset=True)
            if self.checksum != content_hash(rest):
                raise ValueError("checksum: is not that of the rest: the file has been changed")
        return self


def _number_from_text(value: Any) -> Any:
    """``5e-4`` as a number, which YAML 1.1 parsers hand over as text for lack of a dot."""
    with suppress(ValueError):
        if isinstance(value, str) and any(map(str.isdigit, value)):
            return float(value)
    return value


Number = Annotated[float, BeforeValidator(_number_from_text)]
"""A float that may be written in scientific notation in YAML (``5e-4``)."""


def all_different(items: list[T]) -> list[T]:
    """The same list. Raises ValueError where something stands in it twice."""
    if doubles := sorted(str(item) for item, times in Counter(items).items() if times > 1):
        raise ValueError(f"{', '.join(doubles)} stands twice; each may stand once")
    return items


def one_of(name: str, names: Iterable[str], else_: str = "") -> str:
    """The same name. Raises ValueError where it is none of these."""
    allowed = list(names)
    if name not in allowed:
        hint = did_you_mean(name, allowed)
        raise ValueError(f"found {shown(name)}; allowed: {', '.join(allowed)}.{hint}{else_}")
    return name


Distinct = Annotated[list[T], AfterValidator(all_different)]
"""A list in which each item stands once."""


_UTC_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def _in_utc(text: str) -> str:
    if datetime.strptime(text, _UTC_FORMAT).strftime(_UTC_FORMAT) != text:
        raise ValueError(f"is {text!r}; allowed: a time as 2026-01-31T12:00:00Z")
    return text


Utc = Annotated[str, AfterValidator(_in_utc)]
"""A time in UTC, ISO 8601."""


def utc_now() -> str:
    """The present time, as records hold times."""
    return datetime.now(UTC).strftime(_UTC_FORMAT)
