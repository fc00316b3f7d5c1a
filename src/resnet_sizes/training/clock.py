"""Training time, synchronised and without evaluation."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Clock:
    """Measures spans on a device that works asynchronously.

    A span starts and ends with a synchronisation, so it holds all of its own work and
    nothing of its neighbours'.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.seconds = 0.0

    @contextmanager
    def span(self) -> Iterator[None]:
        """Measure the block; its length is then in `seconds`."""
        self.synchronise()
        start = time.perf_counter()
        yield
        self.synchronise()
        self.seconds = time.perf_counter() - start

    def synchronise(self) -> None:
        """Wait until the device has done all it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()
