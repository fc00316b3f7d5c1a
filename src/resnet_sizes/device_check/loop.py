"""What the training loop does on a device: it fails clearly, never waits, and launches graphs."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import profiler

from resnet_sizes.device_check.bench import Bench, described, images, in_mode, last_logits
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import CompileMode, RunFile
from resnet_sizes.training.capabilities import explained_out_of_memory
from resnet_sizes.training.engine.step_graph import WARM_UP

PIECE = 8 * 2**20
"""Bytes."""

WHOLE = 12
"""Whole batches of an epoch in which launches are counted; a smaller one follows."""

WATCHED = 20
"""Steps that may not wait for the device."""

SETTLED = 5
"""Steps before them, in which kernels are chosen and a graph is recorded."""

MODES: tuple[CompileMode, ...] = ("none", "cuda-graph")
"""Steps as they come, and recorded ones."""


def divergence(bench: Bench) -> None:
    """Let the loss overflow."""
    for precision in bench.precisions():
        run = bench.run(precision=precision, learning_rate=1e30, epochs=2, batch_size=64)
        _expect_advice(bench, run, precision, "training.learning_rate")


def shortage(bench: Bench) -> None:
    """Run out of memory at several places."""
    # The least first: libraries that have found room for themselves keep it.
    for pieces in (0, 6, 8, 12, 16) if bench.device.type == "cuda" else (2, 8):
        with leave(pieces * PIECE, bench.device):
            _expect_advice(bench, bench.run(), f"{8 * pieces} MiB", "ran out of memory")


def _expect_advice(bench: Bench, run: RunFile, case: str, words: str) -> None:
    try:
        with explained_out_of_memory(run):
            last_logits(bench.trainer(run, images(256)))
    except Exception as error:
        if not isinstance(error, UserError) or words not in str(error):
            bench.faults.append(f"{case}: {described(error)}")
    else:
        bench.faults.append(f"{case}: no error")


@contextmanager
def leave(room: int, device: torch.device) -> Iterator[None]:
    """A block that has about so many bytes of memory, on CUDA and on Linux."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        free, ballast = torch.cuda.mem_get_info(device)[0], None
        while ballast is None:  # in one piece there is less than there is in all
            with suppress(torch.OutOfMemoryError):
                ballast = torch.empty(free - room, dtype=torch.uint8, device=device)
            room += PIECE
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    most = pages * resource.getpagesize() + room
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


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
        run = bench.run(model=model, precision=precision, batch_size=64, epochs=2)
        with bench.case(f"{model}, {precision}"):
            if not torch.equal(*(_launches(bench, in_mode(run, mode)) for mode in MODES)):
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
    """How many CUDA graphs are launched by `work`, as NVIDIA's tracing of the driver tells, and
    what it returns."""
    activities = [profiler.ProfilerActivity.CPU, profiler.ProfilerActivity.CUDA]
    with profiler.profile(activities=activities) as trace:
        made = work()
    return sum(each.count for each in trace.key_averages() if each.key == "cudaGraphLaunch"), made
