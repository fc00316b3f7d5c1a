"""One run file and a dataset → predictions, an epoch log, and metrics."""

import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch
from torch import nn
from torchvision.models.resnet import ResNet

from resnet_sizes.records.base import content_hash
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.files import write_json
from resnet_sizes.records.layout import FEATURES, RunFolder
from resnet_sizes.records.metrics import EpochMetrics, FeatureCache, Metrics
from resnet_sizes.records.run import RunFile
from resnet_sizes.records.tensor_file import read_dataset, write_predictions
from resnet_sizes.records.weights import WeightsInfo
from resnet_sizes.training.backbone_pass import BackbonePass
from resnet_sizes.training.batches import batches_per_epoch
from resnet_sizes.training.clock import Clock
from resnet_sizes.training.compiling import check_compiler
from resnet_sizes.training.determinism import set_determinism
from resnet_sizes.training.devices import describe, peak_memory, select_device, set_threads
from resnet_sizes.training.features import Features, cache_obstacle, cached_features
from resnet_sizes.training.inputs import Data, DeviceData
from resnet_sizes.training.loop import Trainer
from resnet_sizes.training.memory import explained_out_of_memory
from resnet_sizes.training.networks import (
    build_network,
    count_parameters,
    macs_per_image,
    ready_for_training,
)
from resnet_sizes.training.precision import check_precision
from resnet_sizes.training.progress import Progress
from resnet_sizes.training.provenance import code, versions
from resnet_sizes.training.weights import load_initial_weights

log = logging.getLogger("resnet_sizes")


def train_run(
    run: RunFile,
    dataset: Path,
    folder: RunFolder,
    device_name: str,
    weights: WeightsInfo | None = None,
) -> Metrics:
    """Train one run and write its results to `folder`, `metrics.json` last.

    `weights` says where the initial weights lie, for a run that starts from a file. Raises
    UserError if the dataset or the weights are not the run's, a device is missing or cannot do
    what the run asks for, memory is short, or a loss is not finite; the epochs done until then
    stay in `log.jsonl`.
    """
    started = _now()
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
    with explained_out_of_memory(run):
        parameters, trainable = count_parameters(network, run.reading)
        network = ready_for_training(network, run.reading, device)
        material = _material(run, network, DeviceData.on(device, arrays), device)
        trainer = Trainer(run, material.network, material.data, device)
        history, logits = _train(trainer, folder)

    # From here on the old results, if any, and the new ones could be taken for a pair.
    folder.metrics.unlink(missing_ok=True)
    write_predictions(folder.predictions, logits.numpy(), arrays.test_labels)
    best = max(history, key=lambda epoch: epoch.test_accuracy)
    seconds = sum(epoch.training_seconds for epoch in history)
    cache = material.cache
    metrics = Metrics(
        run=run,
        run_hash=content_hash(run),
        epochs=history,
        final_test_accuracy=history[-1].test_accuracy,
        best_test_accuracy=best.test_accuracy,
        best_epoch=best.epoch,
        training_seconds=seconds + (cache.forward_seconds if cache and not cache.reused else 0),
        # A plain loop sends every image through the frozen layers in every epoch.
        equivalent_training_seconds=seconds + run.epochs * cache.forward_seconds if cache else None,
        feature_cache=cache,
        parameters=parameters,
        trainable_parameters=trainable,
        macs_per_image=macs_per_image(run.model, run.reading, len(info.class_names)),
        peak_memory_bytes=peak_memory(device),
        device=described,
        versions=versions(device),
        dataset_identity=info.identity,
        code=code(),
        started=started,
        finished=_now(),
    )
    write_json(folder.metrics, metrics)
    return metrics


@dataclass(frozen=True)
class _Material:
    """What the loop trains: the whole network on images, or its head on features."""

    network: nn.Module
    data: Data
    cache: FeatureCache | None = None


def _material(run: RunFile, network: ResNet, data: DeviceData, device: torch.device) -> _Material:
    if run.reading.trainable == "all":
        return _Material(network, data)
    obstacle = cache_obstacle(run)
    if obstacle:
        log.info(
            "%s: every epoch goes through the frozen layers; their features are not kept, since %s",
            *(run.name, obstacle),
        )
        return _Material(network, data)
    features = _features(run, network, data, device)
    cache = FeatureCache(
        key=features.key,
        reused=features.reused,
        forward_seconds=features.forward_seconds,
        timed_images=features.timed_images,
    )
    return _Material(network.fc, features.on(device, data), cache)


def _features(run: RunFile, network: ResNet, data: DeviceData, device: torch.device) -> Features:
    images = len(data.train_labels) + len(data.test_labels)
    wait = Clock(device).synchronise
    with Progress(f"{run.name}: features", images, "images", wait) as progress:
        through = BackbonePass(run, network, data, device, progress.advance)
        return cached_features(FEATURES, run, device, through)


def _train(trainer: Trainer, folder: RunFolder) -> tuple[list[EpochMetrics], torch.Tensor]:
    run = trainer.run
    history: list[EpochMetrics] = []
    logits = torch.empty(0)
    steps = run.epochs * batches_per_epoch(len(trainer.data.train_labels), run.batch_size)
    folder.folder.mkdir(parents=True, exist_ok=True)
    with (
        folder.log.open("w", encoding="utf-8") as lines,
        Progress(run.name, steps, "steps", Clock(trainer.device).synchronise) as progress,
    ):
        for metrics, epoch_logits in trainer.epochs(lambda loss: progress.advance(1)):
            history.append(metrics)
            logits = epoch_logits
            lines.write(json.dumps(metrics.model_dump()) + "\n")
            lines.flush()
            progress.epoch_done(metrics, run.epochs)
    return history, logits


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
