"""The values of each model in each protocol."""

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import product
from statistics import mean

from resnet_sizes.evidence.runs.read import StudyRuns, on_one_device
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.values.value_book import ValueBook, prediction_ends, run_sources
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import Outcome, increment_percent
from resnet_sizes.schemas.article.columns import COLUMNS, Kind, own_key
from resnet_sizes.schemas.evidence.values import Source
from resnet_sizes.schemas.hardware import NETWORK_COSTS_FILE
from resnet_sizes.schemas.study.networks import NETWORKS, by_depth, depth_of, shallowest

_ACCURACY = "final_test_accuracy"


def add_definitions(book: ValueBook, runs: StudyRuns, article: Article) -> None:
    """What no training changes, in the unit of the article's column: depths with their increments
    over the article's first row in percent, and what else its table prints of such numbers, of a
    run where there is one."""

    def defined(quantity: str, model: str) -> tuple[float, Source]:
        run, file, field = runs.first_of(model), NETWORK_COSTS_FILE, f"networks[{model}].{quantity}"
        if quantity == "layers" and NETWORKS[model].sha256:
            file, field = "study.json", f"study.networks.{model}.depth"
        elif quantity == "layers":
            file, field = "resnet_sizes.schemas.study.protocol", f"LAYERS.{model}"
        elif run:
            return getattr(run.metrics, quantity), Source(file=run.file, field=quantity)
        return getattr(Outcome(model, 0.0, 0.0, 0.0, 0.0), quantity), Source(file=file, field=field)

    names = dict.fromkeys(("layers", "layers_increment", *article.columns))
    models = {*(row.model for row in article.table), *runs.study.models}
    for model, name in product(by_depth([*models]), names):
        column, both = COLUMNS[name], (model, article.base_model)
        if not column.by_definition or (column.over_base and model == article.base_model):
            continue
        with suppress(UserError):  # neither a run nor a table has it
            found = [defined(column.quantity, each) for each in both[: 1 + column.over_base]]
            numbers, sources = zip(*found, strict=True)
            scaled = numbers[0] * column.scale
            number = increment_percent(*numbers) if column.over_base else round(scaled, 9)
            book.add(own_key(name, "", model), number, column.kind, *sources)


def add_model(
    book: ValueBook, runs: StudyRuns, protocol: str, model: str, wanted: Collection[str]
) -> None:
    """What one model's runs give by themselves, quantities of further columns where they are
    `wanted`. `minutes` are computed of a run with a feature cache; `measured_minutes` are what the
    clock showed, and `forward_minutes` those of one pass over the training images. Times and
    memory are those of our runs alone."""
    prefix, finished = f"{protocol}.{model}", runs.of(protocol, model)
    own = runs.own.of(protocol, model)
    named = Source(file="study.json", field=f"study.models[{runs.study.models.index(model)}]")
    book.add(f"{prefix}.layers", depth_of(model), "count", named)
    hashes = run_sources(finished, "run_hash") or [named]
    book.add(f"{prefix}.runs", len(finished), "count", *hashes)
    if not finished:
        return

    if len(own) < len(finished):
        others = finished[len(own) :]
        book.add_of_runs(f"{prefix}.own_runs", len(own), "count", own, "run_hash")
        book.add_of_runs(f"{prefix}.pooled_runs", len(others), "count", others, "run_hash")

    def add(key: str, number: float, kind: Kind, *fields: str) -> None:
        book.add_of_runs(f"{prefix}.{key}", number, kind, finished, *fields)

    outcomes = [run.outcome for run in finished]
    accuracies, minutes = [o.accuracy for o in outcomes], [run.outcome.minutes for run in own]
    sources, counts = run_sources(finished, _ACCURACY), runs.counts(protocol, [model])
    book.add_spread(f"{prefix}.accuracy", accuracies, "fraction", sources, counts=counts)
    times = [Source(file=run.file, field=run.time_field) for run in own]
    book.add_spread(f"{prefix}.minutes", minutes, "minutes", times, own)

    if "error" in wanted:
        least = mean(1 - run.metrics.best_test_accuracy for run in finished)
        add("best_error.mean", least, "fraction", "best_test_accuracy")
    best, first, last = "best_test_accuracy", "epochs[0].train_loss", "epochs[-1].train_loss"
    biases = [run.metrics.best_test_accuracy - run.metrics.final_test_accuracy for run in finished]
    book.add_mean(f"{prefix}.best_accuracy", "fraction", finished, best)
    add("selection_bias.mean", mean(biases), "fraction", best, _ACCURACY)
    book.add_mean(f"{prefix}.initial_loss", "loss", finished, first)
    book.add_mean(f"{prefix}.final_loss", "loss", finished, last)
    add("loss_drop.mean", mean(o.loss_drop for o in outcomes), "fraction", first, last)
    add("loss_fall.mean", mean(o.loss_fall for o in outcomes), "loss", first, last)

    one = own[0]  # these are the same for every seed
    book.add_fields(prefix, "count", one.file, one.metrics, "parameters", "macs_per_image")
    peak = max(run.metrics.peak_memory_bytes for run in own)
    book.add_of_runs(f"{prefix}.peak_memory", peak, "bytes", own, "peak_memory_bytes")
    if measured := [run for run in own if run.metrics.energy]:
        book.add_mean(f"{prefix}.energy", "energy", measured, "energy.joules")
    _add_measured_times(book, prefix, own)
    if shared := [run for run in own if run.metrics.shared_device]:
        book.add_of_runs(f"{prefix}.shared_runs", len(shared), "count", shared, "sharing")
    # What `auto` meant in the run files, and the files of the initial weights.
    of_weights = (f"initial_weights.{part}" for part in ("name", "file", "sha256"))
    for field in ("precision", "compile_mode", *of_weights):
        book.add_distinct(f"{prefix}.{field}", own, f"run.{field}")
    for column in COLUMNS.values():
        if column.field and column.quantity in wanted:
            if not hasattr(outcomes[0], column.quantity):
                raise UserError(f"metrics.json has no {column.quantity}: correct its column.")
            values = [getattr(outcome, column.quantity) for outcome in outcomes]
            kind: Kind = "fraction" if column.kind == "percent" else column.kind
            sources = run_sources(finished, column.field)
            book.add_spread(f"{prefix}.{column.quantity}", values, kind, sources, counts=counts)


