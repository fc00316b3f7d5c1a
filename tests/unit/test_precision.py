"""Precision and compilation: chosen by what a device can do, never by how fast it was."""

import logging
import shutil
import sysconfig
import time
from types import SimpleNamespace

import pytest
import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training import capabilities
from resnet_sizes.training.capabilities import (
    best_compile_mode,
    check_compiler,
    check_precision,
    fastest_precision,
    resolve_auto,
)
from resnet_sizes.training.devices.gpus import Gpu, Nvml
from resnet_sizes.training.engine import batches, networks
from resnet_sizes.training.engine.batches import FeatureData, Preprocessor
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from resnet_sizes.training.engine.numerics import (
    autocast,
    compiled,
    memory_format,
    set_determinism,
)
from small_runs import run_of

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda", "mps"))


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((9, 0), "bf16"), ((8, 0), "bf16"), ((7, 5), "fp16"), ((7, 0), "fp16"), ((6, 1), "fp32")],
)
def test_auto_on_cuda_goes_by_capability(monkeypatch, capability, expected):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert fastest_precision(CUDA) == expected


@pytest.mark.parametrize(
    ("device", "visible", "precision", "mode"),
    [
        ("auto", None, "fp16", "cuda-graph"),
        ("cuda", "0", "bf16", "cuda-graph"),
        ("cuda:1", None, "fp16", "cuda-graph"),
        ("cuda:0", "GPU-old", "fp32", "cuda-graph"),
    ],
)
def test_on_a_mixed_machine_the_weakest_gpu_that_a_run_may_take_decides(
    monkeypatch, caplog, device, visible, precision, mode
):
    large, small = (
        Gpu(0, "GPU-a", "A100", (8, 0, 80)),
        Gpu(1, "GPU-b", "T4", (7, 5, 16)),
    )
    old = Gpu(2, "GPU-old", "P100", strength=(6, 0, 16))
    monkeypatch.setattr(Nvml, "load", lambda: SimpleNamespace(gpus=lambda: [large, small, old]))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("torch is not to look"))
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    flags = "sm_60 sm_75 sm_80" if visible == "GPU-old" else "sm_75 sm_80"
    monkeypatch.setattr(torch._C, "_cuda_getArchFlags", lambda: flags, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with caplog.at_level(logging.INFO, "resnet_sizes"):
        assert resolve_auto(run_of(None), device) == (precision, mode)
    if device == "auto":
        assert "auto means precision fp16" in caplog.text
        assert "on GPU 1 (T4, GPU-b), the weakest of 2" in caplog.text


def test_auto_on_a_cpu_is_bf16_only_where_the_processor_has_it(monkeypatch):
    for has, expected in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(capabilities, "_cpu_has_bf16", lambda has=has: has)
        assert fastest_precision(CPU) == expected
    assert fastest_precision(MPS) == "fp32"


def test_tf32_needs_a_gpu_that_has_it(monkeypatch):
    with pytest.raises(UserError, match=r"precision: tf32 needs a CUDA GPU.*device is cpu.*auto"):
        check_precision("tf32", CPU)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(UserError, match="capability 8"):
        check_precision("tf32", CUDA)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    check_precision("tf32", CUDA)


def test_a_format_that_a_gpu_lacks_is_refused(monkeypatch):
    with pytest.raises(UserError, match=r"precision: fp16 needs a CUDA GPU"):
        check_precision("fp16", MPS)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    with pytest.raises(
        UserError, match=r"bf16.*8\.0.*is cuda of capability 7\.5.*study runs STUDY"
    ):
        check_precision("bf16", CUDA)
    check_precision("fp16", CUDA)


def test_a_format_that_a_cpu_only_emulates_is_told(monkeypatch, caplog):
    logging.getLogger("resnet_sizes").propagate = True
    monkeypatch.setattr(capabilities, "_cpu_has_bf16", lambda: False)
    with caplog.at_level(logging.WARNING, "resnet_sizes"):
        check_precision("bf16", CPU)
    assert "bf16 is emulated" in caplog.text


def test_fp32_means_fp32_and_tf32_is_asked_for():
    try:
        set_determinism(True, 0, "tf32")
        assert torch.backends.cuda.matmul.allow_tf32
        assert torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.conv.fp32_precision == "tf32"
        set_determinism(True, 0)
        assert not torch.backends.cuda.matmul.allow_tf32
        assert not torch.backends.cudnn.allow_tf32
        # Torch's newer names for the same say it too.
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
        assert torch.backends.cudnn.conv.fp32_precision != "tf32"
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_network_computes_in_the_precision_asked_for(name, dtype):
    with autocast(name, CPU)():
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype


@pytest.mark.parametrize("deterministic", [True, False])
def test_the_compiler_chooses_no_kernel_by_its_time_where_results_are_to_repeat(deterministic):
    try:
        set_determinism(deterministic, 0)
        assert torch._inductor.config.deterministic is deterministic
    finally:
        torch.use_deterministic_algorithms(False)


def test_channels_come_last_only_where_that_pays():
    assert memory_format("fp32", CPU) == memory_format("bf16", CPU) == torch.channels_last
    assert memory_format("bf16", CUDA) == memory_format("fp16", CUDA) == torch.channels_last
    for precision, device in (("fp32", CUDA), ("tf32", CUDA), ("fp32", MPS)):
        assert memory_format(precision, device) == torch.contiguous_format


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_images_and_weights_lie_as_the_rule_says(monkeypatch, layout):
    for module in (batches, networks):
        monkeypatch.setattr(module, "memory_format", lambda precision, device: layout)
    recipe = TrainingRecipe(input_size=40, augmentation="flip-crop")
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    for given in (images, images.contiguous(memory_format=torch.channels_last)):
        assert Preprocessor(recipe, CPU, "fp32")(given).is_contiguous(memory_format=layout)
    network = ready_for_training(build_network("resnet18", recipe, 2), recipe, CPU, "fp32")
    assert network.layer1[0].conv1.weight.is_contiguous(memory_format=layout)


def test_graphs_are_recorded_only_where_launches_are_the_limit():
    small = TrainingRecipe()
    frozen = {"weights": "V1", "trainable": "head", "input_size": 224}
    assert best_compile_mode(small, CUDA) == "cuda-graph"
    assert best_compile_mode(TrainingRecipe(**frozen), CUDA) == "cuda-graph"
    assert best_compile_mode(small, CPU) == best_compile_mode(small, MPS) == "none"
    assert best_compile_mode(TrainingRecipe(**frozen, frozen_batch_norm="train"), CUDA) == "none"
    assert best_compile_mode(TrainingRecipe(stem="cifar"), CUDA) == "none"
    assert best_compile_mode(TrainingRecipe(input_size=112), CUDA) == "none"


def test_compiling_without_a_compiler_is_told_before_training(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match=r"training\.compile: found 'default'.*compile to none"):
        check_compiler("default", CPU)
    with pytest.raises(UserError, match=r"training\.compile.*gcc"):
        check_compiler("reduce-overhead", CUDA)
    check_compiler("none", CPU)
    check_compiler("cuda-graph", CUDA)


def test_compiling_without_pythons_headers_is_told_before_training(monkeypatch, tmp_path):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/gcc")
    with pytest.raises(UserError, match=r"Python\.h, and .* has none.*python3-dev.*to none"):
        check_compiler("default", CUDA)


def test_a_graph_needs_a_gpu_to_be_recorded_on():
    with pytest.raises(UserError, match=r"'cuda-graph', which needs a CUDA GPU; the device is cpu"):
        check_compiler("cuda-graph", CPU)


def head_trainer(**changes) -> Trainer:
    """What trains a head on random features as a run says."""
    torch.manual_seed(0)
    labels = torch.arange(64) % 4
    features = torch.randn(64, 32) + labels[:, None] / 4
    data = FeatureData(features, labels, features[:10], labels[:10])
    head = torch.nn.Linear(32, 4)
    reading = {"weights": "V1", "trainable": "head"} | changes.pop("reading", {})
    weights = InitialWeights(name="random", file="random", sha256="0" * 64)
    run = run_of(None, reading=reading, initial_weights=weights, learning_rate=0.01, **changes)
    return Trainer(run, head, data, CPU)


def head_losses(**changes) -> list[float]:
    """Losses of each of its steps."""
    trainer = head_trainer(**changes)
    found: list[float] = []
    epochs = trainer.epochs(lambda loss: found.append(loss.item()))
    assert len(list(epochs)) == trainer.run.epochs
    return found


@pytest.mark.parametrize(("name", "tolerance"), [("bf16", 0.02), ("fp16", 0.005)])
def test_a_shorter_format_changes_losses_by_its_rounding_alone(name, tolerance):
    # fp16 goes through the scaler, which must leave the size of a step as it is.
    losses, short = head_losses(epochs=5), head_losses(epochs=5, reading={"precision": name})
    assert losses[-1] < 0.8 * losses[0]
    assert short == pytest.approx(losses, rel=tolerance)
    assert short != losses


NEEDS_COMPILER = pytest.mark.skipif(
    not any(map(shutil.which, ("g++", "clang++"))), reason="torch.compile needs a C++ compiler"
)


@NEEDS_COMPILER
@pytest.mark.parametrize("mode", ["default", "reduce-overhead"])
def test_compiling_changes_nothing_but_rounding(mode):
    compiled = head_losses(compile=mode, compile_mode=mode)
    assert compiled == pytest.approx(head_losses(), rel=1e-5)


@NEEDS_COMPILER
def test_compiling_is_no_training_time_and_told_apart():
    torch.compiler.reset()
    trainer = head_trainer(compile="default", compile_mode="default")
    start = time.perf_counter()
    epochs = [metrics for metrics, _ in trainer.epochs(lambda loss: None)]
    passed = time.perf_counter() - start
    trained = sum(epoch.training_seconds + epoch.evaluation_seconds for epoch in epochs)
    assert passed / 2 < trainer.preparation_seconds < passed - trained
    assert trainer.numbers()["preparation_seconds"] == trainer.preparation_seconds


@NEEDS_COMPILER
def test_more_shapes_than_dynamo_keeps_are_an_error_and_not_silently_left_uncompiled():
    torch.compiler.reset()
    forward = compiled(torch.nn.Linear(2, 2), "default", Clock(CPU))
    with torch._dynamo.config.patch(recompile_limit=1):
        forward(torch.ones(3, 2))
        with pytest.raises(UserError, match=r"torch has compiled.*for 1 shapes"):
            forward(torch.ones(4, 2))


def test_preparing_is_left_out_of_a_span_and_counted_only_there(monkeypatch):
    now = iter(range(0, 100, 10))
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(now)))
    clock = Clock(CPU)
    clock.begin_preparation()  # of somebody else's work
    clock.end_preparation()
    with clock.span():
        clock.begin_preparation()
        clock.end_preparation()
    assert (clock.seconds, clock.preparation) == (20, 10)
