"""What all sources of images have in common, and the subset that `dataset.limit` asks for."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

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


class Source(ABC):
    """Images with labels, in an order that depends on their names alone.

    Labels are known at once; pixels are decoded only for the images asked for, so a small
    subset of a large archive is quick.
    """

    def __init__(
        self, file: Path | None, class_names: list[str], labels: Mapping[Part, Int64Array]
    ) -> None:
        self.file = file
        """The archive or folder that the images come from, if they come from one."""
        self.class_names = class_names
        """A label is an index into this list."""
        self.labels = labels
        """All labels of each part, int64 `[N]`."""

    @abstractmethod
    def images(self, wanted: Mapping[Part, Int64Array]) -> dict[Part, UInt8Array]:
        """The images of each part with these indices, uint8 `[len(indices), 3, 32, 32]`, RGB.

        Raises UserError that names those that cannot be read or have a size that is not allowed.
        """


def balanced_subset(
    labels: Int64Array, class_names: list[str], count: int | None, seed: int, part: Part
) -> Int64Array:
    """Indices (int64, ascending) of a class-balanced subset of `count` images; None takes all.

    The classes' shares differ by one image at most. Which images and which classes get the odd
    ones is decided by SHA-256 of seed, part and index: no library's random generator can change
    it, and a larger subset contains the smaller ones of the same seed. Raises UserError if a
    class has too few images.
    """
    if count is None:
        return np.arange(len(labels), dtype=np.int64)
    of_class = [np.flatnonzero(labels == label) for label in range(len(class_names))]
    shares = _shares(count, len(class_names), f"{seed}/{part}")
    for name, indices, share in zip(class_names, of_class, shares, strict=True):
        if share > len(indices):
            smallest = min(len(indices) for indices in of_class)
            raise UserError(
                f"dataset.limit.{part}: is {count}, which needs {share} images of class {name!r}, "
                f"but there are {len(indices)} (and {len(labels)} in all {len(class_names)} "
                f"classes). Set it to {smallest * len(class_names)} at most, or to null for all."
            )
    chosen = [
        sorted(indices, key=lambda index: _rank(f"{seed}/{part}/image/{index}"))[:share]
        for indices, share in zip(of_class, shares, strict=True)
    ]
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _shares(count: int, classes: int, salt: str) -> list[int]:
    lucky = sorted(range(classes), key=lambda label: _rank(f"{salt}/class/{label}"))
    extra = set(lucky[: count % classes])
    return [count // classes + (label in extra) for label in range(classes)]


def _rank(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
