"""Whether the forms of a step that fixed rules choose are the fastest here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from statistics import median
from typing import Any

import torch
from torch.nn import functional
from torch.utils.benchmark import Timer

from resnet_sizes.device_check.bench import CLASSES, Bench, images, in_mode
from resnet_sizes.device_check.loop import MODES
from resnet_sizes.forecast.measure import ignore
from resnet_sizes.schemas.run.run import CompileMode, Precision, RunFile
from resnet_sizes.schemas.study.protocol import ModelName
from resnet_sizes.training.capabilities import best_compile_mode
from resnet_sizes.training.engine import batches, networks
from resnet_sizes.training.engine.networks import build_network, macs_per_image
from resnet_sizes.training.engine.numerics import memory_format, set_determinism

SLOWER = 0.03
"""Share of the fastest form's speed by which the chosen one may be behind."""

STEPS = 20
"""Of an epoch that is timed."""

EPOCHS = 6
"""The first chooses kernels and records a graph; of the others the median counts."""


def speed(bench: Bench) -> None:
    """Time steps in each form, a tutorial's steps, and a large matrix product."""
    for model in bench.models:
        bench.numbers[f"{model}, a tutorial's steps, images/s"] = round(plain_rate(bench, model))
    for precision in bench.precisions():
        operations = product_rate(bench, precision)
        bench.numbers[f"matrix product, {precision}, TFLOP/s"] = round(operations / 1e12, 1)
        for model in bench.models:
            run = bench.run(model=model, precision=precision, epochs=EPOCHS)
            # Two operations a multiply-accumulate; the backward pass costs two forward ones.
            work = 2 * 3 * macs_per_image(model, run.reading, CLASSES)
            share = _chosen_rate(bench, run) * work / operations
            bench.numbers[f"{model}, {precision}, share of the product's rate"] = round(share, 3)


def _chosen_rate(bench: Bench, run: RunFile) -> float:
    """Images a second in the form that fixed rules choose; a fault where another is faster."""
    layouts = torch.contiguous_format, torch.channels_last
    rates = {form: _rate(bench, run, *form) for form in product(layouts, MODES)}
    mode = best_compile_mode(run.reading, bench.device)
    chosen = memory_format(run.precision, bench.device), mode
    fastest = max(rates, key=rates.__getitem__)
    if rates[chosen] < (1 - SLOWER) * rates[fastest]:  # a second look, at both
        rates |= {form: _rate(bench, run, *form) for form in (fastest, chosen)}
    what = f"{run.model}, {run.precision}"
    for (layout, each), rate in rates.items():
        bench.numbers[f"{what}, {str(layout)[6:]}, {each}, images/s"] = round(rate)
    bench.within(f"{what}, behind the fastest", 1 - rates[chosen] / rates[fastest], SLOWER)
    return rates[chosen]


def _rate(bench: Bench, run: RunFile, layout: torch.memory_format, mode: CompileMode) -> float:
    count = STEPS * run.batch_size
    with laid_out(layout):
        epochs = bench.trainer(in_mode(run, mode), images(count, 2)).epochs(ignore)
        seconds = [metrics.training_seconds for metrics, _ in epochs]
    return count / median(seconds[1:])


@contextmanager
def laid_out(layout: torch.memory_format) -> Iterator[None]:
    """A block in which the engine takes this memory format, and not that of its rule."""
    modules: tuple[Any, ...] = (networks, batches)
    for module in modules:
        module.memory_format = lambda *_: layout
    try:
        yield
    finally:
        for module in modules:
            module.memory_format = memory_format


def plain_rate(bench: Bench, model: ModelName) -> float:
    """Images a second of a tutorial's steps with torch's defaults, prepared images being there."""
    set_determinism(False, 0)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = False, True
    network = build_network(model, bench.run().reading, CLASSES).to(bench.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)
    inputs = torch.randn(256, 3, 32, 32, device=bench.device)
    labels = torch.randint(CLASSES, (256,), device=bench.device)

    def step() -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(inputs), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.item()

    return 256 / _seconds(step)


def product_rate(bench: Bench, precision: Precision) -> float:
    """Operations a second of a matrix product, two a multiply-accumulate."""
    set_determinism(True, 0, precision)
    size = 8192 if bench.device.type == "cuda" else 1024
    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(precision, torch.float32)
    left, right = torch.randn(2, size, size, device=bench.device, dtype=kind)
    return 2 * size**3 / _seconds(lambda: left @ right)


def _seconds(work: Callable[[], object]) -> float:
    """Of one call, with the wait for the device."""
    timer = Timer("work()", globals={"work": work}, num_threads=torch.get_num_threads())
    return float(timer.blocked_autorange(min_run_time=0.5).median)
