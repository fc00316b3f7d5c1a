"""Class-balanced subsets: of a dataset, and the training images that are held out."""

import hashlib

import numpy as np

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.tensors import Int64Array


def balanced_subset(
    labels: Int64Array, class_names: list[str], count: int | None, seed: int, part: str
) -> Int64Array:
    """Indices (int64, ascending) of a class-balanced subset of `count` images; None takes all.

    The classes' shares differ by one image at most. Which images and which classes get the odd
    ones is decided by SHA-256 of seed, part and index: no library's random generator can change
    it, and a larger subset contains the smaller ones of the same seed. `part` is `train`, `test` or
    `validation`. Raises UserError if a class has too few images.
    """
    if count is None:
        return np.arange(len(labels), dtype=np.int64)
    of_class = [np.flatnonzero(labels == label) for label in range(len(class_names))]
    shares = _shares(count, len(class_names), f"{seed}/{part}")
    for name, indices, share in zip(class_names, of_class, shares, strict=True):
        if share > len(indices):
            smallest = min(len(indices) for indices in of_class)
            key = f"dataset.limit.{part}" if part != "validation" else "training.validation"
            raise UserError(
                f"{key}: is {count}, which needs {share} images of class {name!r}, "
                f"but there are {len(indices)} (and {len(labels)} in all {len(class_names)} "
                f"classes). Set it to {smallest * len(class_names)} at most"
                f"{', or to null for all' if key.startswith('dataset') else ''}."
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
