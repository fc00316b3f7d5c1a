"""When a run's state is written, what is written, and how a run goes on from it."""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.run import metrics
from resnet_sizes.schemas.run.progress import CheckpointRecord
from resnet_sizes.training.devices.energy import EnergyMeter
from resnet_sizes.training.devices.gpu_slots import SharingMonitor
from resnet_sizes.training.devices.select import peak_memory
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.supervision.checkpoints import Checkpoints
from resnet_sizes.training.supervision.stopping import StopRequest
from resnet_sizes.training.tensor_files import Tensors

log = logging.getLogger("resnet_sizes")

SHARE = 0.05
"""The share of the time that the checkpoints at the ends of epochs may take at most."""


@dataclass
class Attempt:
    """What an attempt knows of its run, beside the training's state."""

    run_hash: str
    code: metrics.Code
    """As it was when the attempt began: its file may change while it runs."""
    versions: dict[str, str]
    device: metrics.Device
    sharing: SharingMonitor
    energy: EnergyMeter
    started: str
    parameters: tuple[int, int]
    """All of the network, and the trained ones."""
    history: list[metrics.EpochMetrics] = field(default_factory=list)
    first_losses: list[torch.Tensor] = field(default_factory=list)
    """On the device, which is not waited for: float32 scalars of the first steps."""
    resumptions: list[metrics.Resumption] = field(default_factory=list)
    feature_cache: metrics.FeatureCache | None = None
    peak_memory_bytes: int = 0
    """The peak of the attempts before."""

    def record(self, device: torch.device) -> dict[str, Any]:
        """What checkpoints and metrics tell alike, by their names for it."""
        return {
            "run_hash": self.run_hash,
            "versions": self.versions,
            "device": self.device,
            "first_losses": [loss.item() for loss in self.first_losses],
            "feature_cache": self.feature_cache,
            "resumptions": self.resumptions,
            "sharing": self.sharing.seen,
            "energy": self.energy.look(),
            "peak_memory_bytes": max(self.peak_memory_bytes, peak_memory(device)),
            "started": self.started,
        }


def resume(trainer: Trainer, attempt: Attempt, record: CheckpointRecord, tensors: Tensors) -> None:
    """Restore training and attempt from a checkpoint."""
    trainer.restore(record, tensors)
    now = attempt.versions
    changed = {each: was for each, was in record.versions.items() if now.get(each) != was}
    resumption = metrics.Resumption(
        epoch=record.epoch,
        step=record.step,
        device=attempt.device.name,
        at=utc_now(),
        before=record.device,
        versions_before=changed,
    )
    attempt.history = list(record.history)
    attempt.first_losses = [torch.tensor(loss) for loss in record.first_losses]
    attempt.started = record.started
    attempt.peak_memory_bytes = record.peak_memory_bytes
    attempt.resumptions = [*record.resumptions, resumption]
    attempt.sharing.resume_from(record.sharing)
    attempt.energy.resume_from(record.energy)
    kept, new = record.feature_cache, attempt.feature_cache
    if kept and new and kept.key == new.key:  # the pass that this run measured when it began
        attempt.feature_cache = kept
    where = f"in epoch {record.epoch} after step {record.step}"
    log.info(f"{trainer.run.name}: goes on {where}, from its checkpoint")


@dataclass
class Checkpointer:
    """Writes checkpoints at the ends of epochs, and within those that take long."""

    checkpoints: Checkpoints
    attempt: Attempt
    trainer: Trainer
    stop: StopRequest
    every: float
    """Seconds after which one is due within an epoch."""
    _last: float = field(default_factory=time.monotonic)
    _cost: float = 0.0
    """Seconds that the last one took to write."""

    def within_epoch(self) -> None:
        """Write one if the last is old."""
        if time.monotonic() - self._last >= self.every:
            self.write()

    def at_end_of_epoch(self) -> None:
        """Write one, unless epochs are so short that it would take a notable share of the time."""
        if time.monotonic() - self._last >= self._cost / SHARE:
            self.write()

    def write(self) -> bool:
        """Write one now; False where the disk refuses."""
        with self.trainer.pause():
            start, attempt = time.monotonic(), self.attempt
            record = CheckpointRecord(
                training_hash=attempt.code.training_hash,
                history=attempt.history,
                **attempt.record(self.trainer.device),
                **self.trainer.numbers(),
            )
            written = self.checkpoints.write(record, self.trainer.tensors())
            self._last = time.monotonic()
            self._cost = self._last - start
            self.stop.margin = 2 * self._cost
        return written
