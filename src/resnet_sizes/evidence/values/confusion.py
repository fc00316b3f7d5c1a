"""How often each class is taken for each other one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resnet_sizes.evidence.runs.read import FinishedRun

Shares = npt.NDArray[np.float64]
"""Fractions of the images of each true class (rows) by predicted class (columns)."""


LEAST_WRITTEN = 0.005
"""Fractions that would print as 0 % are not written into the matrix."""
MOST_CLASSES_WRITTEN = 21
"""With more, numbers would be too small to read."""


@dataclass(frozen=True)
class Confusion:
    """One entry of the matrix: images of class `true` that are taken for `predicted`."""

    true: int
    predicted: int
    share: float


def mean_shares(runs: Sequence[FinishedRun]) -> Shares:
    """Means over one model's runs: float64 `[classes, classes]`; NaN of a class without test
    images. Every run has the same test images, so each row adds up to 1."""
    counts = np.sum([run.confusion for run in runs], axis=0, dtype=np.float64)
    images = counts.sum(axis=1, keepdims=True)
    shares: Shares = np.divide(counts, images, out=np.full_like(counts, np.nan), where=images > 0)
    return shares


def largest_confusion(shares: Shares) -> Confusion | None:
    """The most frequent mistake, the first of equal ones; None where there is none."""
    mistakes = np.where(np.eye(len(shares), dtype=bool), 0.0, np.nan_to_num(shares))
    true, predicted = divmod(int(mistakes.argmax()), len(shares))
    share = float(mistakes[true, predicted])
    return Confusion(true, predicted, share) if share > 0 else None


def hardest_class(shares: Shares) -> Confusion:
    """The class that is least often recognised, with the share that is."""
    recognised = np.nan_to_num(np.diagonal(shares), nan=np.inf)
    hardest = int(recognised.argmin())
    return Confusion(hardest, hardest, float(recognised[hardest]))


def written_cells(shares: Shares) -> list[Confusion]:
    """The entries that a figure of the matrix writes as numbers, row by row."""
    if len(shares) > MOST_CLASSES_WRITTEN:
        return []
    return [
        Confusion(int(true), int(predicted), float(shares[true, predicted]))
        for true, predicted in np.argwhere(np.nan_to_num(shares) >= LEAST_WRITTEN)
    ]


def cell_key(protocol: str, model: str, cell: Confusion) -> str:
    """Where values.json has an entry that a figure writes."""
    return f"{protocol}.{model}.confusion.cells.{cell.true}.{cell.predicted}"
