"""One run file and a dataset → predictions, an epoch log, and metrics."""

import logging
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torchvision.models.resnet import ResNet

from resnet_sizes.records.base import content_hash
from resnet_sizes.records.errors import UserError, WriteError
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import FEATURES, WORK, RunFolder
from resnet_sizes.records.locks import one_process
from resnet_sizes.records.metrics import Code, FeatureCache, Metrics
from resnet_sizes.records.run import RunFile
from resnet_sizes.records.tensor_file import read_dataset, read_predictions
from resnet_sizes.records.weights import WeightsInfo
from resnet_sizes.training.attempt import resume, train
from resnet_sizes.training.backbone_pass import BackbonePass
from resnet_sizes.training.checkpoints import Checkpoints
from resnet_sizes.training.clock import Clock, now
from resnet_sizes.training.compiling import check_compiler
from resnet_sizes.training.determinism import set_determinism
from resnet_sizes.training.devices import describe, select_device, set_threads
from resnet_sizes.training.features import Features, cache_obstacle, cached_features
from resnet_sizes.training.inputs import Data, DeviceData
from resnet_sizes.training.keeping import Attempt, Keeper
from resnet_sizes.training.loop import Trainer
from resnet_sizes.training.memory import explained_out_of_memory
from resnet_sizes.training.networks import (
    build_network,
    count_parameters,
    ready_for_training,
)
from resnet_sizes.training.precision import check_precision
from resnet_sizes.training.progress import Progress
from resnet_sizes.training.provenance import code, versions
from resnet_sizes.training.results import write_results
from resnet_sizes.training.stopping import StopRequest, Supervision, Watchdog
from resnet_sizes.training.weights import load_initial_weights

log = logging.getLogger("resnet_sizes")


@dataclass(frozen=True)
class Care:
    """What decides no result, but how much a stop costs."""

    work: Path = WORK
    """The folder for checkpoints and features."""
    checkpoint_minutes: float = 10.0
    """Between two checkpoints within an epoch."""
    watchdog_minutes: float = 30.0
    """Without a step, after which the run is taken to hang."""
    time_limit_minutes: float | None = None
    """After which the run stops itself, with a checkpoint."""

    @property
    def keep_every(self) -> float:
        """Seconds between two checkpoints."""
        return self.checkpoint_minutes * 60

    @property
    def time_limit(self) -> float | None:
        """In seconds."""
        return None if self.time_limit_minutes is None else self.time_limit_minutes * 60


def train_run(
    run: RunFile,
    dataset: Path,
    folder: RunFolder,
    device_name: str,
    weights: WeightsInfo | None = None,
    care: Care | None = None,
) -> Metrics:
    """Train one run and write its results to `folder`, `metrics.json` last.

    `weights` says where the initial weights lie, for a run that starts from a file. A run that was
    stopped or killed goes on from its last checkpoint, and ends as if it had not been. Raises
    UserError if the dataset or the weights are not the run's, a device is missing or cannot do
    what the run asks for, memory is short, or a loss is not finite; the epochs done until then
    stay in `log.jsonl`. Raises Stopped when the run is asked to stop.
    """
    care = care or Care()
    home = care.work / content_hash(run)
    waiting = f"{run.name}: another process trains this run; waiting until it ends"
    made_by, before, waits = code(), _state(folder.metrics), []
    with StopRequest(care.time_limit) as stop, ExitStack() as lock:

        def meanwhile() -> None:
            waits.append(True)
            stop.check()

        try:
            lock.enter_context(one_process(home, waiting, meanwhile))
        except OSError as error:
            log.warning(
                "warning: %s: cannot be locked (%s). The run goes on; see that no other process "
                "trains it",
                *(home, error),
            )
        with Watchdog(run.name, care.watchdog_minutes * 60) as watchdog:
            attempted = (run, dataset, folder, device_name, weights, care, made_by)
            # Not by the times in it: a clock may be put back.
            if waits and _state(folder.metrics) != before:
                made = _made_by_another(run, folder, made_by)
                if made:
                    return made
            return _train_run(*attempted, Checkpoints(home), Supervision(stop, watchdog))


