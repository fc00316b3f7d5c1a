"""What each ingredient of the engine gives on this device, and what was tried without gain.

    python benchmarks/ingredients.py             ResNet-18 and -50, into benchmarks/results/
    python benchmarks/ingredients.py --quick     only tries the code; writes nothing

Steps that build on each other, and things tried beside them, are measured in turns as in run.py.
"""

import os
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch
import typer
from contest import Contestant, as_pytorch_starts, by_default, take_turns
from figures import Spread, ratio
from machine import machine, result_name
from plain_loop import PlainLoop
from rich.console import Console
from settings import BATCH_SIZE, LEARNING_RATE, ROOT, Setting, networks, noise_images
from tables import Table, spread_text
from torch import nn

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_json, write_text
from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.training.capabilities import fastest_precision
from resnet_sizes.training.devices.select import select_device, set_threads
from resnet_sizes.training.engine.convolutions import Convolution
from resnet_sizes.training.engine.networks import backbone, fold_batch_norm

Change = Callable[[PlainLoop], None]
"""Changes a loop that has everything above it in the list."""


class ShortMaps(Convolution):
    """The engine's forms for 3×3 convolutions on 1×1 and 2×2 maps alone."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """As the layer that it stands for."""
        one = self.kernel_size == (1, 1)
        return nn.Conv2d.forward(self, images) if one else super().forward(images)


def channels_last(loop: PlainLoop) -> None:
    """The channels of a pixel side by side."""
    loop.net.to(memory_format=torch.channels_last)


def fused_adam(loop: PlainLoop) -> None:
    """The optimiser's step in one kernel."""
    trained = [p for p in loop.net.parameters() if p.requires_grad]
    loop.optimizer = torch.optim.Adam(trained, lr=LEARNING_RATE, fused=True)


def convolutions(kind: type[Convolution], loop: PlainLoop) -> None:
    """The engine's convolutions in place of torch's."""
    for module in loop.net.modules():
        if isinstance(module, nn.Conv2d) and module.bias is None:
            module.__class__ = kind


def folded(loop: PlainLoop) -> None:
    """Batch normalisation folded into the convolutions before it."""
    fold_batch_norm(loop.net)


def for_inference(loop: PlainLoop) -> None:
    """TorchScript, frozen and optimised."""
    layers, example = backbone(loop.net).eval(), torch.zeros(2, 3, loop.size, loop.size)
    with warnings.catch_warnings(action="ignore", category=FutureWarning):  # it is deprecated
        traced = torch.jit.trace(layers, example, check_trace=False)
        layers = torch.jit.optimize_for_inference(torch.jit.freeze(traced))
    loop.forward = lambda images: loop.net.fc(layers(images))


STEPS: dict[str, dict[str, list[Change]]] = {
    "scratch-32": {
        "plain loop": [],
        "+ channels last": [channels_last],
        "+ fused Adam": [fused_adam],
        "+ 3×3 on 1×1 and 2×2 maps without padding": [partial(convolutions, ShortMaps)],
        "+ 1×1 as matrix products": [partial(convolutions, Convolution)],
    },
    "frozen-224": {
        "plain loop": [],
        "+ channels last": [channels_last],
        "+ batch normalisation folded": [folded],
    },
}
"""By case what is added, one after the other."""


def determinism(fill: bool, measure: Callable[[], float]) -> float:
    """Measure in deterministic mode, with new memory filled with NaN or not."""
    as_pytorch_starts()
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
    return measure()


def contestants(setting: Setting, precision: Precision, device: torch.device) -> list[Contestant]:
    """The steps of a setting's case, and what is tried beside its last one."""
    arrays = noise_images(setting.images, 2)

    def loop(changes: list[Change], of: Setting = setting) -> PlainLoop:
        made = PlainLoop(of, arrays, device, precision)
        for change in changes:
            change(made)
        return made

    found, changes = [], []
    for label, added in STEPS[setting.case].items():
        changes += added
        measure = partial(by_default, loop(changes).measure)
        found.append(Contestant(label, setting.images, measure))
    all_of_it = loop(changes)
    if setting.frozen:
        for size in (setting.images // 16, setting.images):
            other = Setting(setting.case, setting.model, size, setting.images // size, 1)
            measure = partial(by_default, loop(changes, other).measure)
            found.append(Contestant(f"tried: batches of {size}", setting.images, measure))
        if precision == "fp32" and device.type == "cpu":
            measure = partial(by_default, loop([*changes, for_inference]).measure)
            found.append(Contestant("tried: optimize_for_inference", setting.images, measure))
    else:
        for label, fill in (("not filled", False), ("filled (torch's default)", True)):
            measure = partial(determinism, fill, all_of_it.measure)
            found.append(Contestant(f"deterministic, memory {label}", setting.images, measure))
    return found


def table(result: dict[str, Any]) -> Table:
    """Images per second, against the plain loop and against the row above."""
    rows = []
    for setting in result["settings"]:
        rates = setting["rates"]
        first = before = next(iter(rates.values()))
        for label, samples in rates.items():
            rows.append(
                [
                    *(setting["case"], setting["model"], setting["precision"], label),
                    spread_text(Spread.of(samples)),
                    spread_text(ratio(samples, first)),
                    spread_text(ratio(samples, before)),
                ]
            )
            if label.startswith("+"):  # what is tried is held against the last step
                before = samples
    header = ["case", "network", "precision", "what", "images/s", "÷ plain loop"]
    notes = [
        "Each row that begins with + has all of those above it; the others are held against the "
        "last of them. Median of the rounds, smallest and largest in brackets."
    ]
    return Table("What each ingredient gives", [*header, "÷ the step before"], rows, notes)


def main(
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")] = "auto",
    models: Annotated[
        str, typer.Option(help="Networks, separated by commas.")
    ] = "resnet18,resnet50",
    quick: Annotated[bool, typer.Option(help="Try the code; the numbers mean nothing.")] = False,
    rounds: Annotated[int, typer.Option(help="Rounds of each.")] = 5,
) -> None:
    """Measure, print the table, and keep it with all samples."""
    chosen = select_device(device)
    set_threads("auto")
    precisions: list[Precision] = list(dict.fromkeys(["fp32", fastest_precision(chosen)]))
    result: dict[str, Any] = {"machine": machine(chosen), "settings": []}
    for model in networks(models):
        for precision in precisions:
            settings = [
                Setting("scratch-32", model, 8 if quick else BATCH_SIZE, 2, 2 if quick else rounds),
                Setting("frozen-224", model, *((4, 4) if quick else (64, 4)), 2 if quick else 3),
            ]
            for setting in settings:
                found = contestants(setting, precision, chosen)
                rates = take_turns(found, setting.rounds, warm_ups=1)
                result["settings"].append(
                    {"case": setting.case, "model": model, "precision": precision, "rates": rates}
                )
                typer.echo(f"{setting.case} {model} {precision}: done", err=True)
    made = table(result)
    made.show(Console() if sys.stdout.isatty() else Console(width=180))
    if quick:
        return
    facts = result["machine"]
    base: Path = ROOT / "benchmarks" / "results" / f"{result_name(facts)}-ingredients"
    write_json(base.with_suffix(".json"), result)
    title = f"# Measured on {facts['name']}, {facts['instructions']}, {facts['date']}\n\n"
    write_text(base.with_suffix(".md"), title + made.markdown())
    typer.echo(f"{base}.json\n{base}.md")


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)
