"""The values of each model in each protocol."""

from collections.abc import Sequence
from statistics import mean, stdev

from resnet_sizes.evidence.runs.measurements import (
    has_shared_time,
    on_one_device,
    outcome,
    seed_outcomes,
    wholly_measured,
)
from resnet_sizes.evidence.runs.read import FinishedRun, StudyRuns
from resnet_sizes.evidence.values.value_book import ValueBook, run_sources, time_sources
from resnet_sizes.schemas.article.claims.base import increment_percent
from resnet_sizes.schemas.evidence.values import Kind, Source
from resnet_sizes.schemas.study.protocol import LAYERS, shallowest


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

    outcomes = [outcome(run) for run in finished]
    accuracies = [one.accuracy for one in outcomes]
    book.add_spread(
        f"{prefix}.accuracy", accuracies, "fraction", run_sources(finished, "final_test_accuracy")
    )
    minutes = [one.minutes for one in outcomes]
    book.add_spread(f"{prefix}.minutes", minutes, "minutes", time_sources(finished), finished)
    _add_means(book, prefix, finished)

    metrics = finished[0].metrics  # the same for every seed
    book.add(
        f"{prefix}.parameters",
        metrics.parameters,
        "count",
        *run_sources(finished[:1], "parameters"),
    )
    macs = run_sources(finished[:1], "macs_per_image")
    book.add(f"{prefix}.macs_per_image", metrics.macs_per_image, "count", *macs)
    peak = max(run.metrics.peak_memory_bytes for run in finished)
    book.add(f"{prefix}.peak_memory", peak, "bytes", *run_sources(finished, "peak_memory_bytes"))

    _add_measured_times(book, prefix, finished)
    shared = [run for run in finished if run.metrics.shared_device]
    if shared:
        book.add(f"{prefix}.shared_runs", len(shared), "count", *run_sources(shared, "sharing"))
    _add_run_files(book, prefix, finished)


def _add_means(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """Means of what has no prediction interval; of losses the standard deviation too."""
    first, last = "epochs[0].train_loss", "epochs[-1].train_loss"
    best, final = "best_test_accuracy", "final_test_accuracy"
    outcomes = [outcome(run) for run in finished]
    bests = [run.metrics.best_test_accuracy for run in finished]
    biases = [top - one.accuracy for top, one in zip(bests, outcomes, strict=True)]
    means: list[tuple[str, Kind, list[float], tuple[str, ...]]] = [
        ("best_accuracy", "fraction", bests, (best,)),
        ("selection_bias", "fraction", biases, (best, final)),
        ("initial_loss", "loss", [one.initial_loss for one in outcomes], (first,)),
        ("final_loss", "loss", [one.final_loss for one in outcomes], (last,)),
        ("loss_drop", "fraction", [one.loss_drop for one in outcomes], (first, last)),
    ]
    for name, kind, found, fields in means:
        sources = run_sources(finished, *fields)
        book.add(f"{prefix}.{name}.mean", mean(found), kind, *sources)
        if kind == "loss" and len(found) > 1:
            book.add(f"{prefix}.{name}.sd", stdev(found), kind, *sources)


def _add_measured_times(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """What the clock showed, beside `minutes`, which of a run with a feature cache are computed.

    `forward_minutes` are those of one pass over the training images.
    """
    measured = wholly_measured(finished)
    seconds = mean([run.metrics.training_seconds for run in measured])
    sources = run_sources(measured, "training_seconds")
    key = f"{prefix}.measured_minutes.mean"
    book.add(key, seconds / 60, "minutes", *sources)
    shared = any(has_shared_time(run) for run in measured)
    book.values[key] = book.values[key].model_copy(update={"shared": shared})
    caches = [(run, run.metrics.feature_cache) for run in finished]
    passes = [(run, cache.forward_seconds) for run, cache in caches if cache is not None]
    if passes:
        sources = run_sources([run for run, _ in passes], "feature_cache.forward_seconds")
        forward = mean([seconds for _, seconds in passes]) / 60
        book.add(f"{prefix}.forward_minutes.mean", forward, "minutes", *sources)


def _add_run_files(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """What `auto` meant in the run files, and the files of the initial weights."""
    files = {run.file: run.metrics.run for run in finished}
    for field in ("precision", "compile_mode"):
        texts = {file: getattr(run, field) for file, run in files.items()}
        book.add_distinct(f"{prefix}.{field}", texts, f"run.{field}")
    for part in ("name", "file", "sha256"):
        field = f"initial_weights.{part}"
        texts = {
            file: getattr(run.initial_weights, part)
            for file, run in files.items()
            if run.initial_weights is not None
        }
        book.add_distinct(f"{prefix}.{field}", texts, f"run.{field}")


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
        alike = on_one_device([*runs.of(protocol, base), *runs.of(protocol, model)])
        if alike and minutes and base_minutes and float(base_minutes.number) > 0:
            ratio = float(minutes.number) / float(base_minutes.number)
            sources = [*minutes.sources, *base_minutes.sources]
            both = [*runs.of(protocol, base), *runs.of(protocol, model)]
            book.add(f"{prefix}.minutes_ratio", ratio, "number", *sources, times_of=both)


def _add_accuracy_increment(
    book: ValueBook, runs: StudyRuns, protocol: str, model: str, base: str
) -> None:
    own = book.values.get(f"{protocol}.{model}.accuracy.mean")
    below = book.values.get(f"{protocol}.{base}.accuracy.mean")
    if own is None or below is None or float(below.number) == 0:
        return
    key, sources = f"{protocol}.{model}.accuracy_increment", [*own.sources, *below.sources]
    increment = increment_percent(float(own.number), float(below.number))
    book.add(key, increment, "percent", *sources)
    pairs = [
        (table[model].accuracy, table[base].accuracy)
        for table in seed_outcomes(runs, protocol, [base, model])
    ]
    if all(below for _, below in pairs):
        book.add_interval(key, [increment_percent(*pair) for pair in pairs], "percent", sources)
