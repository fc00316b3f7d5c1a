"""When a run's state is written, and what is written."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from resnet_sizes.schemas.run.checkpoint import CheckpointRecord
from resnet_sizes.schemas.run.metrics import Code, Device, EpochMetrics, FeatureCache, Resumption
from resnet_sizes.training.devices.device_sharing import Company
from resnet_sizes.training.devices.select import peak_memory
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.supervision.checkpoints import Checkpoints

log = logging.getLogger("resnet_sizes")

SHARE = 0.05
"""Of the time at most that the checkpoints at the ends of epochs may take."""


@dataclass
class Attempt:
    """What an attempt knows of its run, beside the training's state."""

    run_hash: str
    code: Code
    """As it was when the attempt began: its file may change while it runs."""
    versions: dict[str, str]
    device: Device
    company: Company
    started: str
    history: list[EpochMetrics]
    resumptions: list[Resumption]
    feature_cache: FeatureCache | None = None
    peak_memory_bytes: int = 0
    """Of the attempts before."""


class Keeper:
    """Writes checkpoints at the ends of epochs, and within those that take long."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        attempt: Attempt,
        trainer: Trainer,
        every: float,
        undisturbed: Callable[[], AbstractContextManager[None]],
    ) -> None:
        """`every` is the number of seconds after which one is due within an epoch; `undisturbed`
        gives the block in which one is written."""
        self._checkpoints = checkpoints
        self._attempt = attempt
        self._trainer = trainer
        self._every = every
        self._undisturbed = undisturbed
        self._last = time.monotonic()
        self.cost = 0.0
        """Seconds that the last one took to write."""

    def within_epoch(self) -> None:
        """Write one if the last is old."""
        if time.monotonic() - self._last >= self._every:
            self.write()

    def at_end_of_epoch(self) -> None:
        """Write one, unless epochs are so short that writing would take a notable share of the
        time; the next epoch's end will do then."""
        if time.monotonic() - self._last >= self.cost / SHARE:
            self.write()

    def write(self) -> bool:
        """Write one now; False where the disk refuses."""
        with self._undisturbed(), self._trainer.pause():
            start = time.monotonic()
            attempt = self._attempt
            record = CheckpointRecord(
                run_hash=attempt.run_hash,
                training_hash=attempt.code.training_hash,
                versions=attempt.versions,
                device=attempt.device,
                history=attempt.history,
                resumptions=attempt.resumptions,
                sharing=attempt.company.record(),
                feature_cache=attempt.feature_cache,
                started=attempt.started,
                peak_memory_bytes=max(attempt.peak_memory_bytes, peak_memory(self._trainer.device)),
                **self._trainer.numbers(),
            )
            written = self._checkpoints.write(record, self._trainer.tensors())
            self._last = time.monotonic()
            self.cost = self._last - start
        return written
