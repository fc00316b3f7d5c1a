"""What single steps on a device show: its numbers are exact, equal when repeated and those of the
CPU; they fail clearly, never wait, and are launched as graphs."""

import itertools
import os
import shutil
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import torch
from torch import profiler
from torch.nn import functional
from torch.nn.grad import conv2d_weight

from resnet_sizes.device_check.bench import MODES, READINGS, Bench, images, last_logits
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.capabilities import explained_out_of_memory, fastest_precision
from resnet_sizes.training.devices.gpus import VARIABLE, Nvml, visible_gpus
from resnet_sizes.training.engine import batches
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.numerics import set_determinism
from resnet_sizes.training.engine.step_graph import WARM_UP

CPU = torch.device("cpu")

LOSSES = {"fp32": (1e-4, 1e-3)}
LOSSES_IN_SHORT = (2e-2, 2e-2)
"""Allowed relative difference of the first and the fifth loss: in fp32; in 16 bits and in TF32."""

RATE = 1e-5
"""Adam divides gradients by their size; at a higher rate rounding would grow with each step."""

PIECE = 8 * 2**20
"""Bytes."""

WHOLE = 12
"""Whole batches of an epoch in which launches are counted; a smaller one follows."""

WATCHED = 20
"""Steps that may not wait for the device."""

SETTLED = 5
"""Steps before them, in which kernels are chosen and a graph is recorded."""


def facts(bench: Bench) -> None:
    """Record what decides how training goes here, beside the versions that the record has."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    bench.numbers |= {
        "precision: auto": fastest_precision(bench.device),
        "C compiler": next(filter(None, map(shutil.which, ("gcc", "cc", "clang"))), "none"),
        "Python.h": str(headers) if headers.is_file() else "missing",
        "vector instructions": torch.backends.cpu.get_cpu_capability(),
    }
    if bench.device.type == "cuda":
        _cuda(bench)


def _cuda(bench: Bench) -> None:
    found = torch.cuda.get_device_properties(bench.device)
    torch.zeros(1, device=bench.device)  # from now on this process is one of the GPU's
    nvml = Nvml.load()
    gpu = next(iter(visible_gpus(nvml, os.environ)), None)
    uuid = gpu.uuid if gpu else None
    processes = (nvml.processes(gpu) if nvml and gpu else None) or ()
    bench.numbers |= {
        "capability": f"{found.major}.{found.minor}",
        "architectures of torch": " ".join(torch.cuda.get_arch_list()),
        VARIABLE: os.environ.get(VARIABLE, "not set"),
        "UUID of NVML": uuid or "unknown",
        "UUID of torch": f"GPU-{found.uuid}",
        "MIG": "yes" if uuid and uuid.startswith("MIG-") else "no",
        "NVML knows this process": "yes" if os.getpid() in processes else f"no: {processes}",
    }
    if uuid and uuid.startswith("GPU-") and uuid != f"GPU-{found.uuid}":
        bench.faults.append(f"NVML and torch see different GPUs: {uuid} and GPU-{found.uuid}")


def fp32(bench: Bench) -> None:
    """Compare products with fp64, forward and backward, in both memory formats."""
    set_determinism(True, 0)
    factors = torch.randn(2, 512, 512, dtype=torch.float64)
    maps = torch.randn(2, 16, 64, 16, 16, dtype=torch.float64)
    weight = torch.randn(64, 64, 3, 3, dtype=torch.float64)
    gradient = partial(conv2d_weight, weight_size=weight.shape, padding=1)
    for layout in (torch.contiguous_format, torch.channels_last):
        for what, operation, operands in (
            ("product", torch.mm, factors),
            ("convolution", partial(functional.conv2d, padding=1), (maps[0], weight)),
            ("its gradient", lambda one, other: gradient(one, grad_output=other), maps),
        ):
            given = [each.float().to(bench.device) for each in operands]
            if given[0].dim() == 4:
                given = [each.contiguous(memory_format=layout) for each in given]
            # TF32 has 10 bits: its error is 3e-4.
            error = difference(operation(*given), operation(*operands))
            bench.within(f"{what}, {str(layout)[6:]}", error, 1e-5)


def difference(found: torch.Tensor, exact: torch.Tensor) -> float:
    """Norm of the difference over the norm of what is exact."""
    error = found.detach().cpu().double() - exact.double()
    return float(error.norm() / exact.norm())


def steps(bench: Bench) -> None:
    """Two steps and an evaluation, the second step with a batch of two, each twice."""
    for model, reading, precision in itertools.product(bench.models, READINGS, bench.precisions()):
        small = reading in ("scratch-32", "augmented")
        batch = (256 if small else 64) if bench.device.type == "cuda" else 4
        run = bench.run(reading, model=model, precision=precision, batch_size=batch)
        with bench.case(f"{reading}/{model} in {precision}"):
            one, other = (last_logits(bench.trainer(run, images(batch + 2, 2))) for _ in range(2))
            if not torch.equal(one, other):
                raise ArithmeticError("the same steps give other logits when repeated")


def exactness(bench: Bench) -> None:
    """Compare with the CPU: the images that a network gets, its logits, its first losses."""
    arrays = images(5 * 16)
    pixels = torch.from_numpy(arrays.train_images)
    plain, large = bench.run().reading, bench.run("finetune-112").reading
    normalised = batches.Preprocessor(plain, CPU, "fp32")(pixels).double()
    exact = functional.interpolate(normalised, 112, mode="bilinear", antialias=True)
    made = batches.Preprocessor(large, bench.device, "fp32")(pixels.to(bench.device)).cpu()
    bench.within("resized images", (made - exact).abs().max().item(), 2e-5)
    drawn = batches.draw_flips_and_shifts(len(pixels), batches.epoch_generator(0, 1))
    one, other = (batches.flip_and_crop(each, *drawn) for each in (pixels, pixels.to(bench.device)))
    bench.within("augmented pixels that differ", (one != other.cpu()).sum().item(), 0)
    for model in bench.models[:2]:
        run = bench.run(model=model, batch_size=16, learning_rate=RATE)
        network = bench.network(run).double()
        network.register_forward_pre_hook(lambda _, given: (given[0].double(),))
        logits, losses = _first(Trainer(run, network, batches.DeviceData.on(CPU, arrays), CPU))
        for precision in bench.precisions():
            own = bench.run(model=model, batch_size=16, learning_rate=RATE, precision=precision)
            found, own_losses = _first(bench.trainer(own, arrays))
            if precision == "fp32":
                bench.within(f"{model}, logits", difference(found, logits), 1e-4)
            for step, limit in zip((0, 4), LOSSES.get(precision, LOSSES_IN_SHORT), strict=True):
                error = abs(own_losses[step] / losses[step] - 1)
                bench.within(f"{model}, {precision}, loss {step + 1}", error, limit)


def _first(trainer: Trainer) -> tuple[torch.Tensor, list[float]]:
    """Test logits before the training, and the loss of each step."""
    logits, losses = trainer.test_logits(), []
    list(trainer.epochs(lambda loss: losses.append(loss.item())))
    return logits, losses


def divergence(bench: Bench) -> None:
    """Let the loss overflow."""
    for precision in bench.precisions():
        run = bench.run(precision=precision, learning_rate=1e30, epochs=2, batch_size=64)
        _expect_advice(bench, run, precision, "training.learning_rate")


def shortage(bench: Bench) -> None:
    """Run out of memory at several places."""
    # The least first: libraries that have found room for themselves keep it.
    for pieces in (0, 6, 8, 12, 16):
        with leave(pieces * PIECE, bench.device):
            _expect_advice(bench, bench.run(), f"{8 * pieces} MiB", "ran out of memory")


def _expect_advice(bench: Bench, run: RunFile, case: str, words: str) -> None:
    with bench.case(case):
        try:
            with explained_out_of_memory(run):
                last_logits(bench.trainer(run, images(256)))
        except UserError as error:
            if words not in str(error):
                raise
        else:
            raise ArithmeticError("no error")


@contextmanager
def leave(room: int, device: torch.device) -> Iterator[None]:
    """A block that has about so many bytes of the device's memory."""
    torch.cuda.empty_cache()
    free, ballast = torch.cuda.mem_get_info(device)[0], None
    while ballast is None:  # in one piece there is less than there is in all
        with suppress(torch.OutOfMemoryError):
            ballast = torch.empty(free - room, dtype=torch.uint8, device=device)
        room += PIECE
    yield