def _state(path: Path) -> tuple[int, int] | None:
    """What changes when a file is replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _made_by_another(run: RunFile, folder: RunFolder, made_by: Code) -> Metrics | None:
    """The results of the process that this one has waited for, if they are whole."""
    try:
        metrics = read_record(folder.metrics, Metrics, "")
        read_predictions(folder.predictions, metrics.predictions_sha256)
    except UserError:
        return None
    ours = metrics.run == run and metrics.code.training_hash == made_by.training_hash
    if not ours:
        return None
    log.info("%s: the other process has finished it", run.name)
    return metrics


def _train_run(
    run: RunFile,
    dataset: Path,
    folder: RunFolder,
    device_name: str,
    weights: WeightsInfo | None,
    care: Care,
    made_by: Code,
    checkpoints: Checkpoints,
    supervision: Supervision,
) -> Metrics:
    started = now()
    info, arrays = read_dataset(dataset)
    if info.identity != run.dataset_identity:
        raise UserError(
            f"{dataset}: holds data {info.identity[:12]}…, but the run was planned for "
            f"{run.dataset_identity[:12]}…. Plan it anew: resnet-sizes study runs STUDY"
        )
    device = select_device(device_name)
    set_threads(run.threads)
    check_precision(run.precision, device)
    check_compiler(run.compile_mode, device)
    set_determinism(run.deterministic, run.seed, run.precision)
    network = build_network(run.model, run.reading, len(info.class_names))
    load_initial_weights(network, run, weights)
    described = describe(device)
    log.info(
        "%s: %d epochs of %d images on %s (%s, %d threads), %s",
        *(run.name, run.epochs, info.train_images),
        *(described.name, described.kind, described.threads, run.precision),
    )
    attempt = Attempt(
        run_hash=content_hash(run),
        code=made_by,
        versions=versions(device),
        device=described,
        started=started,
        history=[],
        resumptions=[],
    )
    kept = checkpoints.newest(attempt.run_hash, made_by.training_hash)
    with explained_out_of_memory(run):
        counted = count_parameters(network, run.reading)
        network = ready_for_training(network, run.reading, device)
        on_device = DeviceData.on(device, arrays)
        material = _material(run, network, on_device, device, care, supervision)
        attempt.feature_cache = material.cache
        trainer = Trainer(run, material.network, material.data, device)
        if kept:
            resume(trainer, attempt, *kept)
        undisturbed = supervision.stop.undisturbed
        keeper = Keeper(checkpoints, attempt, trainer, care.keep_every, undisturbed)
        logits = train(trainer, attempt, keeper, supervision, folder)
    try:
        labels = arrays.test_labels
        metrics = write_results(run, folder, info, labels, logits, attempt, counted, device)
    except WriteError:
        keeper.write()  # so that nothing has to be trained again once there is room
        raise
    checkpoints.clear()
    return metrics


@dataclass(frozen=True)
class _Material:
    """What the loop trains: the whole network on images, or its head on features."""

    network: nn.Module
    data: Data
    cache: FeatureCache | None = None


def _material(
    run: RunFile,
    network: ResNet,
    data: DeviceData,
    device: torch.device,
    care: Care,
    supervision: Supervision,
) -> _Material:
    if run.reading.trainable == "all":
        return _Material(network, data)
    obstacle = cache_obstacle(run)
    if obstacle:
        log.info(
            "%s: every epoch goes through the frozen layers; their features are not kept, since %s",
            *(run.name, obstacle),
        )
        return _Material(network, data)
    features = _features(run, network, data, device, care, supervision)
    cache = FeatureCache(
        key=features.key,
        reused=features.reused,
        forward_seconds=features.forward_seconds,
        timed_images=features.timed_images,
    )
    return _Material(network.fc, features.on(device, data), cache)


def _features(
    run: RunFile,
    network: ResNet,
    data: DeviceData,
    device: torch.device,
    care: Care,
    supervision: Supervision,
) -> Features:
    images = len(data.train_labels) + len(data.test_labels)
    wait = Clock(device).synchronise
    with Progress(f"{run.name}: features", images, "images", wait) as progress:

        def batch_done(count: int) -> None:
            progress.advance(count)
            supervision.look()

        through = BackbonePass(run, network, data, device, batch_done)
        folder = care.work / FEATURES
        return cached_features(folder, run, device, through, care.keep_every, supervision.look)
