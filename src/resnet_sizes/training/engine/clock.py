"""Training time, synchronised and without evaluation; a run's totals, measured or computed."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from resnet_sizes.schemas.run.metrics import EpochMetrics, FeatureCache


class Clock:
    """Measures spans on a device that works asynchronously: each starts and ends with a
    synchronisation, so it holds all of its own work and nothing of its neighbours'."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._start = 0.0
        self._running = False
        self._preparing_since = 0.0
        self.seconds = 0.0
        self.preparation = 0.0
        """Seconds of compiling and recording, which are in no span."""

    @contextmanager
    def span(self, before: float = 0.0) -> Iterator[None]:
        """Measure the block; its length is then in `seconds`, with `before` added: what an
        interrupted attempt had measured of the same work."""
        self.synchronise()
        self._start = time.perf_counter() - before
        self._running = True
        yield
        self.synchronise()
        self.seconds = time.perf_counter() - self._start
        self._running = False

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

    def begin_preparation(self) -> None:
        """From here on nothing is trained: code is compiled, or a graph recorded."""
        self.synchronise()
        self._preparing_since = time.perf_counter()

    def end_preparation(self) -> None:
        """Leave out of the span under way what has passed since; outside of spans it is the
        preparation of another clock's work."""
        self.synchronise()
        passed = time.perf_counter() - self._preparing_since
        if self._running:
            self._start += passed
            self.preparation += passed

    def synchronise(self) -> None:
        """Wait until the device has done all it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()


def total_seconds(epochs: Sequence[EpochMetrics], cache: FeatureCache | None) -> float:
    """Measured seconds of a run: its epochs, and the pass that computed its features, if it was
    its own."""
    passes = cache.forward_seconds if cache and not cache.reused else 0
    return sum(epoch.training_seconds for epoch in epochs) + passes


def equivalent_seconds(epochs: Sequence[EpochMetrics], cache: FeatureCache) -> float:
    """What a run would have taken without its cache: a plain loop sends every image through the
    frozen layers in every epoch."""
    steps = sum(epoch.training_seconds for epoch in epochs)
    return steps + len(epochs) * cache.forward_seconds
