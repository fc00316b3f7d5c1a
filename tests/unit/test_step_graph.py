"""Steps that are recorded and replayed train as those that are not, bit by bit.

No GPU is needed: `recorded_steps.py` stands in for CUDA graphs.
"""

import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import torch

from recorded_steps import TapeRecorder
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Device, EpochMetrics
from resnet_sizes.schemas.run.progress import CheckpointRecord
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.training.engine import loop
from resnet_sizes.training.engine.batches import DeviceData, FeatureData
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from resnet_sizes.training.engine.step_graph import WARM_UP, CudaRecorder
from resnet_sizes.training.job import run as run_module
from small_runs import CPU, run_of, small_arrays, small_dataset, train_run

EPOCHS = WARM_UP + 2
BATCH = 4
# Five whole batches, and one of two images.
IMAGES = 22
WHOLE = 5


@pytest.fixture(autouse=True)
def _on_tape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "CudaRecorder", TapeRecorder)


def image_trainer(mode: str, **changes: Any) -> Trainer:
    """A ResNet-18 on small images."""
    own = {"epochs": 2, "batch_size": BATCH, "compile": mode, "compile_mode": mode}
    run = run_of(None, **(own | changes))
    torch.manual_seed(0)
    network = build_network("resnet18", run.reading, 2)
    network = ready_for_training(network, run.reading, CPU, run.precision)
    return Trainer(run, network, DeviceData.on(CPU, small_arrays(IMAGES, 10)), CPU)


def head_trainer(mode: str, scale: float = 1.0, **changes: Any) -> Trainer:
    """A last layer on features."""
    torch.manual_seed(0)
    labels = torch.arange(IMAGES) % 4
    features = scale * (torch.randn(IMAGES, 16) + labels[:, None] / 4)
    reading = {"weights": "V1", "trainable": "head"} | changes.pop("reading", {})
    own = {
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "compile": mode,
        "compile_mode": mode,
        "initial_weights": InitialWeights(name="random", file="random", sha256="0" * 64),
    }
    run = run_of(None, reading=reading, **(own | changes))
    data = FeatureData(features, labels, features[:10], labels[:10])
    return Trainer(run, torch.nn.Linear(16, 4), data, CPU)


@dataclass
class Trained:
    """All that a training leaves."""

    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)


def train(trainer: Trainer, after_step: Callable[[int], object] = lambda step: None) -> Trained:
    """Train to the end."""
    found = Trained()

    def step_done(loss: torch.Tensor) -> None:
        found.losses.append(loss.item())
        after_step(len(found.losses))

    for metrics, logits in trainer.epochs(step_done):
        times = {"training_seconds", "evaluation_seconds"}
        found.epochs.append(metrics.model_dump(exclude=times))
        found.logits.append(logits)
    found.tensors = trainer.tensors()
    found.numbers = trainer.numbers() | {"seconds": 0, "preparation_seconds": 0}
    return found


def assert_equal(one: Trained, other: Trained) -> None:
    """To the last bit."""
    assert one.losses == other.losses
    assert one.epochs == other.epochs
    assert all(map(torch.equal, one.logits, other.logits))
    assert one.numbers == other.numbers
    assert one.tensors.keys() == other.tensors.keys()
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[name]), name


def recorder_of(trainer: Trainer) -> TapeRecorder:
    """What it records with."""
    return trainer._graph._recorder  # type: ignore[union-attr,return-value]


@pytest.mark.parametrize(
    "changes",
    [
        {"reading": {"augmentation": "flip-crop"}},
        {"reading": {"optimizer": "sgd", "schedule": "cosine", "weight_decay": 5e-4}},
        {"reading": {"optimizer": "adamw", "precision": "bf16", "weight_decay": 0.01}},
        {"gradient_accumulation": 2},
    ],
    ids=["Adam, flip-crop", "SGD, cosine", "AdamW, bf16", "batches in parts"],
)
def test_replayed_steps_equal_those_as_they_come(changes):
    trainer = image_trainer("cuda-graph", **changes)
    assert_equal(train(trainer), train(image_trainer("none", **changes)))
    assert recorder_of(trainer).replays == 2 * WHOLE - WARM_UP
    # The last, smaller batches come as they are: they are too few.
    assert recorder_of(trainer).eager == WARM_UP + 2


