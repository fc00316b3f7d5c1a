"""Training: one run file and a dataset in, results out, always the same for the same run."""

import json
import logging
import math
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from copied_process import copied
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_json
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.tensors import (
    DatasetArrays,
    read_predictions,
)
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.training.engine.batches import (
    DeviceData,
    Preprocessor,
    epoch_generator,
    shuffled_batches,
)
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from small_runs import CPU, run_of, small_arrays, small_dataset, train_run


@pytest.fixture(autouse=True)
def _checkpoints_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are kept below the working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def arrays() -> DatasetArrays:
    return small_arrays()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return small_dataset(tmp_path)


def ignore(loss: torch.Tensor) -> None:
    """Nothing is done after a step."""


def test_a_run_learns_and_writes_its_results(tmp_path, arrays, dataset):
    folder = RunFolder(tmp_path / "run")
    metrics = train_run(run_of(dataset, epochs=4), dataset, folder, "cpu")
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
    # How often a run looks for others depends on how long it takes, and whom it sees on the rest.
    for key in ("training_seconds", "started", "finished", "peak_memory_bytes", "checksum"):
        del data[key]
    del data["sharing"]
    return data


def test_the_same_seed_gives_bitwise_equal_results_in_another_process(tmp_path, arrays, dataset):
    run = run_of(dataset, reading={"augmentation": "flip-crop"})
    here, there, other = (RunFolder(tmp_path / name) for name in ("here", "there", "other"))
    train_run(run, dataset, here, "cpu")
    train_run(run.model_copy(update={"seed": 1}), dataset, other, "cpu")
    write_json(there.run, run)
    options = ["--dataset", str(dataset), "--device", "cpu"]
    assert copied().run(["train", str(there.run), *options], tmp_path).returncode == 0
    assert here.predictions.read_bytes() == there.predictions.read_bytes()
    assert without_times(here.metrics) == without_times(there.metrics)
    assert here.predictions.read_bytes() != other.predictions.read_bytes()


def plain_losses(run: RunFile, network: nn.Module, data: DeviceData, rate: float) -> list[float]:
    """The run as anyone would write it."""
    optimizer = {
        "adam": torch.optim.Adam(network.parameters(), lr=rate, fused=False),
        "sgd": torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9, fused=False),
    }[run.reading.optimizer]
    images = Preprocessor(run.reading, CPU, run.precision)(data.train_images).contiguous()
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
def test_the_loop_equals_a_plain_one(arrays, dataset, optimizer, rate):
    # Noise: the loss stays away from zero, and no feature is constant, where rounding would rule.
    random = np.random.default_rng(2)
    images = random.integers(0, 256, arrays.train_images.shape, dtype=np.uint8)
    arrays = replace(arrays, train_images=images, train_labels=random.integers(0, 2, 48))
    data = DeviceData.on(CPU, arrays)
    run = run_of(dataset, epochs=2, learning_rate=rate, reading={"optimizer": optimizer})

    def fresh_network() -> nn.Module:
        torch.manual_seed(0)
        return build_network(run.model, run.reading, 2)

    trainer = Trainer(run, fresh_network(), data, CPU)
    losses = [metrics.train_loss for metrics, _ in trainer.epochs(ignore)]
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
    run = run_of(dataset, reading=reading, learning_rate=0.001)
    metrics = train_run(run, dataset, RunFolder(tmp_path / "run"), "cpu")
    assert metrics.epochs[-1].train_loss < metrics.epochs[0].train_loss


def test_a_last_batch_of_one_image_does_not_stop_the_run(tmp_path, arrays, dataset):
    run = run_of(dataset, batch_size=47, epochs=1)
    metrics = train_run(run, dataset, RunFolder(tmp_path / "run"), "cpu")
    assert len(metrics.epochs) == 1


