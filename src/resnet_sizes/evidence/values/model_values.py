"""The values of each model in each protocol."""

from collections.abc import Sequence
from statistics import mean

from resnet_sizes.evidence.runs.measurements import (
    on_one_device,
    seed_outcomes,
    wholly_measured,
)
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.values.value_book import (
    ValueBook,
    prediction_bounds,
    run_sources,
)
from resnet_sizes.schemas.article.claims.base import increment_percent
from resnet_sizes.schemas.evidence.values import Source
from resnet_sizes.schemas.study.protocol import LAYERS, shallowest

_ACCURACY = "final_test_accuracy"


def add_layers(book: ValueBook, models: Sequence[str], base: str) -> None:
    """Depths and their increments over `base` in percent, which need no run."""

    def counted(model: str) -> Source:
        return Source(file="resnet_sizes.schemas.study.protocol", field=f"LAYERS.{model}")

    for model in models:
        book.add(f"layers.{model}", LAYERS[model], "count", counted(model))
        if model != base:
            increment = increment_percent(LAYERS[model], LAYERS[base])
            sources = (counted(model), counted(base))
            book.add(f"layers.{model}.increment", increment, "percent", *sources)


def add_model(book: ValueBook, runs: StudyRuns, protocol: str, model: str) -> None:
    """What one model's runs give by themselves."""
    prefix = f"{protocol}.{model}"
    models: list[str] = [*runs.study.models]
    named = Source(file="study.json", field=f"study.models[{models.index(model)}]")
    book.add(f"{prefix}.layers", LAYERS[model], "count", named)
    finished = runs.of(protocol, model)
    book.add(
        f"{prefix}.runs", len(finished), "count", *(run_sources(finished, "run_hash") or [named])
    )
    if not finished:
        return

    accuracies = [run.outcome.accuracy for run in finished]
    book.add_spread(f"{prefix}.accuracy", accuracies, "fraction", run_sources(finished, _ACCURACY))
    minutes = [run.outcome.minutes for run in finished]
    times = [Source(file=run.file, field=run.time_field) for run in finished]
    book.add_spread(f"{prefix}.minutes", minutes, "minutes", times, finished)
    _add_means(book, prefix, finished)
    first = finished[0]  # these are the same for every seed
    for field in ("parameters", "macs_per_image"):
        book.add_field(f"{prefix}.{field}", "count", first.file, first.metrics, field)
    peak = max(run.metrics.peak_memory_bytes for run in finished)
    book.add(f"{prefix}.peak_memory", peak, "bytes", *run_sources(finished, "peak_memory_bytes"))

    _add_measured_times(book, prefix, finished)
    shared = [run for run in finished if run.metrics.shared_device]
    if shared:
        book.add(f"{prefix}.shared_runs", len(shared), "count", *run_sources(shared, "sharing"))
    _add_run_files(book, prefix, finished)


def _add_means(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """Means of what has no prediction interval."""
    first, last = "epochs[0].train_loss", "epochs[-1].train_loss"
    best, final = "best_test_accuracy", _ACCURACY
    book.add_mean(f"{prefix}.best_accuracy", "fraction", finished, best)
    biases = [run.metrics.best_test_accuracy - run.metrics.final_test_accuracy for run in finished]
    sources = run_sources(finished, best, final)
    book.add(f"{prefix}.selection_bias.mean", mean(biases), "fraction", *sources)
    book.add_mean(f"{prefix}.initial_loss", "loss", finished, first)
    book.add_mean(f"{prefix}.final_loss", "loss", finished, last)
    outcomes, sources = [run.outcome for run in finished], run_sources(finished, first, last)
    book.add(f"{prefix}.loss_drop.mean", mean(o.loss_drop for o in outcomes), "fraction", *sources)
    book.add(f"{prefix}.loss_fall.mean", mean(o.loss_fall for o in outcomes), "loss", *sources)


def _add_measured_times(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """What the clock showed, beside `minutes`, which of a run with a feature cache are computed.

    `forward_minutes` are those of one pass over the training images.
    """
    measured = wholly_measured(finished)
    seconds = mean([run.metrics.training_seconds for run in measured])
    sources = run_sources(measured, "training_seconds")
    key = f"{prefix}.measured_minutes.mean"
    book.add(key, seconds / 60, "minutes", *sources)
    shared = any(run.metrics.shared_device for run in measured)
    book.values[key] = book.values[key].model_copy(update={"shared": shared})
    caches = [(run, run.metrics.feature_cache) for run in finished]
    passes = [(run, cache.forward_seconds) for run, cache in caches if cache is not None]
    if passes:
        sources = run_sources([run for run, _ in passes], "feature_cache.forward_seconds")
        forward = mean([seconds for _, seconds in passes]) / 60
        book.add(f"{prefix}.forward_minutes.mean", forward, "minutes", *sources)


def _add_run_files(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """What `auto` meant in the run files, and the files of the initial weights."""
    of_weights = (f"initial_weights.{part}" for part in ("name", "file", "sha256"))
    for field in ("precision", "compile_mode", *of_weights):
        book.add_distinct_field(f"{prefix}.{field}", finished, f"run.{field}")


def add_comparisons(book: ValueBook, runs: StudyRuns, protocol: str) -> None:
    """What sets the models of one protocol against the study's shallowest."""
    base = shallowest(runs.study.models)
    for model in runs.study.models:
        prefix, of_base = f"{protocol}.{model}", f"{protocol}.{base}"
        if model != base:
            layers = [*book.values[f"{prefix}.layers"].sources]
            layers += book.values[f"{of_base}.layers"].sources
            increment = increment_percent(LAYERS[model], LAYERS[base])
            book.add(f"{prefix}.layers_increment", increment, "percent", *layers)
            _add_accuracy_increment(book, runs, protocol, model, base)
        minutes = book.values.get(f"{prefix}.minutes.mean")
        base_minutes = book.values.get(f"{of_base}.minutes.mean")
        both = [*runs.of(protocol, base), *runs.of(protocol, model)]
        if on_one_device(both) and minutes and base_minutes and float(base_minutes.number) > 0:
            ratio = float(minutes.number) / float(base_minutes.number)
            sources = [*minutes.sources, *base_minutes.sources]
            book.add(f"{prefix}.minutes_ratio", ratio, "number", *sources, times_of=both)


def _add_accuracy_increment(
    book: ValueBook, runs: StudyRuns, protocol: str, model: str, base: str
) -> None:
    """The increment of the means, and its prediction interval: both over the seeds that both
    models have, since a seed that one of them lacks has no increment."""
    both = {run.settings.seed for run in runs.of(protocol, base)}
    both &= {run.settings.seed for run in runs.of(protocol, model)}
    finished = [*runs.of(protocol, model), *runs.of(protocol, base)]
    used = [run for run in finished if run.settings.seed in both]
    pairs = [
        (table[model].accuracy, table[base].accuracy)
        for table in seed_outcomes(runs, protocol, [base, model])
    ]
    if not any(below for _, below in pairs):
        return
    key, sources = f"{protocol}.{model}.accuracy_increment", run_sources(used, _ACCURACY)
    increment = increment_percent(*(mean(accuracies) for accuracies in zip(*pairs, strict=True)))
    book.add(key, increment, "percent", *sources)
    if len(used) < len(finished):
        book.add(f"{key}.seeds", len(both), "count", *run_sources(used, "run.seed"))
    if all(below for _, below in pairs):
        bounds = prediction_bounds([increment_percent(*pair) for pair in pairs], "percent")
        for name, number in bounds.items():
            book.add(f"{key}.{name}", number, "percent", *sources)
