"""What is measured: networks, readings, batch sizes, and how much of it on which device."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.yaml import read_yaml
from resnet_sizes.schemas.run.run import CompileMode
from resnet_sizes.schemas.run.tensors import IMAGE_SHAPE, DatasetArrays
from resnet_sizes.schemas.study.protocol import ModelName, Protocol, TrainingRecipe

ROOT = Path(__file__).resolve().parents[1]

CLASSES = 10
LEARNING_RATE = 5e-4
BATCH_SIZE = 256
EPOCHS = 50
"""The article's."""

MODELS: tuple[ModelName, ...] = ("resnet18", "resnet50", "resnet152")

CompileChoice = CompileMode | Literal["auto"]

Case = Literal["scratch-32", "frozen-224"]

CASES: dict[Case, str] = {"scratch-32": "scratch-32", "frozen-224": "probe-224"}
"""What is measured, and the protocol of config/config.yaml that it is taken from."""


def recipe_of(case: Case, model: str) -> TrainingRecipe:
    """The recipe in the study's own configuration that a case measures."""
    path = ROOT / "config" / "config.yaml"
    config = read_yaml(path, "Run the benchmark in a complete checkout.")
    definition = config["protocol_definitions"][CASES[case]]
    return Protocol.model_validate(definition).recipe_for(model)


def networks(names: str, only_one: bool = False) -> tuple[ModelName, ...]:
    """Networks named on the command line, separated by commas. Raises UserError."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found = tuple(model for model in MODELS if model in wanted)
    if set(wanted) - set(found) or not found or (only_one and len(found) > 1):
        option = "--model" if only_one else "--models"
        raise UserError(f"{option}: found {names!r}; allowed: {', '.join(MODELS)}.")
    return found


@dataclass(frozen=True)
class Setting:
    """One network under one case, and how much of it a round measures."""

    case: Case
    model: ModelName
    batch_size: int
    steps: int
    """Optimiser steps in each round."""
    rounds: int

    @property
    def recipe(self) -> TrainingRecipe:
        """All settings of the training."""
        return recipe_of(self.case, self.model)

    @property
    def frozen(self) -> bool:
        """Whether only the last layer is trained."""
        return self.recipe.trainable == "head"

    @property
    def images(self) -> int:
        """Images trained on in each round."""
        return self.batch_size * self.steps

    @property
    def passes(self) -> int:
        """Multiply-accumulates of a training step in units of the forward pass: the gradients
        of activations and of weights cost one more each, where there are any."""
        return 1 if self.frozen else 3


@dataclass(frozen=True)
class FrozenRun:
    """A whole run of `EPOCHS` epochs on a frozen backbone, small enough to be measured."""

    model: ModelName
    train_images: int
    test_images: int
    batch_size: int


@dataclass(frozen=True)
class Plan:
    """All that one call measures."""

    settings: list[Setting]
    frozen_run: FrozenRun
    product_size: int
    """Rows and columns of the matrices whose product stands for the device's peak."""
    growth_images: int
    """Images of the smallest point of the growth measurement."""


def full_plan(device: torch.device, models: tuple[ModelName, ...]) -> Plan:
    """Minutes on two cores and on a GPU."""
    if device.type == "cpu":
        # (steps, rounds) by network.
        scratch: dict[str, tuple[int, int]] = {
            "resnet18": (6, 4),
            "resnet50": (3, 4),
            "resnet152": (2, 3),
        }
        # (batch size, steps, rounds). At 224 pixels a convolution has enough pixels with 16 images
        # to work as fast as with 256, and a step of 256 takes ResNet-152 most of a minute.
        frozen: dict[str, tuple[int, int, int]] = {
            "resnet18": (64, 2, 3),
            "resnet50": (64, 1, 3),
            "resnet152": (16, 1, 3),
        }
        whole = (512, 128) if models[0] == "resnet18" else (128, 32)
        settings = [
            *(Setting("scratch-32", model, BATCH_SIZE, *scratch[model]) for model in models),
            *(Setting("frozen-224", model, *frozen[model]) for model in models),
        ]
        return Plan(settings, FrozenRun(models[0], *whole, BATCH_SIZE), 2048, 256)
    settings = [
        *(Setting("scratch-32", model, BATCH_SIZE, 60, 7) for model in models),
        *(Setting("frozen-224", model, BATCH_SIZE, 8, 5) for model in models),
    ]
    return Plan(settings, FrozenRun(models[0], 5000, 1000, BATCH_SIZE), 8192, 5120)


def quick_plan(models: tuple[ModelName, ...]) -> Plan:
    """So little that only the code is tried, not the machine."""
    settings = [
        *(Setting("scratch-32", model, 8, 2, 2) for model in models),
        *(Setting("frozen-224", model, 2, 1, 2) for model in models),
    ]
    return Plan(settings, FrozenRun(models[0], 6, 4, 2), 256, 16)


def noise_images(train: int, test: int, seed: int = 0) -> DatasetArrays:
    """Random pixels and labels: no step of the training takes longer or shorter for them."""
    random = np.random.default_rng(seed)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        return (
            random.integers(0, 256, (count, *IMAGE_SHAPE), dtype=np.uint8),
            random.integers(0, CLASSES, count, dtype=np.int64),
        )

    return DatasetArrays(*part(train), *part(test))
