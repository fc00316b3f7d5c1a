"""Where the time of a training step goes: the plain loop ("before") beside the engine ("after").

python benchmarks/profile_step.py --model resnet18
python benchmarks/profile_step.py --model resnet50 --case frozen-224 --batch-size 32
"""

import os
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Annotated

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
# The profiler's library otherwise reports each start, and an error where there is no GPU.
os.environ.setdefault("KINETO_LOG_LEVEL", "5")

import torch
import typer
from contest import as_pytorch_starts
from engine import EngineLoop, study_choices
from plain_loop import PlainLoop
from rich.console import Console
from settings import BATCH_SIZE, CASES, MODELS, Setting, networks, noise_images
from tables import Table
from torch.autograd import DeviceType  # type: ignore[attr-defined]
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.training.capabilities import fastest_precision
from resnet_sizes.training.devices.select import select_device, set_threads

FILLING = "filling new memory (deterministic mode)"
"""What `torch.utils.deterministic.fill_uninitialized_memory` costs."""

NEW_MEMORY = ("aten::empty", "aten::resize_", "aten::empty_strided", "aten::empty_like")

OTHER = "other (copies and views, sums, Python)"

GROUPS: list[tuple[str, tuple[str, ...]]] = [
    # The first group of which a name contains a part, read from the outermost operation inwards.
    ("optimiser", ("Optimizer.", "_fused_adam", "_foreach")),
    (
        "convolutions and matrix products, backward",
        ("ConvolutionBackward", "AddmmBackward", "MmBackward", "LinearBackward"),
    ),
    ("batch normalisation, backward", ("BatchNormBackward",)),
    ("ReLU, backward", ("ReluBackward", "ThresholdBackward")),
    ("pooling, backward", ("MaxPool2DWithIndicesBackward", "MeanBackward", "AvgPool2DBackward")),
    (
        "slices, views and copies, backward",
        (
            *("SliceBackward", "SelectBackward", "ViewBackward", "PermuteBackward"),
            *("StackBackward", "CloneBackward", "TransposeBackward", "TBackward"),
        ),
    ),
    ("other, backward", ("autograd::engine::evaluate_function",)),
    ("batch normalisation, forward", ("aten::batch_norm", "native_batch_norm")),
    (
        "convolutions and matrix products, forward",
        ("aten::conv", "aten::linear", "aten::mkldnn_convolution", "aten::addmm", "aten::matmul"),
    ),
    ("ReLU, forward", ("aten::relu", "aten::clamp_min")),
    ("pooling, forward", ("max_pool2d", "avg_pool2d")),
    ("loss", ("cross_entropy", "nll_loss", "log_softmax")),
    (
        "data preparation",
        (
            *("aten::index", "aten::upsample", "aten::_upsample", "aten::randperm", "aten::sub_"),
            *("aten::mul_", "aten::div", "aten::sub", "aten::to", "aten::interpolate"),
        ),
    ),
]


def group_of(event: FunctionEvent) -> str:
    """The group to which an operation's own time belongs."""
    if event.name == "aten::fill_" and event.cpu_parent and event.cpu_parent.name in NEW_MEMORY:
        return FILLING
    names = []
    current: FunctionEvent | None = event
    while current is not None:
        names.append(current.name)
        current = current.cpu_parent
    for name in reversed(names):
        for group, parts in GROUPS:
            if any(part in name for part in parts):
                return group
    return OTHER


def own_times(events: Iterable[FunctionEvent], device: torch.device) -> dict[str, float]:
    """Microseconds of work by group, each operation without those it calls.

    On a GPU: of the kernels that an operation started. Kernels in a CUDA graph belong to no
    operation, so they all count as other.
    """
    times: dict[str, float] = defaultdict(float)
    for event in events:
        if event.device_type == DeviceType.CPU:
            own = (
                event.self_cpu_time_total if device.type == "cpu" else event.self_device_time_total
            )
            times[group_of(event)] += own
    return times


def profiled(measure: Callable[[], float], steps: int, device: torch.device) -> dict[str, float]:
    """Milliseconds a step by group, after one round that is not counted."""
    measure()
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as found:
        measure()
    times = own_times(found.events(), device)
    return {group: time / 1000 / steps for group, time in times.items()}


def step_table(before: dict[str, float], after: dict[str, float], title: str) -> Table:
    """Milliseconds and shares by group."""
    rows = []
    sums = sum(before.values()), sum(after.values())
    for group in [*(group for group, _ in GROUPS), FILLING, OTHER]:
        cells = [
            cell
            for times, total in zip((before, after), sums, strict=True)
            for cell in (f"{times.get(group, 0):.1f}", f"{100 * times.get(group, 0) / total:.1f}")
        ]
        rows.append([group, *cells])
    rows.append(["all", f"{sums[0]:.1f}", "100", f"{sums[1]:.1f}", "100"])
    header = ["what", "plain loop, ms", "%", "engine, ms", "%"]
    note = (
        "Own times of the operations in a step, by torch.profiler, which slows small ones down: "
        "for the shares, not for the speed."
    )
    return Table(title, header, rows, [note])


def main(
    model: Annotated[str, typer.Option(help=", ".join(MODELS))] = "resnet18",
    case: Annotated[str, typer.Option(help="scratch-32 or frozen-224")] = "scratch-32",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")] = "auto",
    precision: Annotated[str, typer.Option(help="fp32 or auto, for both")] = "fp32",
    batch_size: Annotated[int, typer.Option(min=2)] = BATCH_SIZE,
    steps: Annotated[int, typer.Option(min=1)] = 3,
    compile: Annotated[str | None, typer.Option(help="Of the engine; as in run.py")] = None,
    markdown: Annotated[bool, typer.Option(help="Print Markdown, for the README.")] = False,
) -> None:
    """Print where a step's time goes."""
    if case not in CASES:
        raise UserError(f"--case: found {case!r}; allowed: {', '.join(CASES)}.")
    if precision not in ("fp32", "auto"):
        raise UserError(f"--precision: found {precision!r}; allowed: fp32, auto.")
    [network] = networks(model, only_one=True)
    chosen = select_device(device)
    set_threads("auto")
    number_format: Precision = fastest_precision(chosen) if precision == "auto" else "fp32"
    setting = Setting(case, network, batch_size, steps, 1)
    arrays = noise_images(max(setting.images, batch_size), 2)
    as_pytorch_starts()
    before = profiled(PlainLoop(setting, arrays, chosen, number_format).measure, steps, chosen)
    choices = study_choices(compile, None).at(number_format)
    after = profiled(EngineLoop(setting, arrays, chosen, choices).measure, steps, chosen)
    threads = f"{torch.get_num_threads()} threads"
    title = f"{model}, {case}, {number_format}, batch {batch_size}, {chosen}, {threads}"
    table = step_table(before, after, title)
    if markdown:
        typer.echo(table.markdown())
    else:
        table.show(Console())


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
