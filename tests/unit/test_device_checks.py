"""Each check of a device fails where it should: a fault is planted, and the check has to name it.

Checks for GPUs are made on a CPU, with stand-ins for what CUDA alone has.
"""

import os
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.nn import functional

from pretend_gpus import PretendGpus, uuid
from recorded_steps import TapeRecorder
from resnet_sizes.device_check import bench as bench_module
from resnet_sizes.device_check import runs, steps
from resnet_sizes.device_check.bench import Bench
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.training.engine import batches, networks
from resnet_sizes.training.engine import loop as engine
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.numerics import memory_format
from small_runs import CPU


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A CPU, with one precision and few readings."""
    monkeypatch.setattr(Bench, "precisions", lambda self: ["fp32"])
    monkeypatch.setattr(bench_module, "READINGS", {"scratch-32": {}, "augmented": AUGMENTED})
    monkeypatch.setattr(steps, "READINGS", bench_module.READINGS)
    return Bench(CPU, True, tmp_path)


AUGMENTED = {"augmentation": "flip-crop"}
OTHER_READINGS = dict(bench_module.READINGS)


def tf32(tensor):
    """Its numbers with the 10 bits that TF32 has."""
    return (tensor.float().view(torch.int32) & ~0x1FFF).view(torch.float32).to(tensor.dtype)


@pytest.mark.parametrize(
    ("module", "name", "fault"),
    [
        (torch, "mm", ["product"]),
        (functional, "conv2d", ["convolution"]),
        (steps, "conv2d_weight", ["its gradient"]),
    ],
)
def test_numbers_of_tf32_are_noticed(bench, monkeypatch, module, name, fault):
    exact = getattr(module, name)

    def rounded(one, other=None, *rest, **more):
        if one.dtype == torch.float32:
            one = tf32(one)
        return exact(one, *([] if other is None else [other]), *rest, **more)

    monkeypatch.setattr(module, name, rounded)
    steps.fp32(bench)
    assert {each.partition(",")[0] for each in bench.faults} == set(fault)
    assert len(bench.faults) == 2  # in both memory formats
    assert all(", allowed 1e-05" in each for each in bench.faults)


def test_steps_that_differ_when_repeated_are_noticed(bench, monkeypatch):
    step = torch.optim.Adam.step

    def restless(self, *given):
        found = step(self, *given)
        with torch.no_grad():
            for parameter in self.param_groups[0]["params"][-1:]:
                parameter += int.from_bytes(os.urandom(2)) / 2**20
        return found

    monkeypatch.setattr(torch.optim.Adam, "step", restless)
    steps.steps(bench)
    assert [each.partition(":")[0] for each in bench.faults] == [
        "scratch-32/resnet18 in fp32",
        "augmented/resnet18 in fp32",
    ]
    assert "give other logits when repeated" in bench.faults[0]


def test_a_step_that_is_refused_is_named_and_the_others_are_tried(bench, monkeypatch):
    def refused(images, *drawn):
        raise RuntimeError("index_put_ does not have a deterministic implementation")

    monkeypatch.setattr(batches, "flip_and_crop", refused)
    steps.steps(bench)
    (fault,) = bench.faults
    assert fault.startswith("augmented/resnet18 in fp32: RuntimeError: index_put_ does not have")
    assert "(batches.py:" in fault


def test_other_images_logits_and_losses_than_the_cpus_are_noticed(bench, monkeypatch):
    monkeypatch.setattr(bench_module, "READINGS", OTHER_READINGS)
    plain = batches.flip_and_crop
    calls = []

    def shifted(images, *drawn):
        calls.append(images)
        return plain(images, *drawn).roll(len(calls) % 2, dims=3)

    monkeypatch.setattr(batches, "flip_and_crop", shifted)
    resize = functional.interpolate
    monkeypatch.setattr(
        batches,
        "functional",
        SimpleNamespace(
            pad=functional.pad,
            interpolate=lambda *images, **how: (
                resize(*images, **how | {"antialias": False}) * 1.001
            ),
        ),
    )
    ready = bench_module.ready_for_training

    def off(network, *rest):
        with torch.no_grad():
            network.fc.weight *= 1.001
        return ready(network, *rest)

    monkeypatch.setattr(bench_module, "ready_for_training", off)
    steps.exactness(bench)
    found = {each.partition(":")[0] for each in bench.faults}
    assert found >= {"resized images", "augmented pixels that differ", "resnet18, logits"}


def test_a_learning_rate_that_is_not_the_runs_is_noticed(bench, monkeypatch):
    monkeypatch.setattr(bench_module, "READINGS", OTHER_READINGS)
    rate = Trainer._learning_rate

    def hasty(trainer):
        is_single = next(trainer.network.parameters()).dtype == torch.float32
        return rate(trainer) * (100 if is_single else 1)

    monkeypatch.setattr(Trainer, "_learning_rate", hasty)
    steps.exactness(bench)
    assert [each.partition(":")[0] for each in bench.faults] == ["resnet18, fp32, loss 5"]


def test_a_loss_that_overflows_in_silence_is_noticed(bench, monkeypatch):
    monkeypatch.setattr(Trainer, "_stop_unless_finite", lambda *told: None)
    steps.divergence(bench)
    (fault,) = bench.faults
    assert fault.startswith("fp32: ")
    assert "UserError" not in fault


def test_a_shortage_of_memory_without_our_advice_is_noticed(bench, monkeypatch):
    advice = [UserError("ran out of memory")] * 3
    said = iter([RuntimeError("CUDA error: unknown error"), None, *advice])

    def trainer(self, run, arrays):
        if error := next(said):
            raise error
        return

    monkeypatch.setattr(Bench, "trainer", trainer)
    monkeypatch.setattr(steps, "last_logits", lambda trainer: None)
    monkeypatch.setattr(steps, "leave", lambda room, device: nullcontext())
    steps.shortage(bench)
    first, second = bench.faults
    assert first.startswith("0 MiB: RuntimeError: CUDA error: unknown error")
    assert second.startswith("48 MiB: ArithmeticError: no error")


def test_memory_of_a_gpu_is_filled_but_for_what_is_left(monkeypatch):
    free, held, empty = 100 * steps.PIECE, [], torch.empty

    def allocate(size, dtype, device):
        if size > free - 2 * steps.PIECE:  # in pieces
            raise torch.OutOfMemoryError("CUDA out of memory")
        held.append(size)
        return empty(1, dtype=dtype)

    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
    monkeypatch.setattr(torch, "empty", allocate)
    for room in (0, 5 * steps.PIECE):
        with steps.leave(room, torch.device("cuda")):
            pass
    assert held == [free - 2 * steps.PIECE, free - 5 * steps.PIECE]


@pytest.fixture
def on_tape(monkeypatch):
    """Steps are recorded without CUDA; the recordings."""
    made = []

    class Recorder(TapeRecorder):
        def __init__(self, device):
            super().__init__(device)
            made.append(self)

    monkeypatch.setattr(engine, "CudaRecorder", Recorder)

    def launches(work):
        before = sum(each.replays for each in made)
        found = work()
        return sum(each.replays for each in made) - before, found

    monkeypatch.setattr(steps, "graph_launches", launches)
    monkeypatch.setattr(steps, "WHOLE", 4)
    return made


@pytest.fixture
def sync_modes(monkeypatch):
    """What torch was told of waits for the device."""
    told = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", told.append)
    return told


def test_waits_are_refused_in_twenty_steps_of_either_mode(bench, on_tape, sync_modes, monkeypatch):
    monkeypatch.setattr(steps, "images", lambda count: bench_module.images(count // 16))
    run = bench.run
    monkeypatch.setattr(bench, "run", lambda *what, **how: run(*what, **how | {"batch_size": 4}))
    watched = []
    step = Trainer._step

    def counted(self, *given):
        watched.append(sync_modes[-1:] == ["error"])
        return step(self, *given)

    monkeypatch.setattr(Trainer, "_step", counted)
    steps.waits(bench)
    assert not bench.faults
    assert sum(watched) == 2 * steps.WATCHED
    assert sync_modes == ["error", "default", "default"] * 2


def test_a_step_that_waits_is_noticed(bench, on_tape, sync_modes, monkeypatch):
    monkeypatch.setattr(steps, "images", lambda count: bench_module.images(count // 16))
    run = bench.run
    monkeypatch.setattr(bench, "run", lambda *what, **how: run(*what, **how | {"batch_size": 4}))
    step = Trainer._step

    def waiting(self, *given):
        if sync_modes[-1:] == ["error"]:
            raise RuntimeError("called a synchronizing CUDA operation")
        return step(self, *given)

    monkeypatch.setattr(Trainer, "_step", waiting)
    steps.waits(bench)
    assert [each.partition(": R")[0] for each in bench.faults] == ["fp32, none", "fp32, cuda-graph"]
    assert sync_modes[-1] == "default"


def test_graphs_are_counted_and_their_logits_are_those_of_plain_steps(bench, on_tape, monkeypatch):
    monkeypatch.setattr(steps, "images", lambda count: bench_module.images(count))
    steps.graphs(bench)
    assert bench.faults == []
    assert bench.numbers == {
        "resnet18, fp32, none: graphs launched": 0,
        "resnet18, fp32, cuda-graph: graphs launched": 5,
    }


def test_a_graph_that_is_left_out_or_gives_other_logits_is_noticed(bench, on_tape, monkeypatch):
    monkeypatch.setattr(steps, "_launches", lambda bench, run: torch.rand(3))
    steps.graphs(bench)
    assert "logits are not those of steps as they come" in bench.faults[0]
    monkeypatch.undo()
    monkeypatch.setattr(steps, "last_logits", lambda trainer: torch.zeros(3))
    monkeypatch.setattr(steps, "graph_launches", lambda work: (7, work()))
    run = bench.run(compile_mode="none", batch_size=2, epochs=2)
    with pytest.raises(ArithmeticError, match="none: graphs launched: 7 instead of 0"):
        steps._launches(bench, run)


def test_a_form_that_is_faster_than_the_chosen_one_is_noticed(bench, monkeypatch):
    rates = {torch.channels_last: 100.0, torch.contiguous_format: 104.0}
    asked = []

    def rate(bench, run, layout, mode):
        asked.append((layout, mode))
        return rates[layout] - 10 * (mode != "none")

    monkeypatch.setattr(runs, "_rate", rate)
    runs.speed(bench)
    assert bench.faults == ["resnet18, fp32, behind the fastest: 0.0385, allowed 0.03"]
    assert len(asked) == 6  # both forms twice
    assert bench.numbers["resnet18, fp32, contiguous_format, cuda-graph, images/s"] == 94
    rates[torch.contiguous_format] = 102.0
    bench.faults.clear()
    runs.speed(bench)
    assert bench.faults == []


def test_speeds_are_measured_in_the_layout_and_the_mode_that_are_asked_for(
    bench, on_tape, monkeypatch
):
    monkeypatch.setattr(runs, "STEPS", 4)
    monkeypatch.setattr(runs, "images", lambda count, test: bench_module.images(count, test))
    layouts = []
    step = Trainer._step

    def seen(self, *given):
        weight = self.network.layer2[0].conv2.weight
        layouts.append(weight.is_contiguous(memory_format=torch.channels_last))
        return step(self, *given)

    monkeypatch.setattr(Trainer, "_step", seen)
    run = bench.run(batch_size=2, epochs=2)
    for layout in (torch.contiguous_format, torch.channels_last):
        layouts.clear()
        assert runs._rate(bench, run, layout, "cuda-graph") > 0
        assert set(layouts) == {layout == torch.channels_last}
    assert [each.recordings for each in on_tape] == [1, 1]


def test_after_a_measurement_that_failed_the_engine_takes_its_own_layout_again(bench, monkeypatch):
    layouts = []

    def trainer(self, run, arrays):
        layouts.extend(module.memory_format("fp32", CPU) for module in (networks, batches))
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(Bench, "trainer", trainer)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        runs._rate(bench, bench.run(), torch.channels_last, "none")
    assert layouts == [torch.channels_last] * 2
    assert networks.memory_format is batches.memory_format is memory_format


def test_facts_of_a_gpu_are_told_and_two_names_for_it_are_noticed(tmp_path, monkeypatch):
    gpus = PretendGpus(tmp_path)
    gpus.are({"uuid": uuid("a"), "processes": {os.getpid(): "python"}})
    for name, value in gpus.environment(uuid("a")).items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "pretend_nvml"))
    monkeypatch.delitem(__import__("sys").modules, "pynvml", raising=False)
    found = SimpleNamespace(major=9, minor=0, uuid=uuid("a").removeprefix("GPU-"))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: found)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_80", "sm_90"])
    monkeypatch.setattr(torch, "zeros", lambda *shape, device: None)
    bench = Bench(torch.device("cuda"), True, tmp_path)
    steps.facts(bench)
    assert bench.faults == []
    assert bench.numbers["architectures of torch"] == "sm_80 sm_90"
    assert bench.numbers["NVML knows this process"] == "yes"
    assert bench.numbers["precision: auto"] == "bf16"
    found.uuid = "another"
    steps.facts(bench)
    assert bench.faults == [f"NVML and torch see different GPUs: {uuid('a')} and GPU-another"]


def test_the_precisions_of_a_gpu_are_those_that_it_computes(tmp_path, monkeypatch):
    bench = Bench(torch.device("cuda"), True, tmp_path)
    wanted: dict[tuple[int, int], list[Precision]] = {
        (9, 0): ["fp32", "tf32", "bf16", "fp16"],
        (7, 5): ["fp32", "fp16"],
        (6, 1): ["fp32"],
    }
    for capability, precisions in wanted.items():
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device, own=capability: own)
        assert bench.precisions() == precisions
