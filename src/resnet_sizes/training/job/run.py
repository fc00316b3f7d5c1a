"""One run file and a dataset → predictions, an epoch log, and metrics."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torchvision.models.resnet import ResNet

from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import FEATURES, RunFolder
from resnet_sizes.schemas.run.metrics import FeatureCache, Metrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.tensors import read_dataset
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.training.devices.gpu_slots import Place, torch_name
from resnet_sizes.training.devices.select import describe, select_device, set_threads
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.compiling import check_compiler
from resnet_sizes.training.engine.determinism import set_determinism
from resnet_sizes.training.engine.inputs import Data, DeviceData
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import (
    build_network,
    count_parameters,
    ready_for_training,
)
from resnet_sizes.training.engine.precision import check_precision
from resnet_sizes.training.engine.weights import load_initial_weights
from resnet_sizes.training.features.feature_extraction import BackbonePass
from resnet_sizes.training.features.features import Features, cache_obstacle, cached_features
from resnet_sizes.training.job.attempt import resume, train
from resnet_sizes.training.job.checkpointing import Attempt, Keeper
from resnet_sizes.training.job.job import Care
from resnet_sizes.training.job.memory import explained_out_of_memory
from resnet_sizes.training.job.provenance import code, versions
from resnet_sizes.training.job.results import write_results
from resnet_sizes.training.supervision.checkpoints import Checkpoints
from resnet_sizes.training.supervision.progress import Progress
from resnet_sizes.training.supervision.stopping import Supervision

log = logging.getLogger("resnet_sizes")


def train_here(
    run: RunFile,
    dataset: Path,
    folder: RunFolder,
    device_name: str,
    weights: WeightsInfo | None,
    care: Care,
    place: Place,
    supervision: Supervision,
) -> Metrics:
    """Train one run in the place that it has been given, as `turn.train_run` says."""
    started, made_by = utc_now(), code()
    checkpoints = Checkpoints(care.work / content_hash(run))
    info, arrays = read_dataset(dataset)
    if info.identity != run.dataset_identity:
        raise UserError(
            f"{dataset}: holds data {info.identity[:12]}…, but the run was planned for "
            f"{run.dataset_identity[:12]}…. Plan it anew: resnet-sizes study runs STUDY"
        )
    supervision.look()
    with explained_out_of_memory(run):
        device = select_device(torch_name(device_name, place))
        company = place.settle(device.type)
        set_threads(run.threads)
        check_precision(run.precision, device)
        check_compiler(run.compile_mode, device)
        set_determinism(run.deterministic, run.seed, run.precision)
        network = build_network(run.model, run.reading, len(info.class_names))
        load_initial_weights(network, run, weights)
        described = describe(device, place.gpu)
        supervision.progress.on(described)
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
            company=company,
            started=started,
            history=[],
            resumptions=[],
        )
        kept = checkpoints.newest(attempt.run_hash, made_by.training_hash)
        supervision.look()
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
    supervision.progress.phase("features")
    with Progress(f"{run.name}: features", images, "images", wait) as progress:

        def batch_done(count: int) -> None:
            progress.advance(count)
            if supervision.progress.is_due():
                supervision.progress.features(progress.done, images, progress.remaining())
            supervision.look()

        through = BackbonePass(run, network, data, device, batch_done)
        folder = care.work / FEATURES
        return cached_features(folder, run, device, through, care.keep_every, supervision.look)
