"""One run file and a dataset → predictions, an epoch log, and metrics."""

import gc
import json
import logging
from contextlib import suppress
from pathlib import Path

import torch
from torch import nn

from resnet_sizes.io.errors import Stopped, UserError, WriteError
from resnet_sizes.io.files import explained_write, write_text
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.own_code import explained
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import FEATURES, RunFolder
from resnet_sizes.schemas.run.metrics import FIRST_STEPS, EpochMetrics, Metrics
from resnet_sizes.schemas.run.progress import Phase
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training import capabilities
from resnet_sizes.training.devices.gpu_slots import DeviceSlot
from resnet_sizes.training.devices.select import describe, forget_peak, select_device, set_threads
from resnet_sizes.training.engine import networks
from resnet_sizes.training.engine.batches import DeviceData, FeatureData
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.features.cache import cached_features, features_key
from resnet_sizes.training.features.extraction import FeatureExtractor
from resnet_sizes.training.job.checkpointing import Attempt, Checkpointer, resume
from resnet_sizes.training.job.results import code, versions, write_results
from resnet_sizes.training.job.workplace import Workplace
from resnet_sizes.training.supervision.checkpoints import Checkpoints
from resnet_sizes.training.supervision.progress import Progress
from resnet_sizes.training.supervision.stopping import Supervision

log = logging.getLogger("resnet_sizes")


def train_on_device(
    run: RunFile, folder: RunFolder, place: Workplace, slot: DeviceSlot, supervision: Supervision
) -> Metrics:
    """Train one run on the device of a slot, as `job.train_runs` says."""
    started, made_by, run_hash = utc_now(), code(), content_hash(run)
    info, recipe, head = place.dataset[0], run.reading, run.entry.head
    if info.identity != run.dataset_identity:
        raise UserError(
            f"{place.path}: holds data {info.identity[:12]}…, but the run was planned for "
            f"{run.dataset_identity[:12]}…. Plan it again: resnet-sizes study runs STUDY"
        )
    supervision.check()
    own = run.network.file if run.network else None
    with explained(own, "networks"), capabilities.explained_out_of_memory(run):
        device = select_device(slot.torch_name)
        if place.images is not None:
            gc.collect()  # the network of the run before
            forget_peak(device)
        sharing = slot.monitor(device.type)
        set_threads(run.threads)
        capabilities.check_precision(run.precision, device)
        capabilities.check_compiler(run.compile_mode, device)
        if own:  # a last batch may be of one image, which nobody should learn at the end
            networks.macs_per_image(run.model, recipe, len(info.class_names), run.network)
        network = networks.initial_network(run, len(info.class_names), place.weights)
        described = describe(device, slot.gpu)
        supervision.progress.on(described)
        log.info(
            f"{run.name}: {run.epochs} epochs of {info.train_images - run.validation} images on "
            f"{described.name} ({described.kind}, {described.threads} threads), {run.precision}"
        )
        attempt = Attempt(
            run_hash=run_hash,
            code=made_by,
            versions=versions(device),
            device=described,
            sharing=sharing,
            energy=slot.energy(device.type),
            started=started,
            parameters=networks.count_parameters(network, recipe, head),
        )
        checkpoints = Checkpoints(place.options.work / run_hash)
        kept = checkpoints.newest(run_hash, made_by.training_hash)
        supervision.check()
        network = networks.ready_for_training(network, recipe, device, run.precision, head)
        trainer = _trainer(run, network, place, attempt, supervision)
        if kept:
            resume(trainer, attempt, *kept)
        checkpointer = Checkpointer(
            checkpoints, attempt, trainer, supervision.stop, place.options.checkpoint_seconds
        )
        logits = _train(trainer, checkpointer, supervision, folder)
    try:
        metrics = write_results(trainer, attempt, folder, logits, place.options.keep_weights)
    except WriteError:
        checkpointer.write()  # so that nothing has to be trained again once there is room
        raise
    checkpoints.clear()
    return metrics


