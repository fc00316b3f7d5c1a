"""What tests of several folders share."""

import os
from pathlib import Path

import pytest

_VARIABLE = "RESNET_SIZES_CIFAR10_JPEG"
_BESIDE_CHECKOUT = Path(__file__).parents[2] / "shared" / "data" / "cifar10-jpeg.tar.gz"


@pytest.fixture(scope="session")
def cifar10_jpeg() -> Path:
    """An archive of CIFAR-10 re-encoded as JPEG, which is not part of the project."""
    named = os.environ.get(_VARIABLE)
    path = Path(named) if named else _BESIDE_CHECKOUT
    if not path.is_file():
        pytest.skip(f"no archive of real images: set {_VARIABLE} to its path ({path} is missing)")
    return path
