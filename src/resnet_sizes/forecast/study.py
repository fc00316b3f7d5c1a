"""What a study will cost: one forecast per kind of run, and all runs' time on some devices."""

import heapq
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from resnet_sizes.forecast.cost import Counts, forecast_run, shared_features
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.operations import RunForecast, kind_hash
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import all_run_settings
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.study.run_files import resolved_run
from resnet_sizes.training.capabilities import resolve_auto

NO_DATA = "0" * 64
"""Identity of the random images that are measured with."""

RANDOM = InitialWeights(name="random", file="random", sha256=NO_DATA)
"""Stands for a file of weights: random ones cost the same."""

CIFAR10 = Counts(train=50_000, test=10_000, classes=10)
"""The official archive, which need not be on this machine."""


@dataclass(frozen=True)
class ExpectedRun:
    """One run, in seconds."""

    seconds: float
    """What the run does for itself: training, evaluation, start."""
    features: Hashable | None = None
    """Equal for runs that share the features of a frozen backbone."""
    feature_seconds: float = 0.0
    """The pass that computes them, which the first of these runs does."""


def forecast_study(
    study: Study, counts: Counts, device_name: str
) -> Iterator[tuple[RunForecast, list[ExpectedRun]]]:
    """Measure each protocol and model of a study, one after the other, and list its runs.

    The seeds cost the same. There are no runs where nothing could be measured.
    """
    for settings in all_run_settings(study):
        seeds = study.seeds_of(settings.protocol)
        if settings.seed != seeds[0]:
            continue
        weights = None if settings.reading.weights == "none" else RANDOM
        run = resolved_run(
            settings, device_name, resolve_auto, dataset_identity=NO_DATA, initial_weights=weights
        )
        cost = forecast_run(run, counts, device_name)
        measured = cost.problem is None
        alone = cost.training_seconds + cost.evaluation_seconds
        expected = ExpectedRun(alone, shared_features(run), cost.feature_seconds)
        forecast = RunForecast(
            protocol=run.protocol,
            model=run.model,
            settings_hash=kind_hash(settings),
            precision=run.precision,
            problem=cost.problem,
            seconds=cost.seconds if measured else None,
            feature_seconds=cost.feature_seconds if measured else None,
            peak_memory_bytes=cost.peak_memory_bytes if measured else None,
        )
        yield forecast, [expected] * len(seeds) if measured else []


def dataset_counts(study: Study) -> Counts:
    """The size of a study's dataset, without reading an image if possible."""
    path = StudyFolder.of(study.name).dataset_info
    if path.is_file():
        info = read_record(path, DatasetInfo, f"Delete {path}.")
        if info.spec == study.dataset:
            return Counts(info.train_images, info.test_images, len(info.class_names))
    whole = CIFAR10
    if study.dataset.source != "cifar10":
        from resnet_sizes.data.prepare import open_source
        from resnet_sizes.data.sources.source import PARTS

        source = open_source(study)
        train, test = (len(source.labels[part]) for part in PARTS)
        whole = Counts(train, test, len(source.class_names))
    limit = study.dataset.limit
    return Counts(
        train=whole.train if limit.train is None else min(limit.train, whole.train),
        test=whole.test if limit.test is None else min(limit.test, whole.test),
        classes=whole.classes,
    )


def makespan(runs: Sequence[ExpectedRun], devices: int) -> float:
    """Seconds until the last run ends, when each free device takes the next run in order.

    A run whose features another one is computing waits for them, and holds its device meanwhile,
    as `resnet-sizes train` does. Raises ValueError without a device.
    """
    if devices < 1:
        raise ValueError(f"devices: found {devices}; allowed: 1 or more")
    free = [0.0] * devices
    ready: dict[Hashable, float] = {}
    for run in runs:
        begin = heapq.heappop(free)
        if run.features is not None:
            begin = max(begin, ready.setdefault(run.features, begin + run.feature_seconds))
        heapq.heappush(free, begin + run.seconds)
    return max(free)


def least_possible(runs: Sequence[ExpectedRun], devices: int) -> float:
    """Seconds that no order can go below: all work shared evenly, or the longest run alone."""
    passes = {run.features: run.feature_seconds for run in runs if run.features is not None}
    work = sum(run.seconds for run in runs) + sum(passes.values())
    longest = max((run.seconds + passes.get(run.features, 0.0) for run in runs), default=0.0)
    return max(work / devices, longest)
