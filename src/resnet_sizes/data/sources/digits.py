"""scikit-learn's handwritten digits: real images that need no network.

1,797 images of 8×8 pixels with 17 grey levels: the test part of E. Alpaydin and C. Kaynak,
Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from resnet_sizes.data.sources.source import Part
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, Int64Array, UInt8Array

_BRIGHTEST = 16
_TEST_EVERY = 5


class DigitsSource:
    """The digits, brought to 32×32 (bilinear) and to RGB (three equal channels).

    Every fifth image of each class is a test image: about 80/20, the same for ever, and close
    to equal shares of every writer, who follow one another in the files.
    """

    file: Path | None = None

    def __init__(self) -> None:
        digits = load_digits()
        self.class_names = [str(name) for name in digits.target_names]
        self._grey = digits.images
        self._targets = digits.target.astype(np.int64)
        is_test = np.zeros(len(self._targets), dtype=bool)
        for label in range(len(self.class_names)):
            is_test[np.flatnonzero(self._targets == label)[_TEST_EVERY - 1 :: _TEST_EVERY]] = True
        self._indices = {"train": np.flatnonzero(~is_test), "test": np.flatnonzero(is_test)}

    def labels(self, part: Part) -> Int64Array:
        """See `Source`."""
        labels: Int64Array = self._targets[self._indices[part]]
        return labels

    def images(self, part: Part, indices: Int64Array) -> UInt8Array:
        """See `Source`."""
        images = np.empty((len(indices), *IMAGE_SHAPE), dtype=np.uint8)
        for row, index in enumerate(self._indices[part][indices]):
            levels = np.rint(self._grey[index] * (255 / _BRIGHTEST)).astype(np.uint8)
            image = Image.fromarray(levels).resize(IMAGE_SHAPE[1:], Image.Resampling.BILINEAR)
            images[row] = np.asarray(image)
        return images
