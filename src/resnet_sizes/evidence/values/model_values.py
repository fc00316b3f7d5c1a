"""The values of each model in each protocol."""

from collections.abc import Callable, Sequence
from statistics import mean, stdev

from resnet_sizes.evidence.runs.measurements import (
    on_one_device,
    outcome,
    seed_outcomes,
    wholly_measured,
)
from resnet_sizes.evidence.runs.read import FinishedRun, StudyRuns
from resnet_sizes.evidence.values.value_book import ValueBook, run_sources, time_sources
from resnet_sizes.schemas.article.claims.base import increment_percent
from resnet_sizes.schemas.evidence.values import Kind, Source
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.weights import InitialWeights
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

    first, last = "epochs[0].train_loss", "epochs[-1].train_loss"
    time = time_sources(finished)
    accuracy = run_sources(finished, "final_test_accuracy")
    outcomes = [outcome(run) for run in finished]

    book.add_spread(f"{prefix}.accuracy", [o.accuracy for o in outcomes], "fraction", accuracy)
    book.add_spread(f"{prefix}.minutes", [o.minutes for o in outcomes], "minutes", time)

    means: list[tuple[str, Kind, Callable[[FinishedRun], float], tuple[str, ...]]] = [
        (
            "best_accuracy",
            "fraction",
            lambda run: run.metrics.best_test_accuracy,
            ("best_test_accuracy",),
        ),
        (
            "selection_bias",
            "fraction",
            lambda run: run.metrics.best_test_accuracy - run.metrics.final_test_accuracy,
            ("best_test_accuracy", "final_test_accuracy"),
        ),
        ("initial_loss", "loss", lambda run: outcome(run).initial_loss, (first,)),
        ("final_loss", "loss", lambda run: outcome(run).final_loss, (last,)),
        ("loss_drop", "fraction", lambda run: outcome(run).loss_drop, (first, last)),
        (
            "final_test_loss",
            "loss",
            lambda run: run.metrics.epochs[-1].test_loss,
            ("epochs[-1].test_loss",),
        ),
    ]
    for name, kind, of_run, fields in means:
        found = [of_run(run) for run in finished]
        sources = run_sources(finished, *fields)
        book.add(f"{prefix}.{name}.mean", mean(found), kind, *sources)
        if len(found) > 1:
            book.add(f"{prefix}.{name}.sd", stdev(found), kind, *sources)

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

    for run, own in zip(finished, outcomes, strict=True):
        seed = f"{prefix}.seed-{run.settings.seed}"
        accuracy = run_sources([run], "final_test_accuracy")
        book.add(f"{seed}.accuracy", own.accuracy, "fraction", *accuracy)
        book.add(f"{seed}.minutes", own.minutes, "minutes", *time_sources([run]))
        measured = run.metrics.training_seconds / 60
        seconds = run_sources([run], "training_seconds")
        book.add(f"{seed}.measured_minutes", measured, "minutes", *seconds)
        book.add(f"{seed}.initial_loss", own.initial_loss, "loss", *run_sources([run], first))
        book.add(f"{seed}.final_loss", own.final_loss, "loss", *run_sources([run], last))


def _add_measured_times(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """What the clock showed, beside `minutes`, which of a run with a feature cache are computed.

    `forward_minutes` are those of one pass over the training images.
    """
    measured = wholly_measured(finished)
    seconds = mean([run.metrics.training_seconds for run in measured])
    sources = run_sources(measured, "training_seconds")
    book.add(f"{prefix}.measured_minutes.mean", seconds / 60, "minutes", *sources)
    caches = [(run, run.metrics.feature_cache) for run in finished]
    passes = [(run, cache.forward_seconds) for run, cache in caches if cache is not None]
    if passes:
        sources = run_sources([run for run, _ in passes], "feature_cache.forward_seconds")
        forward = mean([seconds for _, seconds in passes]) / 60
        book.add(f"{prefix}.forward_minutes.mean", forward, "minutes", *sources)


def _add_run_files(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """What `auto` meant in the run files, and the files of the initial weights."""
    of_run: list[tuple[str, Callable[[RunFile], str]]] = [
        ("precision", lambda run: run.precision),
        ("compile_mode", lambda run: run.compile_mode),
    ]
    of_weights: list[tuple[str, Callable[[InitialWeights], str]]] = [
        ("name", lambda weights: weights.name),
        ("file", lambda weights: weights.file),
        ("sha256", lambda weights: weights.sha256),
    ]
    files = [(run.file, run.metrics.run) for run in finished]
    for field, text_of in of_run:
        _add_text(book, f"{prefix}.{field}", {name: text_of(run) for name, run in files}, field)
    weights = [(name, run.initial_weights) for name, run in files]
    for field, part_of in of_weights:
        texts = {name: part_of(initial) for name, initial in weights if initial is not None}
        key = f"initial_weights.{field}"
        _add_text(book, f"{prefix}.{key}", texts, key)


def _add_text(book: ValueBook, key: str, by_file: dict[str, str], field: str) -> None:
    """The distinct texts of a field of the run in several metrics; nothing where there is none."""
    if by_file:
        sources = [Source(file=file, field=f"run.{field}") for file in by_file]
        book.add(key, ", ".join(dict.fromkeys(by_file.values())), "text", *sources)


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
        if alike and minutes and base_minutes and float(base_minutes.value) > 0:
            ratio = float(minutes.value) / float(base_minutes.value)
            sources = [*minutes.sources, *base_minutes.sources]
            book.add(f"{prefix}.minutes_ratio", ratio, "number", *sources)


def _add_accuracy_increment(
    book: ValueBook, runs: StudyRuns, protocol: str, model: str, base: str
) -> None:
    own = book.values.get(f"{protocol}.{model}.accuracy.mean")
    below = book.values.get(f"{protocol}.{base}.accuracy.mean")
    if own is None or below is None or float(below.value) == 0:
        return
    key, sources = f"{protocol}.{model}.accuracy_increment", [*own.sources, *below.sources]
    increment = increment_percent(float(own.value), float(below.value))
    book.add(key, increment, "percent", *sources)
    pairs = [
        (table[model].accuracy, table[base].accuracy)
        for table in seed_outcomes(runs, protocol, [base, model])
    ]
    if all(below for _, below in pairs):
        book.add_interval(key, [increment_percent(*pair) for pair in pairs], "percent", sources)
