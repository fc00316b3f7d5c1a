"""The engine under measurement. All that the benchmarks know of `resnet_sizes.training` beyond
its constants stands here.
"""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from settings import CLASSES, LEARNING_RATE, ROOT, CompileChoice, Setting
from torch import nn
from torch.optim.swa_utils import update_bn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.resnet import ResNet

from resnet_sizes.device_check.bench import random_info
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.yaml import read_yaml
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import Precision, RunFile
from resnet_sizes.schemas.run.tensors import DatasetArrays, write_dataset
from resnet_sizes.schemas.run.weights import InitialWeights, WeightsInfo
from resnet_sizes.schemas.study.protocol import ModelName, TrainingRecipe
from resnet_sizes.training.capabilities import best_compile_mode
from resnet_sizes.training.engine.batches import DeviceData, FeatureData, Preprocessor
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from resnet_sizes.training.engine.numerics import set_determinism
from resnet_sizes.training.job.job import train_runs

NO_WEIGHTS = InitialWeights(name="random", file="random", sha256="0" * 64)
"""Frozen backbones have random weights here: they take as long as trained ones."""

SETTLING_IMAGES = 8

COMPILE_CHOICES = ("none", "cuda-graph", "default", "reduce-overhead", "auto")

MANY_EPOCHS = 10_000
"""A round is an epoch, and there are as many as are asked for."""


@dataclass(frozen=True)
class Choices:
    """What a user may choose of the engine without changing the experiment."""

    precision: Precision = "fp32"
    compile: CompileChoice = "none"
    deterministic: bool = True
    evaluation_batch_size: int = 1000

    def at(self, precision: Precision) -> "Choices":
        """The same in another number format."""
        return replace(self, precision=precision)


def study_choices(compile: str | None, deterministic: bool | None) -> Choices:
    """Those of config/config.yaml, but for what is given here.

    Raises UserError for an unknown value of `compile`.
    """
    config = read_yaml(ROOT / "config" / "config.yaml", "Run it in a complete checkout.")
    training = config["training"]
    mode: Any = training["compile"] if compile is None else compile
    if mode not in COMPILE_CHOICES:
        raise UserError(f"--compile: found {mode!r}; allowed: {', '.join(COMPILE_CHOICES)}.")
    return Choices(
        compile=mode,
        deterministic=training["deterministic"] if deterministic is None else deterministic,
        evaluation_batch_size=training["evaluation_batch_size"],
    )


def run_file(
    model: ModelName,
    recipe: TrainingRecipe,
    batch_size: int,
    epochs: int,
    identity: str,
    choices: Choices,
    device: torch.device,
    weights: InitialWeights | None = None,
) -> RunFile:
    """The run file of one measurement. `weights` is needed unless they are random."""
    recipe = recipe.model_copy(update={"precision": choices.precision})
    mode = choices.compile
    return RunFile(
        protocol="benchmark",
        model=model,
        seed=0,
        reading=recipe,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=LEARNING_RATE,
        evaluation_batch_size=choices.evaluation_batch_size,
        compile=choices.compile,
        deterministic=choices.deterministic,
        threads="auto",
        dataset_identity=identity,
        precision=choices.precision,
        compile_mode=best_compile_mode(recipe, device) if mode == "auto" else mode,
        initial_weights=weights,
    )


class EngineLoop:
    """Rounds of the engine's loop: an epoch each. A frozen backbone is not cached here, so that
    nobody takes the cache for the loop."""

    def __init__(
        self, setting: Setting, arrays: DatasetArrays, device: torch.device, choices: Choices
    ) -> None:
        recipe = setting.recipe
        weights = None if recipe.weights == "none" else NO_WEIGHTS
        self.run = run_file(
            *(setting.model, recipe, setting.batch_size, MANY_EPOCHS),
            *("0" * 64, choices, device, weights),
        )
        # Two test images: each round ends with an evaluation, which is not measured.
        kept = DatasetArrays(
            arrays.train_images[: setting.images],
            arrays.train_labels[: setting.images],
            arrays.test_images[:2],
            arrays.test_labels[:2],
        )
        self._switch()
        network = build_network(setting.model, recipe, CLASSES)
        if setting.frozen:
            _settle(network, recipe, arrays)
        network = ready_for_training(network, recipe, device, self.run.precision)
        trainer = Trainer(self.run, network, DeviceData.on(device, kept), device)
        self._epochs = trainer.epochs(_nothing)

    def measure(self) -> float:
        """Seconds of one round, by the engine's clock, which synchronises the device."""
        self._switch()
        metrics, _ = next(self._epochs)
        return metrics.training_seconds

    def _switch(self) -> None:
        set_determinism(self.run.deterministic, self.run.seed, self.run.precision)