def test_training_time_leaves_evaluation_out(arrays, dataset, monkeypatch):
    run = run_of(dataset, epochs=1)
    trainer = Trainer(
        run,
        build_network(run.model, run.reading, 2),
        DeviceData.on(CPU, arrays),
        CPU,
    )
    logits = torch.zeros(20, 2)

    def slow_evaluation(*_):
        time.sleep(3)
        return logits

    monkeypatch.setattr(trainer, "test_logits", slow_evaluation)
    start = time.perf_counter()
    [(metrics, _)] = list(trainer.epochs(ignore))
    whole = time.perf_counter() - start
    assert metrics.evaluation_seconds >= 3
    assert metrics.training_seconds <= whole - 3


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_log(tmp_path, arrays, dataset):
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(
        UserError,
        match=r"loss in epoch 1, step 2, is (nan|inf).*learning rate 1e\+30, precision fp32",
    ):
        train_run(run_of(dataset, learning_rate=1e30), dataset, folder, "cpu")
    assert folder.log.is_file()
    assert not folder.metrics.exists()


def test_the_epochs_before_a_loss_that_is_not_finite_are_kept(tmp_path, dataset, monkeypatch):
    step, losses = Trainer._step, iter([0, 0, 0, 0, math.nan])  # three steps per epoch

    def breaking(trainer, *arguments):
        loss, correct = step(trainer, *arguments)
        return loss + next(losses), correct

    monkeypatch.setattr(Trainer, "_step", breaking)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(UserError, match=r"epoch 2, step 2, is nan.*Lower training\.learning_rate,"):
        train_run(run_of(dataset, epochs=3), dataset, folder, "cpu")
    (line,) = folder.log.read_text().splitlines()
    assert json.loads(line)["epoch"] == 1
    assert not folder.metrics.exists()