def _add_measured_times(book: ValueBook, prefix: str, finished: Sequence[FinishedRun]) -> None:
    """Over the runs that did all of their own work: one that reused the features of a frozen
    backbone took a small part of that. Where every run did (another study had made the features),
    it is all of them."""
    caches = [(run, run.metrics.feature_cache) for run in finished]
    whole = [run for run, cache in caches if cache is None or not cache.reused] or finished
    minutes = mean([run.metrics.training_seconds for run in whole]) / 60
    key, sources = f"{prefix}.measured_minutes.mean", run_sources(whole, "training_seconds")
    book.add(key, minutes, "minutes", *sources, times_of=whole, measured=True)
    if passes := {run: cache.forward_seconds for run, cache in caches if cache is not None}:
        key, field = f"{prefix}.forward_minutes.mean", "feature_cache.forward_seconds"
        book.add_of_runs(key, mean(passes.values()) / 60, "minutes", [*passes], field)


def add_comparisons(book: ValueBook, runs: StudyRuns, protocol: str) -> None:
    """What sets the models of one protocol against the study's shallowest."""
    base = shallowest(runs.study.models)
    for model in runs.study.models:
        prefix, of_base = f"{protocol}.{model}", f"{protocol}.{base}"
        if model != base:
            layers = [s for key in (prefix, of_base) for s in book.values[f"{key}.layers"].sources]
            increment = increment_percent(depth_of(model), depth_of(base))
            book.add(f"{prefix}.layers_increment", increment, "percent", *layers)
            _add_increment(book, runs, protocol, model, base)
        minutes = book.values.get(f"{prefix}.minutes.mean")
        base_minutes = book.values.get(f"{of_base}.minutes.mean")
        both = [*runs.own.of(protocol, base), *runs.own.of(protocol, model)]
        if on_one_device(both) and minutes and base_minutes and float(base_minutes.number) > 0:
            ratio = float(minutes.number) / float(base_minutes.number)
            sources = [*minutes.sources, *base_minutes.sources]
            book.add(f"{prefix}.minutes_ratio", ratio, "number", *sources, times_of=both)


def _add_increment(book: ValueBook, runs: StudyRuns, protocol: str, model: str, base: str) -> None:
    """The increment of the means, and its prediction interval: both over the seeds that both
    models have, since a seed that one of them lacks has no increment."""
    finished = [*runs.of(protocol, model), *runs.of(protocol, base)]
    seeds = Counter(run.settings.seed for run in finished)
    used = [run for run in finished if seeds[run.settings.seed] == 2]
    tables = runs.outcomes_by_seed(protocol, [base, model])
    pairs = [(table[model].accuracy, table[base].accuracy) for table in tables]
    if not any(below for _, below in pairs):
        return
    key, sources = f"{protocol}.{model}.accuracy_increment", run_sources(used, _ACCURACY)
    increment = increment_percent(*(mean(accuracies) for accuracies in zip(*pairs, strict=True)))
    book.add(key, increment, "percent", *sources)
    if len(used) < len(finished):
        book.add(f"{key}.seeds", len(pairs), "count", *run_sources(used, "run.seed"))
    if all(below for _, below in pairs):
        increments = [increment_percent(*pair) for pair in pairs]
        ends = prediction_ends(increments, "percent", runs.counts(protocol, [base, model]))
        for name, number in ends.items():
            book.add(f"{key}.{name}", number, "percent", *sources)
