"""Runs, one after the other: first a run's own lock, then a device, then torch, then the training.

No torch until a device is held, since torch looks for devices only once. The run's lock comes
first: a second process on the same run keeps no device from others while it waits.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import copy_together, read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.locks import one_process
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.tensors import read_predictions
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.training.devices.gpu_slots import device_slot
from resnet_sizes.training.job.workplace import Workplace
from resnet_sizes.training.supervision.launch import RunOptions
from resnet_sizes.training.supervision.progress import ProgressFile
from resnet_sizes.training.supervision.stopping import StopRequest, Supervision, Watchdog

log = logging.getLogger("resnet_sizes")


def train_run(
    run: RunFile,
    dataset: Path,
    folder: RunFolder,
    device_name: str,
    weights: WeightsInfo | None = None,
    options: RunOptions | None = None,
) -> Metrics:
    """Train one run and write its results to `folder`, `metrics.json` last.

    `weights` says where the initial weights lie, for a run that starts from a file. A run that was
    stopped or killed goes on from its last checkpoint, and ends as if it had not been. Nothing is
    trained where `options.study` has kept the results of this very run. Raises
    UserError if the dataset or the weights are not the run's, a device is missing or cannot do
    what the run asks for, memory is short, or a loss is not finite; the epochs done until then
    stay in `log.jsonl`. Raises Stopped when the run is asked to stop.
    """
    [metrics] = train_runs([(run, folder)], dataset, device_name, weights, options)
    return metrics


def train_runs(
    runs: Sequence[tuple[RunFile, RunFolder]],
    dataset: Path,
    device_name: str,
    weights: WeightsInfo | None = None,
    options: RunOptions | None = None,
) -> Iterator[Metrics]:
    """Train the seeds of one reading and model as `train_run` trains one, in their order.

    Each is what it would be alone, bit by bit: it has its own network, order of images and times.
    They share the process, its device, and what lies there: images and kept features. Of several,
    those that have results already are left as they are, new results are kept for the workflow as
    well, and one that fails stops no other; UserError is raised in the end.
    """
    options = options or RunOptions()
    failed: list[str] = []
    with StopRequest(options.time_limit) as stop, ExitStack() as process:
        job = _Job(dataset, device_name, weights, options, stop, process)
        for run, folder in runs:
            made = _results(run, folder) if len(runs) > 1 else None
            try:
                metrics = made or job.train(run, folder)
                if len(runs) > 1 and options.study and not made:
                    kept = options.study.kept(run.name).folder
                    copy_together([folder.predictions, folder.metrics], kept)
            except UserError as error:
                if len(runs) == 1:
                    raise
                log.error("error: %s", error)
                failed.append(run.name)
                continue
            yield metrics
    if failed:
        raise UserError(f"{', '.join(failed)}: not trained, for the reason above.")


@dataclass
class _Job:
    """What runs of one process have in common."""

    dataset: Path
    device_name: str
    weights: WeightsInfo | None
    options: RunOptions
    stop: StopRequest
    process: ExitStack
    place: Workplace | None = None
    """Once a run has needed a device, which is held to the end."""

    def train(self, run: RunFile, folder: RunFolder) -> Metrics:
        """One run."""
        with ExitStack() as held:
            return self._train(run, folder, held)

    def _train(self, run: RunFile, folder: RunFolder, held: ExitStack) -> Metrics:
        stop, options, device_name = self.stop, self.options, self.device_name
        home = options.work / content_hash(run)
        waiting = f"{run.name}: another process trains this run; waiting until it ends"
        before, waits = _state(folder.metrics), []

        def waiting_for_the_run() -> None:
            waits.append(True)
            stop.check()

        try:
            held.enter_context(one_process(home, waiting, waiting_for_the_run))
        except OSError as error:
            log.warning(
                "warning: %s: cannot be locked (%s). The run goes on; see that no other process "
                "trains it",
                home,
                error,
            )
        # Not by the times in it: a clock may be put back.
        if waits and _state(folder.metrics) != before:
            made = _results(run, folder)
            if made:
                log.info("%s: the other process has finished it", run.name)
                return made
        if options.study:
            kept = options.study.kept(run.name)
            made = _results(run, kept)
            if made and device_name.partition(":")[0] in ("auto", made.device.kind):
                copy_together([kept.predictions, kept.metrics], folder.folder)
                log.info(
                    "%s: data, settings and code are those of its results of %s, which stay",
                    run.name,
                    made.finished,
                )
                return made
        progress = held.enter_context(ProgressFile(home, run))

        def meanwhile(why: str | None) -> None:
            progress.phase("waiting for a device", why)
            stop.check()

        if self.place is None:
            slot = self.process.enter_context(device_slot(run.name, device_name, meanwhile))
            self.place = Workplace(slot, self.dataset)
        progress.phase("starting")

        # torch, which looks for devices now
        from resnet_sizes.training.job.run import train_on_device

        stop.check()
        with Watchdog(run.name, options.watchdog_seconds) as watchdog:
            supervision = Supervision(stop, watchdog, progress)
            return train_on_device(run, folder, self.weights, options, self.place, supervision)


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _results(run: RunFile, folder: RunFolder) -> Metrics | None:
    """The results in a folder, if they are whole, and of this run and this code."""
    try:
        metrics = read_record(folder.metrics, Metrics, "")
        read_predictions(folder.predictions, metrics.predictions_sha256)
    except UserError:
        return None
    current = metrics.run == run and metrics.code.training_hash == training_code_hash()
    return metrics if current else None
