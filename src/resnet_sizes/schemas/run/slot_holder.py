"""Who holds a device: a small file beside the device's lock."""

from pydantic import Field

from resnet_sizes.io.validation_errors import shown_text
from resnet_sizes.schemas.base import Record


class SlotHolder(Record):
    """The process whose run has a device to itself."""

    run: str
    process: int = Field(ge=1)
    since: str = Field(description="UTC, ISO 8601.")

    def __str__(self) -> str:
        return f"{shown_text(self.run)} (process {self.process}, since {self.since})"
