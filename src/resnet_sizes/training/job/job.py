"""Runs, one after the other: first a run's own lock, then a device, then torch, then the training.

No torch until a device is held, since torch looks for devices only once. The run's lock comes
first: a second process on the same run keeps no device from others while it waits.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import copy_together, read_if_valid
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


def train_runs(
    runs: Sequence[tuple[RunFile, RunFolder]],
    dataset: Path,
    device_name: str,
    weights: WeightsInfo | None = None,
    options: RunOptions | None = None,
) -> Iterator[Metrics]:
    """Train the seeds of one reading and model in their order, and write the results of each to
    its folder, `metrics.json` last.

    Each is what it would be alone, bit by bit: it has its own network, order of images and times.
    They share the process, its device, and what lies there: images and kept features. `weights`
    says where the initial weights lie, for runs that start from a file. A run that was stopped or
    killed goes on from its last checkpoint, and ends as if it had not been. Nothing is trained
    where `options.study` has kept the results of this very run. Of several, those that have
    results already are left as they are, new results are kept for the workflow as well, and one
    that fails stops no other; UserError is raised in the end.

    Raises UserError if the dataset or the weights are not the run's, a device is missing or cannot
    do what the run asks for, memory is short, or a loss is not finite; the epochs done until then
    stay in `log.jsonl`. Raises Stopped when the run is asked to stop.
    """
    options, several = options or RunOptions(), len(runs) > 1
    place = Workplace(dataset, device_name, weights, options)
    failed: list[str] = []
    with StopRequest(options.time_limit) as stop, ExitStack() as process:
        for run, folder in runs:
            try:
                metrics = _results(run, folder, options.keep_weights) if several else None
                if metrics is None:
                    metrics = _train(run, folder, place, stop, process)
                    if several and options.study:
                        kept = options.study.kept(run.name).folder
                        copy_together(folder.results(options.keep_weights), kept)
            except UserError as error:
                if not several:
                    raise
                log.error(f"error: {error}")
                failed.append(run.name)
            else:
                yield metrics
    if failed:
        raise UserError(f"{', '.join(failed)}: not trained, for the reason above.")


def _train(
    run: RunFile, folder: RunFolder, place: Workplace, stop: StopRequest, process: ExitStack
) -> Metrics:
    """Train one run, unless its results are kept or another process has just made them; a device
    that it needs is held to the end of the process."""
    options = place.options
    home, before = options.work / content_hash(run), read_if_valid(folder.metrics, Metrics)
    waiting = f"{run.name}: another process trains this run; waiting until it ends"
    with one_process(home, waiting, stop.check) as waited, ExitStack() as held:
        if waited:
            made = _results(run, folder, options.keep_weights)
            if made and made != before:
                log.info(f"{run.name}: the other process has finished it")
                return made
        if options.study:
            kept = options.study.kept(run.name)
            made = _results(run, kept, options.keep_weights)
            if made and place.device.partition(":")[0] in ("auto", made.device.kind):
                copy_together(kept.results(options.keep_weights), folder.folder)
                same = f"data, settings and code are those of its results of {made.finished}"
                log.info(f"{run.name}: {same}, which stay")
                return made
        progress = held.enter_context(ProgressFile(home, run))

        def meanwhile(why: str | None) -> None:
            progress.phase("waiting for a device", why)
            stop.check()

        slot = place.slot or process.enter_context(device_slot(run.name, place.device, meanwhile))
        place.slot = slot
        progress.phase("starting")

        # torch, which looks for devices now
        from resnet_sizes.training.job.run import train_on_device

        stop.check()
        with Watchdog(run.name, options.watchdog_seconds) as watchdog:
            supervision = Supervision(stop, watchdog, progress)
            return train_on_device(run, folder, place, slot, supervision)


def _results(run: RunFile, folder: RunFolder, with_weights: bool) -> Metrics | None:
    """The results in a folder, if they are whole, and of this run and this code."""
    metrics = read_if_valid(folder.metrics, Metrics)
    is_whole = all(path.is_file() for path in folder.results(with_weights))
    if not is_whole or metrics is None or metrics.other_than(run, training_code_hash()):
        return None
    with suppress(UserError):
        read_predictions(folder.predictions, metrics.predictions_sha256)
        return metrics
    return None
