"""`resnet-sizes forecast`: what a study will cost on this device."""

from collections.abc import Hashable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from resnet_sizes.cli.console import say
from resnet_sizes.cli.study import Overlays, resolve
from resnet_sizes.io.files import write_json
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.forecast import Forecast
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.study.loading import load_study

SEVERAL = (2, 8, 64)
"""Numbers of devices for which the time of the whole study is told."""


def forecast(
    overlays: Overlays = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, mps, cuda or cuda:N; otherwise the study's")
    ] = None,
) -> None:
    """Measure a few steps of each kind of run on this device; print minutes and memory.

    It needs neither the images nor the weights, starts nothing and decides no result. What it
    finds goes to results/<name>/forecast.json, from which a cluster's profile takes time limits.
    """
    study = load_study(overlays or [])

    from resnet_sizes.forecast.study import KindOfRun, dataset_counts, forecast_study, makespan
    from resnet_sizes.schemas.base import utc_now
    from resnet_sizes.training.devices.select import describe, select_device, set_threads
    from resnet_sizes.training.job.provenance import versions

    counts = dataset_counts(study)
    name = device or study.training.device
    set_threads(study.training.threads)
    selected = select_device(name)
    described = describe(selected)
    say(
        f"{study.name}: {counts.train} training and {counts.test} test images, "
        f"{study.training.epochs} epochs, on {described.name} ({described.kind}, "
        f"{described.threads} threads). Measuring…"
    )
    table = Table(
        Column("run", overflow="fold"), "precision", "seeds", "one run", "all seeds", "peak memory"
    )
    seeds, kinds = len(study.seeds), list[KindOfRun]()
    owners: dict[Hashable, str] = {}
    for kind in forecast_study(study, counts, name, resolve):
        kinds.append(kind)
        cells = ["–", "–", "–"]
        if not kind.cost.problem:
            one, peak = duration(kind.cost.seconds), _gigabytes(kind.cost.peak_memory_bytes)
            cells = [one, duration(makespan(kind.expected(seeds), 1)), peak]
            owner = kind.label
            if kind.features is not None:
                owner = owners.setdefault(kind.features, kind.label)
            note = "" if owner == kind.label else f"; in turn less, with the features of {owner}"
            say(f"  {kind.label}: {one}, {peak}{note}")
        table.add_row(kind.label, kind.run.precision, str(seeds), *cells)
    expected = [run for kind in kinds for run in kind.expected(seeds)]
    problems = [f"{kind.label}: {kind.cost.problem}" for kind in kinds if kind.cost.problem]
    largest = max((kind.cost.peak_memory_bytes for kind in kinds), default=0)
    table.add_section()
    left_out = f", without {len(problems)} that could not be measured" if problems else ""
    total = duration(makespan(expected, 1))
    table.add_row(f"in turn{left_out}", "", "", "", total, _gigabytes(largest))
    Console().print(table)
    if described.memory_bytes:
        say(f"The device has {_gigabytes(described.memory_bytes)}. Nothing has been started.")
    if len(expected) > 1:
        several = [duration(makespan(expected, count)) for count in SEVERAL]
        say(f"On {_listed(SEVERAL)} such devices at once: about {_listed(several)}.")
    for problem in problems:
        say(problem)
    path = StudyFolder.of(study.name).forecast
    write_json(
        path,
        Forecast(
            dataset=study.dataset,
            train_images=counts.train,
            test_images=counts.test,
            device=described,
            versions=versions(selected),
            measured=utc_now(),
            runs=[kind.record() for kind in kinds],
        ),
    )
    say(f"{path}: written, for the time limits of a cluster.")


def _listed(items: Sequence[object]) -> str:
    return f"{', '.join(map(str, items[:-1]))} and {items[-1]}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