def waits(bench: Bench) -> None:
    """Let torch refuse every wait for the device in the midst of an epoch."""
    for precision, mode in itertools.product(bench.precisions(), MODES):
        run = bench.run("augmented", precision=precision, batch_size=64, compile_mode=mode)
        trainer = bench.trainer(run, images(64 * (SETTLED + WATCHED + 1)))
        steps = itertools.count(1)

        def step_done(loss: torch.Tensor, steps: Iterator[int] = steps) -> None:
            step = next(steps)
            if step in (SETTLED, SETTLED + WATCHED):
                torch.cuda.set_sync_debug_mode("error" if step == SETTLED else "default")

        with bench.case(f"{precision}, {mode}"):
            list(trainer.epochs(step_done))
        torch.cuda.set_sync_debug_mode("default")


def graphs(bench: Bench) -> None:
    """Count the graphs that are launched, and compare with steps as they come."""
    for model, precision in itertools.product(bench.models, bench.precisions()):
        run = partial(bench.run, model=model, precision=precision, batch_size=64, epochs=2)
        with bench.case(f"{model}, {precision}"):
            if not torch.equal(*(_launches(bench, run(compile_mode=mode)) for mode in MODES)):
                raise ArithmeticError("logits are not those of steps as they come")


def _launches(bench: Bench, run: RunFile) -> torch.Tensor:
    """The last logits of a run that launches as many graphs as its mode promises."""
    trainer = bench.trainer(run, images(WHOLE * run.batch_size + 2))
    launched, logits = graph_launches(lambda: last_logits(trainer))
    what = f"{run.model}, {run.precision}, {run.compile_mode}: graphs launched"
    bench.numbers[what] = launched
    wanted = 0 if run.compile_mode == "none" else run.epochs * WHOLE - WARM_UP
    if launched != wanted:
        raise ArithmeticError(f"{what}: {launched} instead of {wanted}")
    return logits


def graph_launches(work: Callable[[], torch.Tensor]) -> tuple[int, torch.Tensor]:
    """How many CUDA graphs `work` launches, as NVIDIA's tracing tells, and what it returns."""
    activities = [profiler.ProfilerActivity.CPU, profiler.ProfilerActivity.CUDA]
    with profiler.profile(activities=activities) as trace:
        made = work()
    return sum(each.count for each in trace.key_averages() if each.key == "cudaGraphLaunch"), made
