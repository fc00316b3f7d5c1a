"""What is made once in a test run, by the worker that needs it first."""

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from filelock import FileLock

VARIABLE = "RESNET_SIZES_TESTS_SHARED"
"""Names the folder that all workers of a test run share; tests/conftest.py makes it."""


def made_once(key: object, make: Callable[[Path], object]) -> Path:
    """The folder that `make` fills, the same for every worker that asks with an equal key.

    Tests read from it. What they change they copy first.
    """
    described = json.dumps(key, sort_keys=True, default=str)
    folder = Path(os.environ[VARIABLE]) / sha256(described.encode()).hexdigest()[:16]
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder
