"""Seconds and bytes of a few real steps, on random images and with random weights."""

from dataclasses import dataclass
from statistics import median

import torch
from torchvision.models.resnet import ResNet

from resnet_sizes.schemas.run.metrics import EpochMetrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.devices.select import forget_peak, peak_memory
from resnet_sizes.training.engine.batches import Data, DeviceData, FeatureData
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.features.extraction import FeatureExtractor

STEPS = {"cpu": 2}
"""Steps of training in a measured epoch, by the kind of device."""

MORE_STEPS = 20
"""The same on other devices, where launching may take as long as computing; and where the head
alone is trained, on features: such steps are short."""

EPOCHS = 3
"""Measured epochs at least, of which the median counts."""

LEAST_SECONDS = 2.0
"""That they take together at least: below, a moment of other work decides."""

MOST_SECONDS = 15.0
"""After which no further epoch is measured, nor on a CPU a larger batch: fewer images are then
measured and multiplied."""

MOST_EPOCHS = 1_000_000

HARMLESS = 1e-9
"""A learning rate with which no measured loss on random labels becomes infinite."""


@dataclass(frozen=True)
class Measured:
    """What a batch of some size takes, by the image."""

    training: float
    """Seconds to train on an image."""
    evaluation: float
    """Seconds to send one through the network."""
    seconds: float
    """An epoch, or a batch, as a rule."""
    peak_bytes: int
    """Without the dataset."""
    once: float = 0.0
    """Seconds that a run takes but once: the first epoch's, in which kernels are chosen, beyond a
    later one's; and those of compiling or recording the step."""


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
    run: RunFile, network: torch.nn.Module, data: Data, device: torch.device, *, once: bool = False
) -> Measured:
    """Train and evaluate on `data` until the times are stable; with `once` but once, for the
    memory.

    The peak has the trials of algorithms on CUDA, which belong to the memory that has to be there.
    """
    short = run.model_copy(update={"epochs": MOST_EPOCHS, "learning_rate": HARMLESS})
    network.zero_grad(set_to_none=True)
    forget_peak(device)
    trainer = Trainer(short, network, data, device)
    found: list[EpochMetrics] = []
    for metrics, _ in trainer.epochs(ignore):
        if not found and device.type != "cuda":
            forget_peak(device)  # kernels that are made on a CPU would blur what an image takes
        found.append(metrics)
        seconds = sum(each.training_seconds + each.evaluation_seconds for each in found[1:])
        enough = once or (len(found) > EPOCHS and seconds >= LEAST_SECONDS)
        if len(found) > 1 and (enough or seconds >= MOST_SECONDS):
            break
    training = median(each.training_seconds for each in found[1:])
    evaluation = median(each.evaluation_seconds for each in found[1:])
    seconds = training + evaluation
    first = max(0.0, found[0].training_seconds + found[0].evaluation_seconds - seconds)
    return Measured(
        training / len(data.train_labels),
        evaluation / len(data.test_labels),
        seconds,
        peak_memory(device),
        first + trainer.preparation_seconds,
    )


def features_with(
    run: RunFile, network: ResNet, classes: int, device: torch.device, images: int
) -> Measured:
    """Compute features of one batch of `images`, at most the run's own batch of evaluation, after
    one that chose kernels."""
    data = random_images(images, 1, classes, device)
    forget_peak(device)
    _, _, seconds = FeatureExtractor(run, network, data, device, ignore).train_and_test()
    return Measured(0.0, seconds / images, seconds, peak_memory(device))


def ignore(done: object) -> None:
    """Single steps and batches are not reported."""


def random_images(train: int, test: int, classes: int, device: torch.device) -> DeviceData:
    """Random images and their labels."""
    images = torch.randint(0, 256, (max(train, test), 3, 32, 32), dtype=torch.uint8, device=device)
    labels = torch.arange(len(images), device=device) % classes
    return DeviceData(images[:train], labels[:train], images[:test], labels[:test])


def random_features(images: int, width: int, classes: int, device: torch.device) -> FeatureData:
    """Random features of `width` numbers, of as many training and test images."""
    features = torch.randn(images, width, device=device)
    labels = torch.arange(images, device=device) % classes
    return FeatureData(features, labels, features, labels)
