"""One run file and a dataset → predictions, an epoch log, and metrics."""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import torch
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from resnet_sizes.records.base import content_hash
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.files import write_json
from resnet_sizes.records.layout import RunFolder
from resnet_sizes.records.metrics import EpochMetrics, Metrics
from resnet_sizes.records.run import RunFile
from resnet_sizes.records.tensor_file import read_dataset, write_predictions
from resnet_sizes.training.batches import DeviceData, batches_per_epoch
from resnet_sizes.training.determinism import set_determinism
from resnet_sizes.training.devices import describe, peak_memory, select_device, set_threads
from resnet_sizes.training.loop import Trainer
from resnet_sizes.training.networks import build_network, count_parameters, macs_per_image
from resnet_sizes.training.provenance import code, versions

log = logging.getLogger("resnet_sizes")


def train_run(run: RunFile, dataset: Path, folder: RunFolder, device_name: str) -> Metrics:
    """Train one run and write its results to `folder`, `metrics.json` last.

    Raises UserError if the dataset is not the run's, a device is missing, or a loss is not
    finite; the epochs done until then stay in `log.jsonl`.
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
    set_determinism(run.deterministic, run.seed)
    network = build_network(run.model, run.reading, len(info.class_names))
    network = network.to(device).to(memory_format=torch.channels_last)
    trainer = Trainer(run, network, DeviceData.on(device, arrays), device)
    described = describe(device)
    log.info(
        "%s: %d epochs of %d images on %s (%s, %d threads)",
        *(run.name, run.epochs, info.train_images),
        *(described.name, described.kind, described.threads),
    )
    history, logits = _train(trainer, folder)

    # From here on the old results, if any, and the new ones could be taken for a pair.
    folder.metrics.unlink(missing_ok=True)
    write_predictions(folder.predictions, logits.numpy(), arrays.test_labels)
    best = max(history, key=lambda epoch: epoch.test_accuracy)
    parameters, trainable = count_parameters(network)
    metrics = Metrics(
        run=run,
        run_hash=content_hash(run),
        epochs=history,
        final_test_accuracy=history[-1].test_accuracy,
        best_test_accuracy=best.test_accuracy,
        best_epoch=best.epoch,
        training_seconds=sum(epoch.training_seconds for epoch in history),
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


def _train(trainer: Trainer, folder: RunFolder) -> tuple[list[EpochMetrics], torch.Tensor]:
    run = trainer.run
    history: list[EpochMetrics] = []
    logits = torch.empty(0)
    steps = run.epochs * batches_per_epoch(len(trainer.data.train_labels), run.batch_size)
    folder.folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    with (
        folder.log.open("w", encoding="utf-8") as lines,
        logging_redirect_tqdm([log]),
        tqdm(
            total=steps, desc=run.name, unit="step", leave=False, disable=not sys.stderr.isatty()
        ) as bar,
    ):
        for metrics, epoch_logits in trainer.epochs(bar.update):
            history.append(metrics)
            logits = epoch_logits
            lines.write(json.dumps(metrics.model_dump()) + "\n")
            lines.flush()
            elapsed = time.monotonic() - start
            log.info(
                "%s: epoch %d/%d  loss %.4f  accuracy %.4f  test loss %.4f  test accuracy %.4f"
                "  %.1f s, about %.0f s left",
                *(run.name, metrics.epoch, run.epochs),
                *(metrics.train_loss, metrics.train_accuracy),
                *(metrics.test_loss, metrics.test_accuracy, metrics.training_seconds),
                elapsed / metrics.epoch * (run.epochs - metrics.epoch),
            )
    return history, logits


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
