"""`resnet-sizes forecast`: what a study will cost on this device."""

from collections.abc import Hashable, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from resnet_sizes.cli.console import say
from resnet_sizes.cli.study import Overlays, resolve
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.schemas.forecast import Forecast, RunForecast, kind_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import all_run_settings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.study.loading import load_study
from resnet_sizes.study.run_files import resolved_run

NO_DATA = "0" * 64
"""Identity of the random images that are measured with."""


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
    train, test, classes = _counts(study)

    from resnet_sizes.forecast.cost import Counts, forecast_run, shared_features
    from resnet_sizes.forecast.makespan import ExpectedRun, makespan
    from resnet_sizes.schemas.base import utc_now
    from resnet_sizes.training.devices.select import describe, select_device, set_threads
    from resnet_sizes.training.job.provenance import versions
    from resnet_sizes.training.supervision.progress import duration

    name = device or study.training.device
    set_threads(study.training.threads)
    selected = select_device(name)
    described = describe(selected)
    say(
        f"{study.name}: {train} training and {test} test images, {study.training.epochs} epochs, "
        f"on {described.name} ({described.kind}, {described.threads} threads). Measuring…"
    )
    table = Table(
        Column("run", overflow="fold"), "precision", "seeds", "one run", "all seeds", "peak memory"
    )
    total, largest, problems = 0.0, 0, []
    found: list[RunForecast] = []
    expected: list[ExpectedRun] = []
    with_features: dict[Hashable, str] = {}
    firsts = [s for s in all_run_settings(study) if s.seed == study.seeds[0]]
    for settings in firsts:
        run = resolved_run(
            settings,
            name,
            resolve,
            dataset_identity=NO_DATA,
            initial_weights=None if settings.reading.weights == "none" else RANDOM,
        )
        cost = forecast_run(run, Counts(train, test, classes), name)
        label, seeds = f"{settings.protocol}/{settings.model}", len(study.seeds)
        found.append(
            RunForecast(
                protocol=settings.protocol,
                model=settings.model,
                settings_hash=kind_hash(settings),
                precision=run.precision,
                problem=cost.problem,
                seconds=None if cost.problem else cost.seconds,
                feature_seconds=None if cost.problem else cost.feature_seconds,
                peak_memory_bytes=None if cost.problem else cost.peak_memory_bytes,
            )
        )
        if cost.problem:
            table.add_row(label, run.precision, str(seeds), "–", "–", "–")
            problems.append(f"{label}: {cost.problem}")
            continue
        # The features of a frozen backbone do not depend on the seed.
        all_seeds = cost.feature_seconds + seeds * (cost.seconds - cost.feature_seconds)
        one, peak = duration(cost.seconds), _gigabytes(cost.peak_memory_bytes)
        table.add_row(label, run.precision, str(seeds), one, duration(all_seeds), peak)
        total += all_seeds
        alone = cost.seconds - cost.feature_seconds
        expected += [ExpectedRun(alone, shared_features(run), cost.feature_seconds)] * seeds
        largest = max(largest, cost.peak_memory_bytes)
        features = shared_features(run)
        first = label if features is None else with_features.setdefault(features, label)
        if first == label:
            say(f"  {label}: {one}, {peak}")
        else:
            total -= cost.feature_seconds
            say(f"  {label}: {one}, {peak}; in turn less, with the features of {first}")
    table.add_section()
    left_out = f", without {len(problems)} that could not be measured" if problems else ""
    table.add_row(f"in turn{left_out}", "", "", "", duration(total), _gigabytes(largest))
    Console().print(table)
    memory = described.memory_bytes
    if memory:
        say(f"The device has {_gigabytes(memory)}. Nothing has been started.")
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
            train_images=train,
            test_images=test,
            device=described,
            versions=versions(selected),
            measured=utc_now(),
            runs=found,
        ),
    )
    say(f"{path}: written, for the time limits of a cluster.")


SEVERAL = (2, 8, 64)
"""Numbers of devices for which the time of the whole study is told."""

CIFAR10 = (50_000, 10_000)
"""Training and test images of the official archive, which need not be here."""

RANDOM = InitialWeights(name="random", file="random", sha256=NO_DATA)
"""Stands for a file of weights: random ones cost the same."""


def _listed(items: Sequence[object]) -> str:
    return f"{', '.join(map(str, items[:-1]))} and {items[-1]}"


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def _counts(study: Study) -> tuple[int, int, int]:
    """Training images, test images and classes, without reading an image if possible."""
    folder = StudyFolder.of(study.name)
    if folder.dataset_info.is_file():
        info = read_record(folder.dataset_info, DatasetInfo, f"Delete {folder.dataset_info}.")
        if info.spec == study.dataset:
            return info.train_images, info.test_images, len(info.class_names)
    limit = study.dataset.limit
    if study.dataset.source == "cifar10":
        full, classes = list(CIFAR10), 10
    else:
        from resnet_sizes.data.prepare import open_source
        from resnet_sizes.data.sources.source import PARTS

        source = open_source(study)
        full, classes = [len(source.labels(part)) for part in PARTS], len(source.class_names)
    train, test = (
        images if most is None else min(most, images)
        for images, most in zip(full, (limit.train, limit.test), strict=True)
    )
    return train, test, classes