def test_a_smaller_last_batch_is_recorded_once_it_has_come_often_enough():
    trainer = head_trainer("cuda-graph")
    assert_equal(train(trainer), train(head_trainer("none")))
    assert recorder_of(trainer).recordings == 2
    assert recorder_of(trainer).eager == 2 * WARM_UP
    replays = EPOCHS * (WHOLE + 1) - 2 * WARM_UP
    assert recorder_of(trainer).replays == trainer._graph.replays == replays


def test_a_recording_is_made_again_only_for_another_learning_rate():
    constant, cosine = (
        head_trainer("cuda-graph", reading={"schedule": schedule})
        for schedule in ("constant", "cosine")
    )
    train(constant)
    replayed = train(cosine)
    assert recorder_of(constant).recordings == 2
    assert recorder_of(cosine).recordings == EPOCHS + EPOCHS - WARM_UP
    assert_equal(replayed, train(head_trainer("none", reading={"schedule": "cosine"})))


def test_a_recording_is_made_again_at_each_step_of_the_learning_rate():
    reading = {"schedule": "steps", "milestones": [4, 7], "factor": 0.5}
    changes = {"epochs": 2, "iterations": 9, "validation": 4, "subset_seed": 0, "reading": reading}
    replayed = head_trainer("cuda-graph", **changes)
    assert_equal(train(replayed), train(head_trainer("none", **changes)))
    assert recorder_of(replayed).replays > 2


def test_the_scaler_goes_on_inside_a_replay():
    def trained(mode: str) -> tuple[Trained, list[float]]:
        # So large that gradients overflow whenever the scale has grown.
        trainer = head_trainer(mode, scale=30.0, reading={"precision": "fp16"})
        trainer._scaler.set_growth_interval(2)
        scales: list[float] = []
        done = train(trainer, lambda step: scales.append(trainer._scaler.get_scale()))
        return done, scales

    (replayed, scales), (plain, plain_scales) = trained("cuda-graph"), trained("none")
    assert scales == plain_scales
    replays = scales[WARM_UP:]
    assert any(after > before for before, after in pairwise(replays))
    assert any(after < before for before, after in pairwise(replays))
    assert_equal(replayed, plain)


def record_of(trainer: Trainer) -> CheckpointRecord:
    """As a checkpoint would hold its numbers."""
    device = Device(kind="cpu", name="cpu", threads=1)
    rest = {"training_hash": "", "versions": {}, "device": device, "started": "", "resumptions": []}
    history: list[EpochMetrics] = []
    return CheckpointRecord(run_hash="0" * 64, history=history, **rest, **trainer.numbers())


@pytest.mark.parametrize(
    "stop", [2, 9, 12, 26], ids=["warming up", "replaying", "after an epoch", "late"]
)
@pytest.mark.parametrize("reading", [{"precision": "fp16"}, {"optimizer": "sgd"}])
def test_a_run_goes_on_from_a_checkpoint_as_if_nothing_had_happened(stop, reading):
    kept: list[Any] = []
    whole_trainer = head_trainer("cuda-graph", reading=reading)

    def keep(step: int) -> None:
        if step == stop:
            kept.append((record_of(whole_trainer), whole_trainer.tensors()))

    whole = train(whole_trainer, keep)
    (checkpoint,) = kept
    # In another process, and in one that has a recording of other tensors already.
    for trainer in (head_trainer("cuda-graph", reading=reading), whole_trainer):
        trainer.restore(*deepcopy(checkpoint))  # as read from a file
        rest = train(trainer)
        assert rest.losses == whole.losses[stop:]
        rest.losses = whole.losses
        # The epoch before the stop was told by the first attempt.
        whole.epochs, whole.logits = (
            each[-len(rest.epochs) :] for each in (whole.epochs, whole.logits)
        )
        assert_equal(rest, whole)


