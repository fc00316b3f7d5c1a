"""scikit-learn's handwritten digits: real images that need no network.

1,797 images of 8×8 pixels with 17 grey levels: the test part of E. Alpaydin and C. Kaynak,
Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from resnet_sizes.data.sources.source import Part, Source
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, Int64Array, UInt8Array

_BRIGHTEST = 16
_TEST_EVERY = 5


class DigitsSource(Source):
    """The digits, brought to 32×32 (bilinear) and to RGB (three equal channels).

    Every fifth image of each class is a test image: about 80/20, the same forever, and close
    to equal shares of every writer, who follow one another in the files.
    """

    def __init__(self) -> None:
        digits = load_digits()
        names = [str(name) for name in digits.target_names]
        targets = digits.target.astype(np.int64)
        is_test = np.zeros(len(targets), dtype=bool)
        for label in range(len(names)):
            is_test[np.flatnonzero(targets == label)[_TEST_EVERY - 1 :: _TEST_EVERY]] = True
        images = np.stack([_enlarged(grey) for grey in digits.images])
        labels: dict[Part, Int64Array] = {"train": targets[~is_test], "test": targets[is_test]}
        super().__init__(None, names, labels, {"train": images[~is_test], "test": images[is_test]})


def _enlarged(grey: NDArray[np.float64]) -> UInt8Array:
    levels = np.rint(grey * (255 / _BRIGHTEST)).astype(np.uint8)
    image = Image.fromarray(levels).resize(IMAGE_SHAPE[1:], Image.Resampling.BILINEAR)
    return np.broadcast_to(np.asarray(image), IMAGE_SHAPE)
