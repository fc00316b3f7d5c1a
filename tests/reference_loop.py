"""A plain training loop that says what a run is: no cache, no fused kernel, no memory layout.

It is meant to be read beside the engine in one sitting, and it shares with it only the random
streams (`epoch_generator`), because two loops can be compared step by step only if they draw
the same numbers. Everything else is written out once more: images are prepared one by one, the
network is torchvision's, the optimiser torch.optim's slowest form. fp32 on the CPU only.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torchvision.models import get_model
from torchvision.transforms.v2 import functional as transforms

from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.tensors import DatasetArrays
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.batches import epoch_generator

MEAN_AND_DEVIATION = {
    "imagenet": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    "cifar10": ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
    "half": ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
}


@dataclass(frozen=True)
class Trained:
    """What two loops are compared by: the mean cross-entropy of each step in nats, and the
    logits of the test images after the last, float32 `[N_test, classes]`."""

    losses: list[float]
    logits: torch.Tensor


def train_reference(
    run: RunFile, arrays: DatasetArrays, classes: int, weights: Path | None = None
) -> Trained:
    """Train the run from its seed, or from the state dict in `weights`."""
    recipe = run.reading
    network = initial_network(run, classes, weights)
    trained = network.fc if recipe.trainable == "head" else network
    network.requires_grad_(False)
    trained.requires_grad_(True)
    optimizer = plain_optimizer(run, trained)
    images, labels = torch.from_numpy(arrays.train_images), torch.from_numpy(arrays.train_labels)
    losses = []
    for epoch in range(1, run.epochs + 1):
        network.train(recipe.trainable == "all" or recipe.frozen_batch_norm == "train")
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run, epoch)
        generator = epoch_generator(run.seed, epoch)
        order = torch.randperm(len(labels), generator=generator)
        for start in range(0, len(order), run.batch_size):
            batch = order[start : start + run.batch_size]
            if len(batch) == 1:  # batch normalisation cannot normalise one value
                continue
            chosen = list(images[batch])
            if recipe.augmentation == "flip-crop":
                chosen = mirrored_and_shifted(chosen, generator)
            logits = network(torch.stack([prepared(image, recipe) for image in chosen]))
            loss = nn.functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    network.eval()
    with torch.no_grad():
        tests = [prepared(image, recipe) for image in torch.from_numpy(arrays.test_images)]
        return Trained(losses, torch.cat([network(image[None]) for image in tests]))


def initial_network(run: RunFile, classes: int, weights: Path | None) -> nn.Module:
    """The network before the first step: random from the run's seed; with `weights` all but the
    last layer comes from there."""
    torch.manual_seed(run.seed)
    network: nn.Module = get_model(run.model, weights=None, num_classes=classes)
    if run.reading.stem == "cifar":
        network.conv1 = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
        network.maxpool = nn.Identity()
    if weights is not None:
        state: Mapping[str, torch.Tensor] = torch.load(weights, weights_only=True)
        state = {name: value for name, value in state.items() if not name.startswith("fc.")}
        missing = network.load_state_dict(state, strict=False).missing_keys
        assert missing == ["fc.weight", "fc.bias"], missing
    return network


def plain_optimizer(run: RunFile, trained: nn.Module) -> torch.optim.Optimizer:
    """One parameter after the other, neither fused nor foreach."""
    recipe = run.reading
    shared = {"weight_decay": recipe.weight_decay, "foreach": False}
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(trained.parameters(), momentum=recipe.momentum, **shared)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(trained.parameters(), **shared)


def learning_rate(run: RunFile, epoch: int) -> float:
    """Of a whole epoch, counted from 1. Cosine: Loshchilov and Hutter (2017), equation 5."""
    if run.reading.schedule == "cosine":
        return run.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / run.epochs)) / 2
    return run.learning_rate


def mirrored_and_shifted(
    images: list[torch.Tensor], generator: torch.Generator
) -> list[torch.Tensor]:
    """Each image padded by 4 black pixels, cropped to its size at a random place, and mirrored
    with probability 1/2. uint8 `[3, H, W]` in and out."""
    mirror = torch.rand(len(images), generator=generator) < 0.5
    tops, lefts = torch.randint(0, 9, (2, len(images)), generator=generator)
    changed = []
    for image, flip, top, left in zip(images, mirror, tops, lefts, strict=True):
        height, width = image.shape[1:]
        crop = transforms.crop(transforms.pad(image, [4]), int(top), int(left), height, width)
        changed.append(transforms.horizontal_flip(crop) if flip else crop)
    return changed


def prepared(image: torch.Tensor, recipe: TrainingRecipe) -> torch.Tensor:
    """uint8 `[3, H, W]` → float32 `[3, S, S]` as a notebook prepares it: to 0…1, resized, then
    normalised."""
    size = [recipe.input_size, recipe.input_size]
    image = transforms.to_dtype(image, torch.float32, scale=True)
    if list(image.shape[1:]) != size:
        image = transforms.resize(
            image, size, transforms.InterpolationMode.BILINEAR, antialias=True
        )
    return transforms.normalize(image, *MEAN_AND_DEVIATION[recipe.normalisation])
