"""`resnet-sizes forecast`: what a study will cost on this device."""

import os
from collections.abc import Hashable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from resnet_sizes.cli.console import say
from resnet_sizes.cli.study import Overlays
from resnet_sizes.io.files import write_json
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.operations import Forecast, RunForecast
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.study.loading import load_study

SEVERAL = (2, 8, 64)
"""Numbers of devices for which the time of the whole study is printed."""


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

    from resnet_sizes.forecast import study as forecasts
    from resnet_sizes.training.devices.gpu_slots import device_slot
    from resnet_sizes.training.devices.select import describe, select_device, set_threads
    from resnet_sizes.training.job.results import versions

    counts = forecasts.dataset_counts(study)
    name = device or study.training.device
    kinds = forecasts.kinds_of_runs(study, name)
    table = Table(
        Column("run", overflow="fold"), "precision", "seeds", "one run", "all seeds", "peak memory"
    )
    found: list[RunForecast] = []
    runs: list[forecasts.ExpectedRun] = []
    owners: dict[Hashable, str] = {}
    with device_slot(f"the forecast of {study.name}", name) as slot:
        # What is measured is so in other processes; this one only asks for the device's name.
        set_threads(study.training.threads)
        selected = select_device(slot.torch_name)
        described = describe(selected, slot.gpu)
        slot.monitor(selected.type)
        say(
            f"{study.name}: {counts.train} training and {counts.test} test images, "
            f"{study.training.epochs} epochs, on {described.name} ({described.kind}, "
            f"{described.threads} threads). Measuring…"
        )
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
        if described.kind == "cpu" and load > cores / 2:
            say(f"The machine is busy (load {load:.1f}, {cores} processors): idle, it takes less.")
        for kind, expected in forecasts.forecast_study(study, kinds, counts, slot.torch_name):
            label = f"{kind.protocol}/{kind.model}"
            cells = ["–", "–", "–"]
            if kind.seconds is not None and kind.peak_memory_bytes is not None:
                one, peak = duration(kind.seconds), _gigabytes(kind.peak_memory_bytes)
                cells = [one, duration(forecasts.makespan(expected, 1)), peak]
                features = expected[0].features
                owner = label if features is None else owners.setdefault(features, label)
                note = "" if owner == label else f"; less after {owner}, whose features it reuses"
                say(f"  {label}: {one}, {peak}{note}")
            table.add_row(label, kind.precision, str(len(study.seeds_of(kind.protocol))), *cells)
            found.append(kind)
            runs += expected
    problems = [f"{each.protocol}/{each.model}: {each.problem}" for each in found if each.problem]
    left_out = f", without {len(problems)} that could not be measured" if problems else ""
    largest = max((each.peak_memory_bytes or 0 for each in found), default=0)
    in_turn = forecasts.makespan(runs, 1)
    whole = in_turn + forecasts.around(runs)
    table.add_section()
    table.add_row(f"in turn{left_out}", "", "", "", duration(in_turn), _gigabytes(largest))
    Console().print(table)
    if described.memory_bytes:
        say(f"The device has {_gigabytes(described.memory_bytes)}. Nothing has been started.")
    if runs:
        say(f"With data, evidence and report the study takes about {duration(whole)} in turn.")
    if len(runs) > 1:
        several = [duration(forecasts.makespan(runs, count)) for count in SEVERAL]
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
            runs=found,
            study_seconds=whole if runs else None,
        ),
    )
    say(f"{path}: written, for the time limits of a cluster.")


def _listed(items: Sequence[object]) -> str:
    return f"{', '.join(map(str, items[:-1]))} and {items[-1]}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
