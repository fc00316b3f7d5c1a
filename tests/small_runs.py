"""Small datasets, run files and weights for tests of the training."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torchvision.models import get_model

from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.tensors import (
    DatasetArrays,
    DatasetInfo,
    dataset_identity,
    read_dataset,
    write_dataset,
)
from resnet_sizes.schemas.run.weights import InitialWeights, WeightsInfo
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.schemas.study.sources import DatasetSpec
from resnet_sizes.training.job.job import train_runs
from resnet_sizes.training.supervision.launch import RunOptions

CPU = torch.device("cpu")


def train_run(
    run: RunFile,
    dataset: Path,
    folder: RunFolder,
    device: str,
    weights: WeightsInfo | None = None,
    options: RunOptions | None = None,
) -> Metrics:
    """One run, trained as the command trains it."""
    [metrics] = train_runs([(run, folder)], dataset, device, weights, options)
    return metrics


def bright_and_dark(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images that a network tells apart in a few steps: class 1 is brighter than class 0."""
    random = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % 2
    noise = random.integers(0, 120, (count, 3, 32, 32))
    return (noise + labels[:, None, None, None] * 120).astype(np.uint8), labels


def small_arrays(train: int = 48, test: int = 20) -> DatasetArrays:
    """Two classes, bright and dark."""
    return DatasetArrays(*bright_and_dark(train, 0), *bright_and_dark(test, 1))


def write_small_dataset(
    path: Path, arrays: DatasetArrays, class_names: Sequence[str] = ("dark", "bright")
) -> Path:
    """Write arrays as a tensor file."""
    train, test = len(arrays.train_labels), len(arrays.test_labels)
    info = DatasetInfo(
        spec=DatasetSpec(source="image-folder", path="images"),
        content="other",
        class_names=list(class_names),
        train_images=train,
        test_images=test,
        full_train_images=train,
        full_test_images=test,
        identity=dataset_identity(arrays),
        source_file="images",
        source_sha256=None,
    ).sealed()
    write_dataset(path, info, arrays)
    return path


def small_dataset(folder: Path) -> Path:
    """A tensor file of 48 training and 20 test images."""
    return write_small_dataset(folder / "data" / "dataset.safetensors", small_arrays())


def identity_of(dataset: Path) -> str:
    """The identity of the data in a tensor file."""
    return read_dataset(dataset)[0].identity


def run_of(dataset: Path | None, **changes) -> RunFile:
    """A run on a small dataset; `reading` is a mapping of changes to the default reading."""
    settings = {
        "protocol": "scratch-32",
        "model": "resnet18",
        "seed": 0,
        "reading": TrainingRecipe(**changes.pop("reading", {})),
        "epochs": 2,
        "batch_size": 16,
        "learning_rate": 0.0005,
        "evaluation_batch_size": 8,
        "deterministic": True,
        "threads": 1,
        "dataset_identity": "0" * 64 if dataset is None else identity_of(dataset),
    }
    settings["precision"] = settings["reading"].precision
    return RunFile(**(settings | changes))


def weights_file(path: Path, model: str, seed: int) -> WeightsInfo:
    """The state dict of a random network with 1000 classes, as torchvision publishes them.

    Its batch normalisation has seen something, so that eval and train mode differ.
    """
    torch.manual_seed(seed)
    network = get_model(model, weights=None).to(memory_format=torch.channels_last)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(16, 3, 32, 32))
    torch.save(network.state_dict(), path)
    return weights_info(path, model)


def weights_info(path: Path, model: str) -> WeightsInfo:
    """What the fetch step would have written of a file of weights."""
    initial = initial_weights(path)
    return WeightsInfo(
        key=f"{model}-file-{initial.sha256[:8]}",
        model=model,
        path=str(path),
        bytes=path.stat().st_size,
        initial=initial,
    )


def initial_weights(path: Path) -> InitialWeights:
    """What a run records of the file that it starts from."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return InitialWeights(name="file", file=path.name, sha256=digest)