def executed_macs(setting: Setting, device: torch.device) -> float:
    """Multiply-accumulates that one image takes in a training step of the engine on `device`,
    forward and backward; of a frozen backbone forward. Counted on meta tensors."""
    images, size = 4, setting.recipe.input_size
    network = build_network(setting.model, setting.recipe, CLASSES)
    network = ready_for_training(network, setting.recipe, device, "fp32").to("meta")
    batch = torch.empty(images, 3, size, size, device="meta")
    with FlopCounterMode(display=False) as counter:
        output = network(batch).sum()
        if not setting.frozen:
            output.backward()
    return counter.get_total_flops() / 2 / images


def measure_head(
    setting: Setting, images: int, device: torch.device, choices: Choices
) -> Iterator[float]:
    """Seconds of each epoch of the head on features that are there already."""
    torch.compiler.reset()  # each head has the eight graphs that Dynamo keeps
    features = build_network(setting.model, setting.recipe, CLASSES).fc.in_features
    run = run_file(
        *(setting.model, setting.recipe, min(256, images), MANY_EPOCHS),
        *("0" * 64, choices, device, NO_WEIGHTS),
    )
    set_determinism(run.deterministic, run.seed, run.precision)
    data = FeatureData(
        torch.randn(images, features, device=device),
        torch.randint(CLASSES, (images,), device=device),
        torch.randn(2, features, device=device),
        torch.randint(CLASSES, (2,), device=device),
    )
    head = nn.Linear(features, CLASSES).to(device)
    for metrics, _ in Trainer(run, head, data, device).epochs(_nothing):
        yield metrics.training_seconds


def whole_run(
    model: ModelName,
    recipe: TrainingRecipe,
    batch_size: int,
    epochs: int,
    arrays: DatasetArrays,
    device: torch.device,
    choices: Choices,
    folder: Path,
) -> tuple[Metrics, float]:
    """A run as the command `resnet-sizes train` makes it, in `folder`: its metrics, and the
    seconds of all of it, with reading, evaluation and writing.

    The cache of features belongs to the working directory, so start in a new one.
    """
    weights = None
    if recipe.weights != "none":
        weights = write_random_weights(model, recipe, arrays, folder / f"{model}.safetensors")
        recipe = recipe.model_copy(update={"weights": weights.path})
    info = random_info(arrays)
    dataset = folder / "dataset.safetensors"
    write_dataset(dataset, info, arrays)
    run = run_file(
        *(model, recipe, batch_size, epochs, info.identity, choices, device),
        weights.initial if weights else None,
    )
    start = time.perf_counter()
    results = RunFolder(folder / "run")
    [metrics] = train_runs([(run, results)], dataset, str(device), weights)
    return metrics, time.perf_counter() - start


def write_random_weights(
    model: ModelName, recipe: TrainingRecipe, arrays: DatasetArrays, path: Path
) -> WeightsInfo:
    """A file of initial weights for a frozen backbone."""
    torch.manual_seed(0)
    network = build_network(model, recipe, CLASSES)
    _settle(network, recipe, arrays)
    save_file(network.state_dict(), path)
    return WeightsInfo(
        key=f"{model}-file",
        model=model,
        path=str(path),
        bytes=path.stat().st_size,
        initial=InitialWeights(
            name="file", file=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest()
        ),
    )


def _settle(network: ResNet, recipe: TrainingRecipe, arrays: DatasetArrays) -> None:
    prepare = Preprocessor(recipe, torch.device("cpu"), "fp32")
    update_bn([prepare(torch.from_numpy(arrays.train_images[:SETTLING_IMAGES]))], network.eval())


def _nothing(loss: torch.Tensor) -> None:
    pass
