"""One run: first its own lock, then a device, then torch, then the training.

No torch until a device is held, since torch looks for devices only once. The run's lock comes
first: a second process on the same run keeps no device from others while it waits.
"""

import logging
from contextlib import ExitStack
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
    trained where `options.kept` holds the results of this very run. Raises
    UserError if the dataset or the weights are not the run's, a device is missing or cannot do
    what the run asks for, memory is short, or a loss is not finite; the epochs done until then
    stay in `log.jsonl`. Raises Stopped when the run is asked to stop.
    """
    options = options or RunOptions()
    home = options.work / content_hash(run)
    waiting = f"{run.name}: another process trains this run; waiting until it ends"
    before, waits = _state(folder.metrics), []
    with StopRequest(options.time_limit) as stop, ExitStack() as held:

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
        if options.kept:
            made = _results(run, options.kept)
            if made and device_name.partition(":")[0] in ("auto", made.device.kind):
                copy_together([options.kept.predictions, options.kept.metrics], folder.folder)
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

        slot = held.enter_context(device_slot(run.name, device_name, meanwhile))
        progress.phase("starting")

        # torch, which looks for devices now
        from resnet_sizes.training.job.run import train_on_device

        stop.check()
        with Watchdog(run.name, options.watchdog_seconds) as watchdog:
            supervision = Supervision(stop, watchdog, progress)
            return train_on_device(run, dataset, folder, weights, options, slot, supervision)


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
