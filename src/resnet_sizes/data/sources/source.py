"""What every source of images offers to the rest of this stage."""

from pathlib import Path
from typing import Literal, Protocol

from resnet_sizes.schemas.run.tensors import Int64Array, UInt8Array

Part = Literal["train", "test"]
PARTS: tuple[Part, Part] = ("train", "test")


class Source(Protocol):
    """Images with labels, in an order that depends on their names alone.

    Labels are known at once; pixels are decoded only for the images asked for, so a small
    subset of a large archive is quick.
    """

    @property
    def class_names(self) -> list[str]:
        """Names of the classes; a label is an index into this list."""

    @property
    def file(self) -> Path | None:
        """The archive or folder that the images come from, if they come from one."""

    def labels(self, part: Part) -> Int64Array:
        """All labels of a part, int64 `[N]`."""

    def images(self, part: Part, indices: Int64Array) -> UInt8Array:
        """The images with these indices, uint8 `[len(indices), 3, 32, 32]`, RGB.

        Raises UserError if one of them cannot be read or has a size that is not allowed.
        """
