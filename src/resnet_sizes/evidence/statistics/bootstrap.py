"""Resampling of test images: which accuracies the same runs would have on other images."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

RESAMPLES = 2000
"""Draws of a bootstrap: an interval's ends are then known to a twentieth of its width."""

_SEED = 0  # equal results give equal evidence, byte by byte


class ImageResamples:
    """Draws with replacement from `images` test images, the same draws for every model."""

    def __init__(self, images: int, resamples: int = RESAMPLES) -> None:
        generator = np.random.default_rng(_SEED)
        # How often each image is drawn: float32 [resamples, images], for a fast product.
        self._counts = np.empty((resamples, images), dtype=np.float32)
        for row in self._counts:
            row[:] = np.bincount(generator.integers(0, images, images), minlength=images)
        self._images = images
        self.resamples = resamples

    def deviations(self, shares: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
        """By how much each draw's mean differs from the mean: float64 `[models, resamples]`.

        `shares` holds, for each model, which share of its seeds gets each image right: float32
        `[images]`.
        """
        columns = np.stack(shares, axis=1)  # [images, models]
        means = self._counts @ columns / self._images
        deviations: npt.NDArray[np.float64] = (means - columns.mean(axis=0)).T.astype(np.float64)
        return deviations