def test_recording_is_no_training_time_and_told_apart(monkeypatch):
    recorded = TapeRecorder.record

    def slowly(self: TapeRecorder, work: Callable[[], object]) -> Callable[[], object]:
        time.sleep(1.5)
        return recorded(self, work)

    monkeypatch.setattr(TapeRecorder, "record", slowly)
    trainer = head_trainer("cuda-graph")
    epochs = [metrics for metrics, _ in trainer.epochs(lambda loss: None)]
    assert sum(epoch.training_seconds for epoch in epochs) < 1.5 <= trainer.preparation_seconds


def test_a_step_that_waits_for_the_device_cannot_be_recorded(monkeypatch):
    compute = Trainer._compute

    def waiting(self: Trainer, *inputs: torch.Tensor) -> Any:
        loss, correct = compute(self, *inputs)
        loss.item()
        return loss, correct

    monkeypatch.setattr(Trainer, "_compute", waiting)
    with pytest.raises(UserError, match=r"training\.compile.*when stream is capturing.*to none"):
        train(head_trainer("cuda-graph"))


def test_without_memory_for_the_recording_the_error_is_about_memory(monkeypatch):
    def full(self: TapeRecorder, work: object) -> None:
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        finally:
            raise RuntimeError("the capture was ended")  # as leaving torch.cuda.graph does

    monkeypatch.setattr(TapeRecorder, "record", full)
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        train(head_trainer("cuda-graph"))


def test_features_in_the_hosts_memory_are_trained_on_without_a_recording(monkeypatch, caplog):
    monkeypatch.setattr(FeatureData, "in_host_memory", True)
    with caplog.at_level("WARNING", "resnet_sizes"):
        trainer = head_trainer("cuda-graph")
    assert trainer._graph is None
    assert "not recorded as a CUDA graph, since its features" in caplog.text
    assert train(trainer).losses == train(head_trainer("none")).losses


def test_features_away_from_their_labels_lie_in_the_hosts_memory():
    here, there = torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64, device="meta")
    assert FeatureData(here, there, here, there).in_host_memory
    assert not FeatureData(here, here, here, here).in_host_memory


def test_a_whole_run_writes_the_same_predictions(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_module.capabilities, "check_compiler", lambda mode, device: None)
    dataset = small_dataset(tmp_path)
    found = []
    for mode in ("none", "cuda-graph"):
        folder = RunFolder(tmp_path / mode)
        run = run_of(dataset, batch_size=8, compile=mode, compile_mode=mode)
        metrics = train_run(run, dataset, folder, "cpu")
        found.append(folder.predictions.read_bytes())
        assert (metrics.preparation_seconds > 0) == (mode == "cuda-graph")
    assert found[0] == found[1]


def test_cuda_is_told_to_warm_up_and_record_on_one_stream_of_its_own(monkeypatch):
    cuda = MagicMock()
    for name in ("Stream", "current_stream", "stream", "CUDAGraph", "graph"):
        monkeypatch.setattr(torch.cuda, name, getattr(cuda, name))
    recorder = CudaRecorder(torch.device("cuda"))
    own, default = cuda.Stream.return_value, cuda.current_stream.return_value
    with recorder.beside():
        own.wait_stream.assert_called_once_with(default)
        cuda.stream.assert_called_once_with(own)
        default.wait_stream.assert_not_called()
    default.wait_stream.assert_called_once_with(own)
    done = []
    replay = recorder.record(lambda: done.append(cuda.graph.return_value.__enter__.called))
    graph = cuda.CUDAGraph.return_value
    cuda.graph.assert_called_once_with(graph, stream=own)
    assert done == [True]
    graph.replay.assert_not_called()
    replay()
    graph.replay.assert_called_once_with()
