"""Seconds and bytes of a few real steps, on random images and with random weights."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torchvision.models.resnet import ResNet

from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.devices.select import peak_memory
from resnet_sizes.training.engine.batches import DeviceData, FeatureData
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.features.extraction import FeatureExtractor

STEPS = 2
"""Steps of training in a measured epoch."""

HEAD_STEPS = 20
"""The same where only the head is trained, on features; they are short."""

HARMLESS = 1e-9
"""A learning rate with which no measured loss on random labels becomes infinite."""


@dataclass(frozen=True)
class Epochs:
    """The last of some short epochs. Those before it choose kernels."""

    epochs: int
    """How many, the last among them."""
    training_seconds: float
    """The time of `STEPS` batches."""
    evaluation_seconds: float
    """The time of one batch."""
    peak_bytes: int
    """Without the dataset."""


@torch.no_grad()
def settle_batch_norm(network: ResNet, images: torch.Tensor) -> None:
    """Give the batch normalisations of a random network the statistics of a few images.

    `images` are normalised, float `[N, 3, S, S]`. Without their statistics a deep network in
    evaluation mode doubles its variance from block to block, until its loss is not finite.
    """
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    network.train()
    network(images)
    network.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def measure_epochs(
    run: RunFile,
    network: ResNet,
    classes: int,
    device: torch.device,
    batch_size: int,
    evaluated: int,
    *,
    peak_of_evaluation: bool = False,
) -> Epochs:
    """Train with batches of `batch_size` images, and evaluate one batch of `evaluated` images.

    `evaluated` is at most the run's own batch of evaluation. With `peak_of_evaluation` the peak
    leaves training out, but not the gradients and the optimiser's state, which stay.
    """
    # A CUDA graph is warmed up in the first call, recorded in the second, replayed in the third.
    count = 3 if device.type == "cuda" else 2
    short = _short(run, epochs=count, batch_size=batch_size)
    data = _random_images(STEPS * batch_size, evaluated, classes, device)
    network.zero_grad(set_to_none=True)
    _forget_peak(device)

    def step_done(loss: torch.Tensor) -> None:
        if peak_of_evaluation:
            _forget_peak(device)

    for last, _ in Trainer(short, network, data, device).epochs(step_done):
        # Kernels that are made on a CPU in the first epoch would blur what an image takes; trying
        # algorithms out on CUDA belongs to the memory that has to be there.
        if last.epoch < count and device.type != "cuda":
            _forget_peak(device)
    return Epochs(count, last.training_seconds, last.evaluation_seconds, peak_memory(device))


def features_with(
    run: RunFile, network: ResNet, classes: int, device: torch.device, images: int
) -> tuple[float, int]:
    """Compute features of one batch of `images`, at most the run's own batch of evaluation.

    Returns seconds, without those of a batch before it that chose kernels, and peak bytes."""
    data = _random_images(images, 1, classes, device)
    _forget_peak(device)
    _, _, seconds = FeatureExtractor(run, network, data, device, _ignore).train_and_test()
    return seconds, peak_memory(device)


def measure_head(
    run: RunFile, width: int, classes: int, device: torch.device
) -> tuple[float, float]:
    """Train and evaluate the head on random features, with whole batches.

    Returns seconds of a training step, and of the evaluation of an image."""
    count = HEAD_STEPS * run.batch_size
    features = torch.randn(count, width, device=device)
    labels = torch.arange(count, device=device) % classes
    head = torch.nn.Linear(width, classes).to(device)
    data = FeatureData(features, labels, features, labels)
    trainer = Trainer(_short(run, epochs=2, batch_size=run.batch_size), head, data, device)
    last = [metrics for metrics, _ in trainer.epochs(_ignore)][-1]
    return last.training_seconds / HEAD_STEPS, last.evaluation_seconds / count


def _short(run: RunFile, epochs: int, batch_size: int) -> RunFile:
    return run.model_copy(
        update={"epochs": epochs, "batch_size": batch_size, "learning_rate": HARMLESS}
    )


def _random_images(train: int, test: int, classes: int, device: torch.device) -> DeviceData:
    images = torch.randint(0, 256, (max(train, test), 3, 32, 32), dtype=torch.uint8, device=device)
    labels = torch.arange(len(images), device=device) % classes
    return DeviceData(images[:train], labels[:train], images[:test], labels[:test])


def _forget_peak(device: torch.device) -> None:
    """Let the peak of memory begin at what is held now.

    Outside CUDA and Linux it cannot be forgotten, and a later measurement's is never lower than
    an earlier one's.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with contextlib.suppress(OSError):  # proc(5): 5 resets VmHWM
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _ignore(done: object) -> None:
    """Single steps are not reported."""