def test_another_dataset_than_the_planned_one_is_refused(tmp_path, arrays, dataset):
    run = run_of(dataset, dataset_identity="0" * 64)
    with pytest.raises(UserError, match=r"planned for\s+000000000000.*study runs"):
        train_run(run, dataset, RunFolder(tmp_path / "run"), "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_that_is_not_there_is_named(tmp_path, arrays, dataset):
    with pytest.raises(UserError, match=r"training\.device.*: found 'cuda'.*auto or cpu"):
        train_run(run_of(dataset), dataset, RunFolder(tmp_path / "run"), "cuda")


def test_a_device_that_torch_does_not_know_is_refused(tmp_path, arrays, dataset):
    with pytest.raises(UserError, match=r"--device: found 'banana'; allowed: auto, cpu"):
        train_run(run_of(dataset), dataset, RunFolder(tmp_path / "run"), "banana")


def step_losses(run: RunFile, data: DeviceData) -> list[float]:
    torch.manual_seed(run.seed)
    network = build_network(run.model, run.reading, 2)
    network = ready_for_training(network, run.reading, CPU, run.precision)
    found: list[float] = []
    for _ in Trainer(run, network, data, CPU).epochs(lambda loss: found.append(loss.item())):
        pass
    return found


def test_a_batch_in_parts_gives_the_gradient_of_the_whole(arrays, dataset):
    data = DeviceData.on(CPU, arrays)
    # In evaluation mode batch normalisation does not see the parts.
    reading = {"weights": "file.pth", "trainable": "head"}

    def losses(**changes) -> list[float]:
        initial = InitialWeights(name="file", file="file.pth", sha256="0" * 64)
        run = run_of(dataset, reading=reading, initial_weights=initial, epochs=3, **changes)
        return step_losses(run, data)

    whole = losses()
    assert losses(gradient_accumulation=4) == pytest.approx(whole, rel=1e-5)
    assert losses(gradient_accumulation=5) == pytest.approx(whole, rel=1e-5)  # unequal parts
    assert losses(gradient_accumulation=7) == pytest.approx(whole, rel=1e-5)
    assert losses(gradient_accumulation=1000) == pytest.approx(whole, rel=1e-5)
    assert losses(batch_size=4)[:12] != pytest.approx(whole, rel=1e-5)


def test_batch_norm_in_train_mode_sees_the_parts_of_a_batch(arrays, dataset):
    data = DeviceData.on(CPU, arrays)
    whole, parts = (
        step_losses(run_of(dataset, gradient_accumulation=parts), data) for parts in (1, 2)
    )
    assert whole != pytest.approx(parts, rel=1e-3)


@pytest.mark.parametrize(("batch_size", "parts"), [(41, 3), (38, 4), (48, 1000)])
def test_no_part_of_a_batch_has_a_single_image(arrays, dataset, batch_size, parts):
    # The last batches have 7 and 10 images; batch normalisation refuses a single value.
    run = run_of(dataset, batch_size=batch_size, gradient_accumulation=parts, epochs=1)
    assert len(step_losses(run, DeviceData.on(CPU, arrays))) == -(-48 // batch_size)


def test_a_loss_that_overflows_later_names_its_epoch_and_step(arrays, dataset):
    run = run_of(dataset, epochs=3)
    network = build_network(run.model, run.reading, 2)
    trainer = Trainer(run, network, DeviceData.on(CPU, arrays), CPU)
    steps = 0

    def break_the_fifth(loss: torch.Tensor) -> None:
        nonlocal steps
        steps += 1
        if steps == 4:
            network.fc.bias.data.fill_(float("nan"))

    with pytest.raises(UserError, match=r"loss in epoch 2, step 2, is nan"):
        list(trainer.epochs(break_the_fifth))


def test_without_memory_the_keys_to_change_are_named(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(
        "resnet_sizes.training.engine.batches.Preprocessor.__call__",
        lambda self, images: torch.empty(1 << 55, dtype=torch.uint8),
    )
    with pytest.raises(UserError, match=r"out of memory with batch_size 16") as told:
        train_run(run_of(dataset), dataset, RunFolder(tmp_path / "run"), "cpu")
    assert "training.gradient_accumulation to 2" in str(told.value)
    assert "training.evaluation_batch_size below 8" in str(told.value)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"), "allocate 20"),
        (
            RuntimeError("CUDA error: out of memory\nFor debugging"),
            "error: out of memory",
        ),
        (RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling"), "NOT_INITIALIZED"),
        (RuntimeError("could not create a primitive"), "create a primitive"),
        (MemoryError(), "MemoryError"),
    ],
)
@pytest.mark.parametrize(
    "where",
    [
        "engine.batches.Preprocessor.__call__",
        "job.run.select_device",
        "engine.networks.initial_network",
    ],
)
def test_without_memory_the_same_is_told_whatever_says_it_and_wherever(
    tmp_path, dataset, monkeypatch, error, told, where
):
    def full(*_):
        raise error

    monkeypatch.setattr(f"resnet_sizes.training.{where}", full)
    with pytest.raises(UserError, match=rf"gradient_accumulation to 4[^$]*nvidia-smi[^$]*{told}"):
        train_run(
            run_of(dataset, gradient_accumulation=2), dataset, RunFolder(tmp_path / "run"), "cpu"
        )


def test_another_error_is_not_taken_for_missing_memory(tmp_path, dataset, monkeypatch):
    def broken(self, images):
        raise RuntimeError("something else")

    monkeypatch.setattr("resnet_sizes.training.engine.batches.Preprocessor.__call__", broken)
    with pytest.raises(RuntimeError, match="something else"):
        train_run(run_of(dataset), dataset, RunFolder(tmp_path / "run"), "cpu")


def test_a_log_tells_an_estimate_and_the_time_left(tmp_path, dataset, caplog):
    logging.getLogger("resnet_sizes").propagate = True
    with caplog.at_level(logging.INFO, "resnet_sizes"):
        train_run(run_of(dataset, epochs=3), dataset, RunFolder(tmp_path / "run"), "cpu")
    told = "\n".join(caplog.messages)
    assert re.search(r"about [\d.]+ s for 9 steps", told)
    assert set(re.findall(r"epoch (\d)/3 .*about .* left", told)) == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0351, "0.035 s"),
        (9.4, "9.4 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds, text):
    assert duration(seconds) == text