def _trainer(
    run: RunFile, network: nn.Module, place: Workplace, attempt: Attempt, supervision: Supervision
) -> Trainer:
    """What trains the whole network on images, or its head on features that are computed once."""
    device = next(network.parameters()).device
    images = place.images = place.images or DeviceData.on(device, place.dataset[1])
    if not run.keeps_features:
        if run.reading.trainable == "head":
            log.info(
                f"{run.name}: every epoch goes through the frozen layers; their features are not "
                f"kept, since {run.cache_obstacle}"
            )
        return Trainer(run, network, images, device)
    key = features_key(run, attempt.device, attempt.versions, attempt.code.training_hash)
    total = len(images.train_labels) + len(images.test_labels)
    file = supervision.progress
    file.phase("features")
    progress = Progress(f"{run.name}: features", total, "images", Clock(device).synchronise)

    def batch_done(count: int) -> None:
        progress.advance(count)
        if file.is_due():
            done = {"images": progress.done, "all_images": total}
            file.update("features", **done, remaining_seconds=progress.remaining())
        supervision.check()

    train, test, attempt.feature_cache = cached_features(
        place.options.work / FEATURES,
        key,
        FeatureExtractor(run, network, images, device, batch_done),
        place.options.checkpoint_seconds,
        supervision.check,
        place.features,
    )
    train, test = train.to(device), test.to(device)
    features = FeatureData(train, images.train_labels, test, images.test_labels)
    return Trainer(run, network.get_submodule(run.entry.head), features, device)


def _train(
    trainer: Trainer, checkpointer: Checkpointer, supervision: Supervision, folder: RunFolder
) -> torch.Tensor:
    """Train to the end; the test logits of the last epoch, float32 `[N_test, classes]`. `log.jsonl`
    has the epochs of all attempts, each once. Raises Stopped, after a checkpoint, when asked to."""
    run, attempt, file = trainer.run, checkpointer.attempt, supervision.progress
    history, in_epoch = attempt.history, trainer.in_epoch
    before = len(history) * in_epoch + trainer.epoch.step
    logits = trainer.test_logits().cpu() if len(history) == run.epochs else torch.empty(0)
    # A disk that refuses it would refuse the results too.
    write_text(folder.log, "".join(map(_line, history)))
    if attempt.feature_cache or attempt.resumptions:
        checkpointer.write()  # with the time that the pass took; with this attempt among the others
    progress = Progress(run.name, trainer.steps, "steps", Clock(trainer.device).synchronise, before)

    def show() -> None:
        attempt.energy.look()
        epoch = trainer.epoch
        in_this = min(in_epoch, trainer.steps - (epoch.number - 1) * in_epoch)
        done = {"epoch": epoch.number, "step": epoch.step, "steps": in_this}
        # The device is waited for, which is why this is not done in each step.
        loss = torch.stack(epoch.losses).mean().item() if epoch.losses else None
        phase: Phase = "evaluation" if epoch.trained else "training"
        file.update(phase, **done, loss=loss, remaining_seconds=progress.remaining())

    def between() -> None:
        if file.is_due():
            show()
        supervision.watchdog.beat()
        if reason := supervision.stop.reason():
            _stop(trainer, checkpointer, *reason)

    def step_done(loss: torch.Tensor) -> None:
        made = len(history) * in_epoch + trainer.epoch.step
        # None of a run that goes on from a checkpoint which has not kept those before.
        if made == len(attempt.first_losses) + 1 <= FIRST_STEPS:
            attempt.first_losses.append(loss)
        progress.advance(1)
        between()
        checkpointer.within_epoch()

    if len(history) < run.epochs:  # unless it was stopped when only its results were missing
        show()
    for metrics, epoch_logits in trainer.epochs(step_done, between):
        history.append(metrics)
        logits = epoch_logits
        attempt.sharing.look()
        _append(folder.log, metrics)
        progress.epoch_done(metrics, run.epochs)
        checkpointer.at_end_of_epoch()
    with suppress(WriteError):  # the results, which come next, say so
        write_text(folder.log, "".join(map(_line, history)))  # with lines that were refused
    file.phase("writing results")
    return logits


def _stop(trainer: Trainer, checkpointer: Checkpointer, why: str, status: int) -> None:
    name, epoch, step = trainer.run.name, trainer.epoch.number, trainer.epoch.step
    outcome = (
        "Its checkpoint is written; the same command goes on from there."
        if checkpointer.write()
        else "No checkpoint could be written: it goes on from the one before, if there is one."
    )
    raise Stopped(f"{name}: stopped by {why} in epoch {epoch} after step {step}. {outcome}", status)


def _append(path: Path, metrics: EpochMetrics) -> None:
    """Add an epoch to the log; where the disk refuses, the run goes on."""
    try:
        with explained_write(path), path.open("a", encoding="utf-8") as file:
            file.write(_line(metrics))
    except WriteError as error:
        log.warning(f"warning: {error} The run goes on meanwhile")


def _line(metrics: EpochMetrics) -> str:
    return json.dumps(metrics.model_dump()) + "\n"
