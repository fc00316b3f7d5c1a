"""Small runs through the engine's own entry, with the loss of each step kept."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import yaml
from torchvision.models import get_model

import small_runs
from copied_process import copied
from reference_loop import Trained, prepared
from resnet_sizes.io.files import write_json
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.tensors import (
    DatasetArrays,
    dataset_identity,
    read_predictions,
)
from resnet_sizes.schemas.study.protocol import Protocol, TrainingRecipe
from resnet_sizes.training.engine.loop import StepDone, Trainer
from resnet_sizes.training.job import run as engine
from small_runs import train_run, weights_info, write_small_dataset

CLASSES = 10
CLASS_NAMES = [f"class {number}" for number in range(CLASSES)]
CONFIG = Path(__file__).parents[1] / "config" / "config.yaml"
DEFINITIONS: dict[str, Any] = yaml.safe_load(CONFIG.read_text())["protocol_definitions"]
"""Every protocol of config.yaml, by name."""


def recipe_of(protocol: str, model: str) -> TrainingRecipe:
    """The recipe in config.yaml, in fp32."""
    recipe = Protocol.model_validate(DEFINITIONS[protocol]).recipe_for(model)
    return recipe.model_copy(update={"precision": "fp32"})


def coloured_patches(train: int, test: int) -> DatasetArrays:
    """Random patches of 8×8 pixels with a little noise, and random labels.

    What is left of them after resizing, a mirror image or another normalisation is different
    each time, and a loss on random labels stays away from zero, where rounding would rule.
    """
    random = np.random.default_rng(0)
    patches = random.integers(0, 200, (train + test, 3, 4, 4)).repeat(8, axis=2).repeat(8, axis=3)
    images = (patches + random.integers(0, 56, patches.shape)).astype(np.uint8)
    labels = random.integers(0, CLASSES, train + test)
    return DatasetArrays(images[:train], labels[:train], images[train:], labels[train:])


def write_state_dict(path: Path, model: str, recipe: TrainingRecipe, arrays: DatasetArrays) -> Path:
    """Write initial weights for a model: random ones of another seed than any run's.

    The running statistics are those of some of the images, as they would be after pre-training:
    with those of a fresh network the features of a deep one would be astronomically large.
    """
    torch.manual_seed(1000)
    network = get_model(model, weights=None)
    images = torch.from_numpy(arrays.train_images[:16])
    network.train()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # the mean over all batches seen, here one
    with torch.no_grad():
        network(torch.stack([prepared(image, recipe) for image in images]))
    torch.save(network.state_dict(), path)
    return path


def run_of(arrays: DatasetArrays, weights: Path | None = None, **changes: Any) -> RunFile:
    """A run file; without changes two epochs of ResNet-18 under `scratch-32`."""
    recipe = changes.pop("reading", TrainingRecipe())
    if weights is not None:
        recipe = recipe.model_copy(update={"weights": str(weights)})
    own = {
        "evaluation_batch_size": 100,
        "dataset_identity": dataset_identity(arrays),
        "initial_weights": None if weights is None else small_runs.initial_weights(weights),
    }
    return small_runs.run_of(None, reading=recipe.model_dump(), **(own | changes))


def train_engine(
    run: RunFile, arrays: DatasetArrays, folder: Path, weights: Path | None = None
) -> Trained:
    """Train the run on the CPU as the command line does, with all files below `folder`."""
    dataset = folder / "dataset.safetensors"
    write_small_dataset(dataset, arrays, CLASS_NAMES)
    info = None if weights is None else weights_info(weights, run.model)
    losses: list[float] = []
    with _inside(folder), patch.object(engine, "Trainer", _recording(losses.append)):
        train_run(run, dataset, RunFolder(folder / "run"), "cpu", info)
    logits, _ = read_predictions(folder / "run" / "predictions.safetensors")
    return Trained(losses, torch.from_numpy(logits))


def train_by_command(
    run: RunFile,
    arrays: DatasetArrays,
    folder: Path,
    weights: Path | None = None,
    device: str = "cpu",
    new_python: bool = True,
) -> RunFolder:
    """Train the run with `resnet-sizes train`, in a process of its own that works in `folder`.

    Without `new_python` it is a copy of one that has loaded torch.
    """
    files = RunFolder(folder / "run")
    dataset = folder / "dataset.safetensors"
    write_small_dataset(dataset, arrays, CLASS_NAMES)
    write_json(files.run, run)
    arguments = ["train", str(files.run), "--dataset", str(dataset), "--device", device]
    if weights is not None:
        write_json(folder / "weights.json", weights_info(weights, run.model))
        arguments += ["--weights", str(folder / "weights.json")]
    if new_python:
        # Nothing that another process has compiled.
        caches = {f"{name}_CACHE_DIR": str(folder / name) for name in ("TORCHINDUCTOR", "TRITON")}
        command = [sys.executable, "-m", "resnet_sizes", *arguments]
        subprocess.run(command, cwd=folder, env=os.environ | caches, check=True)
    else:
        done = copied().run(arguments, folder)
        assert done.returncode == 0, done.stderr
    return files


def _recording(keep: Callable[[float], None]) -> type[Trainer]:
    class Recording(Trainer):
        def epochs(self, step_done: StepDone, *others: Any) -> Iterator[Any]:
            def both(loss: torch.Tensor) -> None:
                keep(loss.item())
                step_done(loss)

            return super().epochs(both, *others)

    return Recording


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    """Work in `folder`, below which the features of frozen backbones are kept."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
