"""Training: one run file and a dataset in, results out, always the same for the same run."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from resnet_sizes.records.dataset import DatasetInfo
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.files import write_json
from resnet_sizes.records.layout import RunFolder
from resnet_sizes.records.metrics import Metrics
from resnet_sizes.records.protocol import Reading
from resnet_sizes.records.run import RunFile
from resnet_sizes.records.study import DatasetSpec
from resnet_sizes.records.tensor_file import (
    DatasetArrays,
    dataset_identity,
    read_predictions,
    write_dataset,
)
from resnet_sizes.training.batches import DeviceData, Preparation, epoch_generator, shuffled_batches
from resnet_sizes.training.loop import Trainer
from resnet_sizes.training.networks import build_network
from resnet_sizes.training.run import train_run

CPU = torch.device("cpu")


def bright_and_dark(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images that a network tells apart in a few steps: class 1 is brighter than class 0."""
    random = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % 2
    noise = random.integers(0, 120, (count, 3, 32, 32))
    return (noise + labels[:, None, None, None] * 120).astype(np.uint8), labels


@pytest.fixture
def arrays() -> DatasetArrays:
    return DatasetArrays(*bright_and_dark(48, 0), *bright_and_dark(20, 1))


@pytest.fixture
def dataset(tmp_path: Path, arrays: DatasetArrays) -> Path:
    info = DatasetInfo(
        spec=DatasetSpec(source="image-folder", path="images"),
        content="other",
        class_names=["dark", "bright"],
        train_images=48,
        test_images=20,
        full_train_images=48,
        full_test_images=20,
        identity=dataset_identity(arrays),
        source_file="images",
        source_sha256=None,
    )
    path = tmp_path / "data" / "dataset.safetensors"
    write_dataset(path, info, arrays)
    return path


def run_of(arrays: DatasetArrays, **changes) -> RunFile:
    settings = {
        "protocol": "scratch-32",
        "model": "resnet18",
        "seed": 0,
        "reading": Reading(**changes.pop("reading", {})),
        "epochs": 2,
        "batch_size": 16,
        "learning_rate": 0.0005,
        "evaluation_batch_size": 8,
        "deterministic": True,
        "threads": 1,
        "dataset_identity": dataset_identity(arrays),
    }
    return RunFile(**(settings | changes))


def test_a_run_learns_and_writes_its_results(tmp_path, arrays, dataset):
    folder = RunFolder(tmp_path / "run")
    metrics = train_run(run_of(arrays, epochs=4), dataset, folder, "cpu")
    assert Metrics.model_validate_json(folder.metrics.read_text()) == metrics
    assert metrics.epochs[-1].train_loss < metrics.epochs[0].train_loss
    logits, labels = read_predictions(folder.predictions)
    assert (logits.argmax(1) == labels).mean() == metrics.final_test_accuracy
    lines = [json.loads(line) for line in folder.log.read_text().splitlines()]
    assert lines == [epoch.model_dump() for epoch in metrics.epochs]
    assert metrics.training_seconds == sum(epoch.training_seconds for epoch in metrics.epochs)
    assert metrics.device.threads == 1


def without_times(path: Path) -> dict:
    data = json.loads(path.read_text())
    for epoch in data["epochs"]:
        del epoch["training_seconds"], epoch["evaluation_seconds"]
    for key in ("training_seconds", "started", "finished", "peak_memory_bytes"):
        del data[key]
    return data


def train_in_a_process_of_its_own(run: RunFile, dataset: Path, folder: Path) -> RunFolder:
    write_json(folder / "run.json", run)
    command = [sys.executable, "-m", "resnet_sizes", "train", str(folder / "run.json")]
    subprocess.run([*command, "--dataset", str(dataset), "--device", "cpu"], check=True)
    return RunFolder(folder)


def test_the_same_seed_gives_bitwise_equal_results_in_another_process(tmp_path, arrays, dataset):
    run = run_of(arrays, reading={"augmentation": "flip-crop"})
    first, second = (train_in_a_process_of_its_own(run, dataset, tmp_path / name) for name in "ab")
    other = train_in_a_process_of_its_own(
        run.model_copy(update={"seed": 1}), dataset, tmp_path / "c"
    )
    assert first.predictions.read_bytes() == second.predictions.read_bytes()
    assert without_times(first.metrics) == without_times(second.metrics)
    assert first.predictions.read_bytes() != other.predictions.read_bytes()


