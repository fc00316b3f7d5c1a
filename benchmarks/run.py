"""`make bench`: the engine beside the loops that one would write otherwise, in one run.

    python benchmarks/run.py                     all of it, into benchmarks/results/
    python benchmarks/run.py --quick             only tries the code; writes nothing

What is measured and how: benchmarks/README.md.
"""

import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

# cuBLAS reads it when it starts, and the first to start it here is not the engine.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import typer
from contest import measure_all
from engine import Choices, study_choices
from figures import best_notebook, settings_of
from frozen_cost import measure_heads, measure_whole
from growth import measure_growth, points
from machine import machine, result_name
from rich.console import Console
from settings import BATCH_SIZE, MODELS, ROOT, full_plan, networks, quick_plan
from tables import COMPUTED_IMAGES, all_tables, document
from whole_runs import WholeRun

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import write_json, write_text
from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.schemas.study.protocol import ModelName
from resnet_sizes.training.capabilities import fastest_precision
from resnet_sizes.training.devices.select import select_device, set_threads

RESULTS = ROOT / "benchmarks" / "results"
LOG_WIDTH = 180
REPEATS = 3  # of each run whose growth is told


def main(
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")] = "auto",
    models: Annotated[str, typer.Option(help="Networks, separated by commas.")] = ",".join(MODELS),
    quick: Annotated[bool, typer.Option(help="Try the code; the numbers mean nothing.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write OUT.json and OUT.md; as it stands: benchmarks/results/<machine>"),
    ] = None,
    compile: Annotated[
        str | None,
        typer.Option(help="none, cuda-graph, default, reduce-overhead, auto; else config.yaml's"),
    ] = None,
    deterministic: Annotated[bool | None, typer.Option(help="As it stands: config.yaml's.")] = None,
    growth: Annotated[bool, typer.Option(help="Measure how cost grows.")] = True,
) -> None:
    """Measure, print the tables, and keep them with all samples."""
    choices = study_choices(compile, deterministic)
    result = measure(device, networks(models), choices, quick, growth)
    # In a file or a log nobody can widen the window.
    console = Console() if sys.stdout.isatty() else Console(width=LOG_WIDTH)
    for table in all_tables(result):
        table.show(console)
    if quick and out is None:
        return
    parts = [] if networks(models) == MODELS else list(networks(models))
    parts += [] if growth else ["no-growth"]  # the whole measurement keeps its own name
    base = out or RESULTS / "-".join([result_name(result["machine"]), *parts])
    samples, table_file = (base.with_name(base.name + suffix) for suffix in (".json", ".md"))
    write_json(samples, result)
    write_text(table_file, document(result))
    typer.echo(f"{samples}\n{table_file}")


def measure(
    device_name: str,
    models: tuple[ModelName, ...],
    choices: Choices,
    quick: bool = False,
    growth: bool = True,
) -> dict[str, Any]:
    """Every sample, as plain values for a JSON file.

    Raises UserError if there is no such device.
    """
    start = time.perf_counter()
    device = select_device(device_name)
    set_threads("auto")
    precisions: list[Precision] = list(dict.fromkeys(["fp32", fastest_precision(device)]))
    plan = quick_plan(models) if quick else full_plan(device, models)
    template = WholeRun(
        case="scratch-32",
        model=models[0],
        train_images=plan.growth_images,
        test_images=2,
        batch_size=8 if quick else BATCH_SIZE,
        epochs=1,
        input_size=32,
        device=str(device),
        precision=precisions[-1],
        compile=choices.compile,
        deterministic=choices.deterministic,
        evaluation_batch_size=choices.evaluation_batch_size,
    )
    result: dict[str, Any] = {"machine": machine(device), "quick": quick}
    result["choices"] = {key: value for key, value in asdict(choices).items() if key != "precision"}
    result |= {"precisions": precisions, "product_size": plan.product_size}
    result["settings"] = list(measure_all(plan, precisions, device, choices, _say))
    result["heads"] = {
        setting.model: measure_heads(
            setting, 64 if quick else COMPUTED_IMAGES, precisions, device, choices
        )
        for setting in plan.settings
        if setting.frozen
    }
    rates = settings_of(result, "frozen-224")[0]["rates"]
    workers = int(best_notebook(rates).removeprefix("notebook/"))
    result["frozen_runs"] = [measure_whole(plan.frozen_run, template, workers, device)]
    _say(f"a run on a frozen backbone: {time.perf_counter() - start:.0f} s since the start")
    result["growth_precision"] = template.precision
    result["growth_batch_size"] = template.batch_size
    wanted = points(plan, template, models) if growth else []
    result["growth"] = list(
        measure_growth(wanted[:1], 1, _say) if quick else measure_growth(wanted, REPEATS, _say)
    )
    result["seconds"] = time.perf_counter() - start
    return result


def _say(message: str) -> None:
    typer.echo(message, err=True)


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        _say(f"error: {error}")
        sys.exit(1)
