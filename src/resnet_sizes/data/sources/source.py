"""What all sources of images have in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.tensors import Int64Array, UInt8Array

Part = Literal["train", "test"]
PARTS: tuple[Part, Part] = ("train", "test")


_MOST_NAMED = 10


def refused(problems: Sequence[str]) -> UserError:
    """The error that names the first ten problems, one per line."""
    more = len(problems) - _MOST_NAMED
    rest = [f"… and {more} more."] if more > 0 else []
    return UserError("\n".join([*problems[:_MOST_NAMED], *rest]))


class Source:
    """Images with labels, in an order that depends on their names alone."""

    def __init__(
        self,
        file: Path | None,
        class_names: list[str],
        labels: Mapping[Part, Int64Array],
        images: Mapping[Part, UInt8Array] | None = None,
    ) -> None:
        """`images` are all of each part; a source that decodes them one by one has none yet."""
        self.file = file
        """The archive or folder that the images come from, if they come from one."""
        self.class_names = class_names
        """A label is an index into this list."""
        self.labels = labels
        """All labels of each part, int64 `[N]`."""
        self._images = images or {}

    def images(self, wanted: Mapping[Part, Int64Array]) -> dict[Part, UInt8Array]:
        """The images of each part with these indices, uint8 `[len(indices), 3, 32, 32]`, RGB.

        Raises UserError that names those that cannot be read or have a size that is not allowed.
        """
        return {part: self._images[part][indices] for part, indices in wanted.items()}
