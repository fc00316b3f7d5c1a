"""What a study will cost: one forecast per kind of run, and all runs' time on some devices."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from resnet_sizes.forecast.cost import Counts, forecast_run, shared_features
from resnet_sizes.schemas.operations import RunForecast, kind_hash
from resnet_sizes.schemas.run.run import RunFile, all_run_settings, run_settings
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.study.run_files import resolved_run
from resnet_sizes.training.capabilities import resolve_auto

NO_DATA = "0" * 64
"""Identity of the random images that are measured with."""

RANDOM = InitialWeights(name="random", file="random", sha256=NO_DATA)
"""Stands for a file of weights: random ones cost the same."""

AROUND = 4.5
"""How many times as long as the beginning of a run's process all that is no run takes: data, run
files, evidence, the report in two languages, and Snakemake itself (benchmarks/README.md)."""

CIFAR10 = Counts(train=50_000, test=10_000, classes=10)
"""The official archive, which need not be on this machine."""


@dataclass(frozen=True)
class Expected:
    """All runs of one kind, in seconds."""

    seconds: float
    """What they do for themselves: training, evaluation, start."""
    features: Hashable | None
    """Equal for kinds that share the features of a frozen backbone."""
    feature_seconds: float
    """The pass that computes them, which the first of these runs does."""
    process_seconds: float
    """Until a process has torch."""


def kinds_of_runs(study: Study, device_name: str, counts: Counts) -> list[RunFile]:
    """The first run of each protocol and model of a study: its other seeds cost the same.

    To be called before a device is held: of several GPUs the weakest decides the number format.
    """
    return [
        resolved_run(
            settings,
            device_name,
            resolve_auto,
            dataset_identity=NO_DATA,
            initial_weights=None if settings.reading.weights == "none" else RANDOM,
            train_images=counts.train,
        )
        for settings in all_run_settings(study)
        if settings.seed == study.seeds_of(settings.protocol)[0]
    ]


def forecast_study(
    study: Study, kinds: Sequence[RunFile], counts: Counts, device_name: str
) -> Iterator[tuple[RunForecast, Expected | None]]:
    """Measure each kind of run of a study, one after the other; None where that failed."""
    for run in kinds:
        cost = forecast_run(run, counts, device_name)
        measured = cost.problem is None
        own, seeds = cost.own_seconds, len(study.seeds_of(run.protocol))
        if "auto" in (run.reading.precision, run.compile):
            own += cost.process_seconds  # what writes its run file asks torch, too
        forecast = RunForecast(
            protocol=run.protocol,
            model=run.model,
            settings_hash=kind_hash(run_settings(study, run.protocol, run.model, run.seed)),
            precision=run.precision,
            problem=cost.problem,
            seconds=own + cost.feature_seconds if measured else None,
            feature_seconds=cost.feature_seconds if measured else None,
            peak_memory_bytes=cost.peak_memory_bytes if measured else None,
        )
        seconds = seeds * own
        if run.keeps_features:  # one process makes them all
            seconds -= (seeds - 1) * cost.process_seconds
        features = shared_features(run)
        expected = Expected(seconds, features, cost.feature_seconds, cost.process_seconds)
        yield forecast, expected if measured else None


def dataset_counts(study: Study) -> Counts:
    """The size of a study's dataset; official images need not be here."""
    whole = CIFAR10
    if study.dataset.source != "cifar10":
        from resnet_sizes.data.prepare import open_source
        from resnet_sizes.data.sources.source import PARTS

        source = open_source(study)
        train, test = (len(source.labels[part]) for part in PARTS)
        whole = Counts(train, test, len(source.class_names))
    limit = study.dataset.limit
    train, test = limit.train or whole.train, limit.test or whole.test
    return Counts(min(train, whole.train), min(test, whole.test), whole.classes)


def in_turn(expected: Sequence[Expected]) -> float:
    """Seconds that all runs take on one device."""
    passes = {each.features: each.feature_seconds for each in expected}
    return sum(each.seconds for each in expected) + sum(passes.values())


def around(expected: Sequence[Expected]) -> float:
    """Seconds of what a study does beside its runs, by how long a process takes to begin."""
    return AROUND * min((each.process_seconds for each in expected), default=0.0)
