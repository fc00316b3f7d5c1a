"""Records that notice when their file has been changed."""

from typing import Self

from pydantic import Field, model_validator

from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import Record


class Sealed(Record):
    """A record with a checksum over all that stands beside it."""

    checksum: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the canonical JSON of all that stands beside it; null in older "
        "files.",
    )

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
