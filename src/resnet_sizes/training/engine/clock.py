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
        self._start = 0.0
        self.seconds = 0.0

    @contextmanager
    def span(self, before: float = 0.0) -> Iterator[None]:
        """Measure the block; its length is then in `seconds`, with `before` added: what an
        interrupted attempt had measured of the same work."""
        self.synchronise()
        self._start = time.perf_counter() - before
        yield
        self.synchronise()
        self.seconds = time.perf_counter() - self._start

    def so_far(self) -> float:
        """Seconds of the span under way."""
        self.synchronise()
        return time.perf_counter() - self._start

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Leave the block out of the span under way."""
        self.synchronise()
        start = time.perf_counter()
        yield
        self._start += time.perf_counter() - start

    def synchronise(self) -> None:
        """Wait until the device has done all it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()
