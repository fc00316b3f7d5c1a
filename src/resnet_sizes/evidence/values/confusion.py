"""How often each class is taken for each other one."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from resnet_sizes.evidence.runs.read import FinishedRun
from resnet_sizes.schemas.evidence.figures import ConfusionCell

Shares = npt.NDArray[np.float64]
"""Fractions of the images of each true class (rows) by predicted class (columns)."""

_LEAST_WRITTEN = 0.005
"""Fractions that would print as 0 % are not written into the matrix."""
_MOST_CLASSES_WRITTEN = 21
"""With more, numbers would be too small to read."""


def mean_shares(runs: Sequence[FinishedRun]) -> Shares:
    """Means over one model's runs: float64 `[classes, classes]`; NaN of a class without test
    images. Every run has the same test images, so each row adds up to 1."""
    counts = np.sum([run.confusion for run in runs], axis=0, dtype=np.float64)
    images = counts.sum(axis=1, keepdims=True)
    shares: Shares = np.divide(counts, images, out=np.full_like(counts, np.nan), where=images > 0)
    return shares


def largest_confusion(shares: Shares) -> ConfusionCell | None:
    """The most frequent mistake, the first of equal ones; None where there is none."""
    mistakes = np.where(np.eye(len(shares), dtype=bool), 0.0, np.nan_to_num(shares))
    true, predicted = divmod(int(mistakes.argmax()), len(shares))
    share = float(mistakes[true, predicted])
    return ConfusionCell(true=true, predicted=predicted, share=share) if share > 0 else None


def hardest_class(shares: Shares) -> ConfusionCell:
    """The class that is least often recognised, with the share that is."""
    recognised = np.nan_to_num(np.diagonal(shares), nan=np.inf)
    hardest = int(recognised.argmin())
    return ConfusionCell(true=hardest, predicted=hardest, share=float(recognised[hardest]))


def confusion_cells(shares: Shares, prefix: str) -> list[ConfusionCell]:
    """The entries above zero, row by row; those that a figure writes have a key in values.json,
    which begins with `prefix` (`<protocol>.<model>`)."""
    least = _LEAST_WRITTEN if len(shares) <= _MOST_CLASSES_WRITTEN else np.inf
    return [
        ConfusionCell(
            true=true,
            predicted=predicted,
            share=share,
            key=f"{prefix}.confusion.cells.{true}.{predicted}" if share >= least else None,
        )
        for true, predicted in np.argwhere(np.nan_to_num(shares) > 0).tolist()
        for share in [float(shares[true, predicted])]
    ]
