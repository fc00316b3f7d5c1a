"""Learning really happens: on scikit-learn's digits, through the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from sklearn.linear_model import LogisticRegression
from typer.testing import CliRunner

from engine_steps import CONFIG, recipe_of, run_of
from resnet_sizes.cli.app import app
from resnet_sizes.data.sources.digits import DigitsSource
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.tensors import DatasetArrays, read_dataset
from resnet_sizes.training.engine.batches import DeviceData
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import build_network

pytestmark = [pytest.mark.slow, pytest.mark.long]

CPU = torch.device("cpu")
PROBE = {"trainable": "head", "input_size": 32, "normalisation": "cifar10"}


def command(*arguments: str) -> None:
    """Run `resnet-sizes`, in this process, since starting torch takes seconds each time."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output


def trained(
    folder: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, **overlay: Any
) -> tuple[Metrics, DatasetArrays]:
    """One ResNet-18, seed 0, on the digits, as a person would train it in a folder."""
    (folder / "config").symlink_to(CONFIG.parent)
    (folder / "articles").symlink_to(CONFIG.parents[1] / "articles")
    monkeypatch.chdir(folder)
    config = {
        "name": "digits",
        "dataset": {"source": "digits"},
        "models": ["resnet18"],
        "protocols": [protocol],
        "seeds": [0],
        **overlay,
    }
    (folder / "overlay.yaml").write_text(yaml.safe_dump(config))
    study = StudyFolder(Path("results/digits"))
    command("study", "write", "overlay.yaml")
    command("data", str(study.study))
    if protocol != "scratch-32":
        command("fetch", str(study.study))
    command("study", "runs", str(study.study))
    run = study.folder / "runs" / protocol / "resnet18" / "seed-0" / "run.json"
    options = ["--dataset", str(study.dataset), "--device", "cpu"]
    for weights in (folder / study.folder).glob("weights/*.json"):
        options += ["--weights", str(weights)]
    command("train", str(run), *options)
    metrics = read_record(folder / run.parent / "metrics.json", Metrics, "")
    return metrics, read_dataset(folder / study.dataset)[1]


def linear_accuracy(arrays: DatasetArrays) -> float:
    """Test accuracy of a linear classifier on the 64 grey levels, at its best regularisation."""

    def pixels(images: np.ndarray) -> np.ndarray:
        # The images were enlarged fourfold, so nothing is lost.
        return images[:, 0].reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4)).reshape(-1, 64) / 255

    train, test = pixels(arrays.train_images), pixels(arrays.test_images)
    return max(
        LogisticRegression(C=c, max_iter=1000)
        .fit(train, arrays.train_labels)
        .score(test, arrays.test_labels)
        for c in (0.3, 1, 3)
    )


def test_resnet18_under_scratch_32_beats_a_linear_classifier(tmp_path, monkeypatch):
    training = {"epochs": 8, "batch_size": 64}
    metrics, arrays = trained(tmp_path, monkeypatch, "scratch-32", training=training)
    linear = linear_accuracy(arrays)
    assert linear > 0.96  # a worthy opponent
    assert metrics.final_test_accuracy > linear


def digits() -> DatasetArrays:
    """The digits of the tests' studies."""
    source = DigitsSource()
    parts: list[np.ndarray] = []
    for part in ("train", "test"):
        labels = source.labels[part]
        parts += [source.images({part: np.arange(len(labels))})[part], labels]
    return DatasetArrays(*parts)


def save_backbone(path: Path, arrays: DatasetArrays, classes: int, epochs: int) -> Path:
    """A ResNet-18 trained on the first classes only; with no epoch a random one."""
    chosen = arrays.train_labels < classes
    tested = arrays.test_labels < classes
    half = DatasetArrays(
        arrays.train_images[chosen],
        arrays.train_labels[chosen],
        arrays.test_images[tested],
        arrays.test_labels[tested],
    )
    run = run_of(half, reading=recipe_of("scratch-32", "resnet18"), epochs=max(epochs, 1))
    torch.manual_seed(7)
    network = build_network("resnet18", run.reading, classes)
    if epochs:
        list(Trainer(run, network, DeviceData.on(CPU, half), CPU).epochs(lambda loss: None))
    torch.save(network.state_dict(), path)
    return path


def test_a_probe_on_half_of_the_classes_beats_one_on_a_random_backbone(tmp_path, monkeypatch):
    accuracies = {}
    for name, epochs in (("random", 0), ("half", 4)):
        folder = tmp_path / name
        folder.mkdir()
        weights = save_backbone(folder / "backbone.pth", digits(), classes=5, epochs=epochs)
        metrics, _ = trained(
            folder,
            monkeypatch,
            "probe-224",
            # Few images: from many, a head learns the digits on random features, too.
            dataset={"source": "digits", "limit": {"train": 50, "test": None}},
            training={"epochs": 40, "batch_size": 64, "learning_rate": 0.005},
            protocol_definitions={"probe-224": {**PROBE, "weights": str(weights)}},
        )
        accuracies[name] = metrics.final_test_accuracy
    assert accuracies["half"] > accuracies["random"] + 0.02
