"""Checks that end as on a broken device."""

import os
import time

from resnet_sizes.device_check.bench import Bench
from resnet_sizes.device_check.session import Check


def hangs(bench: Bench) -> None:
    """As a kernel that never ends."""
    time.sleep(600)


def dies(bench: Bench) -> None:
    """As an illegal access of memory."""
    os.abort()


def fails(bench: Bench) -> None:
    """Finds something, and then ends in an error."""
    bench.within("a share", float("nan"), 0.5)
    raise RuntimeError("device-side assert\n triggered")


def passes(bench: Bench) -> None:
    """Measures something."""
    bench.within("a share", 0.25, 0.5)


def check(name: str) -> Check:
    """One of these."""
    return Check(name, f"what {name}", __name__)