def plain_losses(run: RunFile, network: nn.Module, data: DeviceData, rate: float) -> list[float]:
    """The run as anyone would write it."""
    optimizer = {
        "adam": torch.optim.Adam(network.parameters(), lr=rate, fused=False),
        "sgd": torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, fused=False),
    }[run.reading.optimizer]
    images = Preparation(run.reading, CPU)(data.train_images).contiguous()
    network.train()
    losses = []
    for epoch in range(1, run.epochs + 1):
        total = 0.0
        for batch in shuffled_batches(48, 16, epoch_generator(0, epoch), CPU):
            loss = nn.functional.cross_entropy(network(images[batch]), data.train_labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / 48)
    return losses


@pytest.mark.parametrize(("optimizer", "rate"), [("adam", 5e-5), ("sgd", 5e-4)])
def test_the_loop_equals_a_plain_one(arrays, optimizer, rate):
    # Noise: the loss stays away from zero, and no feature is constant, where rounding would rule.
    random = np.random.default_rng(2)
    images = random.integers(0, 256, arrays.train_images.shape, dtype=np.uint8)
    arrays = replace(arrays, train_images=images, train_labels=random.integers(0, 2, 48))
    data = DeviceData.on(CPU, arrays)
    run = run_of(arrays, epochs=2, learning_rate=rate, reading={"optimizer": optimizer})

    def fresh_network() -> nn.Module:
        torch.manual_seed(0)
        return build_network(run.model, run.reading, 2)

    trainer = Trainer(run, fresh_network(), data, CPU)
    losses = [metrics.train_loss for metrics, _ in trainer.epochs(lambda: None)]
    assert losses == pytest.approx(plain_losses(run, fresh_network(), data, rate), rel=5e-4)
    # The comparison is worth something only if it sees another learning rate.
    assert losses != pytest.approx(plain_losses(run, fresh_network(), data, 1.05 * rate), rel=5e-4)


@pytest.mark.parametrize(
    "reading",
    [
        {"precision": "bf16"},
        {"optimizer": "sgd", "schedule": "cosine", "weight_decay": 5e-4},
        {"optimizer": "adamw", "input_size": 40, "normalisation": "half"},
    ],
)
def test_other_readings_train(tmp_path, arrays, dataset, reading):
    run = run_of(arrays, reading=reading, learning_rate=0.001)
    metrics = train_run(run, dataset, RunFolder(tmp_path / "run"), "cpu")
    assert metrics.epochs[-1].train_loss < metrics.epochs[0].train_loss


def test_a_last_batch_of_one_image_does_not_stop_the_run(tmp_path, arrays, dataset):
    run = run_of(arrays, batch_size=47, epochs=1)
    metrics = train_run(run, dataset, RunFolder(tmp_path / "run"), "cpu")
    assert len(metrics.epochs) == 1


def test_training_time_leaves_evaluation_out(arrays, monkeypatch):
    run = run_of(arrays, epochs=1)
    trainer = Trainer(
        run,
        build_network(run.model, run.reading, 2),
        DeviceData.on(CPU, arrays),
        CPU,
    )
    logits = torch.zeros(20, 2)

    def slow_evaluation():
        time.sleep(3)
        return logits

    monkeypatch.setattr(trainer, "_test_logits", slow_evaluation)
    start = time.perf_counter()
    [(metrics, _)] = list(trainer.epochs(lambda: None))
    whole = time.perf_counter() - start
    assert metrics.evaluation_seconds >= 3
    assert metrics.training_seconds <= whole - 3


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_log(tmp_path, arrays, dataset):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(UserError, match=r"loss is (nan|inf).*epoch 1.*learning rate 1e\+30"):
        train_run(run_of(arrays, learning_rate=1e30), dataset, folder, "cpu")
    assert folder.log.is_file()
    assert not folder.metrics.exists()


def test_another_dataset_than_the_planned_one_is_refused(tmp_path, arrays, dataset):
    run = run_of(arrays, dataset_identity="0" * 64)
    with pytest.raises(UserError, match=r"planned for\s+000000000000.*study runs"):
        train_run(run, dataset, RunFolder(tmp_path / "run"), "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_named(tmp_path, arrays, dataset):
    with pytest.raises(UserError, match=r"training\.device: found 'cuda'.*auto or cpu"):
        train_run(run_of(arrays), dataset, RunFolder(tmp_path / "run"), "cuda")


def test_a_device_that_torch_does_not_know_is_refused(tmp_path, arrays, dataset):
    with pytest.raises(UserError, match=r"--device: found 'banana'; allowed: auto, cpu"):
        train_run(run_of(arrays), dataset, RunFolder(tmp_path / "run"), "banana")
