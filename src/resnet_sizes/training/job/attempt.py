"""One attempt at a run: from where the last one stopped, step by step, to its end or a stop."""

import json
import logging
from pathlib import Path

import torch

from resnet_sizes.io.errors import Stopped, WriteError
from resnet_sizes.io.files import explained_write, write_text
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.checkpoint import CheckpointRecord
from resnet_sizes.schemas.run.metrics import Device, EpochMetrics, Resumption
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.preprocessing import batches_per_epoch
from resnet_sizes.training.engine.state import Tensors
from resnet_sizes.training.job.checkpointing import Attempt, Keeper
from resnet_sizes.training.supervision.progress import Progress
from resnet_sizes.training.supervision.progress_file import EVERY_END, ProgressFile
from resnet_sizes.training.supervision.stopping import Supervision

log = logging.getLogger("resnet_sizes")


def resume(trainer: Trainer, attempt: Attempt, record: CheckpointRecord, tensors: Tensors) -> None:
    """Put training and attempt back to where a checkpoint was written."""
    trainer.restore(record, tensors)
    here = attempt.device
    if _rounding(record.device) != _rounding(here):
        log.warning(
            "%s: was begun on %s and goes on on %s: from here on its numbers are rounded otherwise",
            *(trainer.run.name, _shown(record.device), _shown(here)),
        )
    changed = {
        name: value
        for name, value in record.versions.items()
        if attempt.versions.get(name) != value
    }
    if changed:
        log.warning(
            "%s: was begun with other versions of %s",
            *(trainer.run.name, ", ".join(changed)),
        )
    attempt.history = list(record.history)
    attempt.started = record.started
    attempt.peak_memory_bytes = record.peak_memory_bytes
    attempt.resumptions = [
        *record.resumptions,
        Resumption(
            epoch=record.epoch,
            step=record.step,
            device=here.name,
            at=utc_now(),
            before=record.device,
            versions_before=changed,
        ),
    ]
    attempt.company.go_on_from(record.sharing)
    kept, new = record.feature_cache, attempt.feature_cache
    if kept and new and kept.key == new.key:  # the pass that this run measured when it began
        attempt.feature_cache = kept
    log.info(
        "%s: goes on in epoch %d after step %d, from its checkpoint",
        *(trainer.run.name, record.epoch, record.step),
    )


def _rounding(device: Device) -> tuple[str, str, int | None]:
    """What decides in which order sums are taken."""
    return device.kind, device.name, device.threads if device.kind == "cpu" else None


def _shown(device: Device) -> str:
    return f"{device.name}, {device.threads} threads" if device.kind == "cpu" else device.name


def train(
    trainer: Trainer,
    attempt: Attempt,
    keeper: Keeper,
    supervision: Supervision,
    folder: RunFolder,
) -> torch.Tensor:
    """Train to the end; the test logits of the last epoch, float32 `[N_test, classes]`.

    `log.jsonl` has the epochs of all attempts, each once. Raises Stopped, after a checkpoint,
    where the run is asked to stop.
    """
    run, history = trainer.run, attempt.history
    in_epoch = batches_per_epoch(len(trainer.data.train_labels), run.batch_size)
    done = len(history) * in_epoch + trainer.epoch.step
    logits = trainer.test_logits().cpu() if len(history) == run.epochs else torch.empty(0)
    lines = _Log(folder.log, history)
    if attempt.feature_cache or attempt.resumptions:
        keeper.write()  # with the time that the pass took; with this attempt among the others
    synchronise = Clock(trainer.device).synchronise
    file = supervision.progress
    _tell(file, trainer, in_epoch, None)
    with Progress(run.name, run.epochs * in_epoch, "steps", synchronise, done) as progress:

        def between() -> None:
            if file.is_due():
                _tell(file, trainer, in_epoch, progress.remaining())
            supervision.watchdog.beat()
            reason = supervision.stop.reason()
            if reason:
                _stop(trainer, keeper, *reason)

        def step_done(loss: torch.Tensor) -> None:
            progress.advance(1)
            between()
            keeper.within_epoch()
            supervision.stop.margin = 2 * keeper.cost

        for metrics, epoch_logits in trainer.epochs(step_done, between):
            history.append(metrics)
            logits = epoch_logits
            attempt.company.look()
            lines.epoch_done()
            progress.epoch_done(metrics, run.epochs)
            if file.is_due(EVERY_END):
                file.training(
                    metrics.epoch, in_epoch, in_epoch, metrics.train_loss, progress.remaining()
                )
            keeper.at_end_of_epoch()
    lines.complete()
    file.phase("writing results")
    return logits


def _tell(file: ProgressFile, trainer: Trainer, steps: int, remaining: float | None) -> None:
    epoch = trainer.epoch
    if epoch.number > trainer.run.epochs:  # it was stopped when only its results were missing
        return
    # The device is waited for, which is why this is not done in each step.
    loss = torch.stack(epoch.losses).mean().item() if epoch.losses else None
    file.training(epoch.number, epoch.step, steps, loss, remaining, evaluates=epoch.trained)


def _stop(trainer: Trainer, keeper: Keeper, why: str, status: int) -> None:
    name, epoch, step = trainer.run.name, trainer.epoch.number, trainer.epoch.step
    kept = keeper.write()
    outcome = (
        "Its checkpoint is written; the same command goes on from there."
        if kept
        else "No checkpoint could be written: it goes on from the one before, if there is one."
    )
    raise Stopped(f"{name}: stopped by {why} in epoch {epoch} after step {step}. {outcome}", status)


class _Log:
    """`log.jsonl`: the epochs of all attempts, each once.

    A disk that refuses it at the beginning stops the run, since it would refuse the results too;
    later there is something to lose.
    """

    def __init__(self, path: Path, history: list[EpochMetrics]) -> None:
        self._path = path
        self._history = history
        self._behind = False
        write_text(path, self._lines())

    def epoch_done(self) -> None:
        """Write down the last epoch of the history."""
        if self._behind:
            self._write_anew()
            return
        try:
            with explained_write(self._path), self._path.open("a", encoding="utf-8") as file:
                file.write(_line(self._history[-1]))
        except WriteError as error:
            self._told(error)

    def complete(self) -> None:
        """Try once more where the last lines could not be written."""
        if self._behind:
            self._write_anew()

    def _write_anew(self) -> None:
        try:
            write_text(self._path, self._lines())
            self._behind = False
        except WriteError as error:
            self._told(error)

    def _lines(self) -> str:
        return "".join(_line(epoch) for epoch in self._history)

    def _told(self, error: WriteError) -> None:
        if not self._behind:
            log.warning("warning: %s The run goes on meanwhile", error)
        self._behind = True


def _line(metrics: EpochMetrics) -> str:
    return json.dumps(metrics.model_dump()) + "\n"
