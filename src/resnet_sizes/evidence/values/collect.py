"""Every value that the report may print, with the files and fields that it came from."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import get_args

from resnet_sizes.evidence.runs.read import FinishedRun, StudyRuns
from resnet_sizes.evidence.values.figure_values import add_figure_values
from resnet_sizes.evidence.values.model_values import add_comparisons, add_layers, add_model
from resnet_sizes.evidence.values.value_book import ValueBook, run_sources
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.values import Kind, RunOrigin, Source, Value, Values
from resnet_sizes.schemas.evidence.verdicts import (
    CONFIDENCE,
    OutcomeName,
    Overall,
    Verdict,
    VerdictName,
    Verdicts,
    outcome_of,
)
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.study.protocol import by_depth, shallowest
from resnet_sizes.schemas.study.study import Study


def collect_values(runs: StudyRuns, article: Article, verdicts: Verdicts, file: str) -> Values:
    """All values but the numbers of audit.json and of the distances in verdicts.json, which the
    report finds there by their place. `file` is verdicts.json, relative to the study's folder.

    Accuracies are fractions, times minutes or seconds as their kind says, losses mean
    cross-entropies in nats. The `minutes` of a run with a feature cache are computed, its
    `measured_minutes` are not; a value's sources name the field. Increments are percent over the
    study's shallowest model (those of `layers.<model>.increment`, over the article's base) and of
    the means, as in the table; their prediction intervals are made from the increments of each
    seed.
    """
    book = ValueBook()
    _add_study(book, runs)
    _add_data(book, runs)
    models = [*(row.model for row in article.table), *runs.study.models]
    add_layers(book, by_depth(list(dict.fromkeys(models))), article.base_model)
    for protocol in runs.study.protocols:
        for model in runs.study.models:
            add_model(book, runs, protocol, model)
        add_comparisons(book, runs, protocol)
    _add_circumstances(book, runs.finished)
    _add_article(book, article, runs.study.article)
    _add_method(book, article, runs.study.article)
    add_figure_values(book, runs, article)
    _add_verdicts(book, verdicts, file)
    origins = {run.file: _origin(run) for run in runs.finished}
    return Values(study=runs.study.name, values=book.values, runs=origins)


def _origin(run: FinishedRun) -> RunOrigin:
    metrics = run.metrics
    return RunOrigin(
        protocol=run.settings.protocol,
        model=run.settings.model,
        seed=run.settings.seed,
        device=metrics.device.name,
        others=metrics.sharing.others if metrics.sharing else [],
        dataset_identity=metrics.dataset_identity,
        training_hash=metrics.code.training_hash,
        git_commit=metrics.code.git_commit,
        finished=metrics.finished,
    )


def with_value_keys(
    verdicts: Verdicts, article: Article, study: Study, values: Mapping[str, Value]
) -> Verdicts:
    """Name in each verdict the numbers behind it that there are."""
    claims = {claim.id: claim for claim in article.claims}
    base = shallowest(study.models)

    def keys(verdict: Verdict) -> dict[str, str]:
        known = claims[verdict.id].value_keys(verdict.protocol, article.base_model, base)
        return {role: key for role, key in known.items() if key in values}

    named = [verdict.model_copy(update={"values": keys(verdict)}) for verdict in verdicts.verdicts]
    return verdicts.model_copy(update={"verdicts": named})


def _add_verdicts(book: ValueBook, verdicts: Verdicts, file: str) -> None:
    """How often each verdict was given on the article, zeros included; by reading how many claims
    were supported, contradicted, or left open.

    `verdict.total.count` leaves out what is decided by construction, as the three do.
    """
    overall = verdicts.overall
    counts = Counter(one.verdict for one in overall)
    source = Source(file=file, field="overall[].verdict")
    for name in get_args(VerdictName):
        book.add(f"verdict.{name}.count", counts[name], "count", source)
    constructed = sum("construction" in one.reasons for one in overall)
    book.add("verdict.total.count", counts.total() - constructed, "count", source)
    _add_outcomes(book, "overall", overall, source)
    for protocol in dict.fromkeys(verdict.protocol for verdict in verdicts.verdicts):
        own = [verdict for verdict in verdicts.verdicts if verdict.protocol == protocol]
        _add_outcomes(book, protocol, own, Source(file=file, field="verdicts[].verdict"))


def _add_outcomes(
    book: ValueBook, name: str, judged: Sequence[Overall | Verdict], source: Source
) -> None:
    """`outcome.<name>.<supported, contradicted or open>`."""
    outcomes = Counter(
        outcome_of(one.verdict) for one in judged if "construction" not in one.reasons
    )
    for outcome in get_args(OutcomeName):
        book.add(f"outcome.{name}.{outcome}", outcomes[outcome], "count", source)


def _add_method(book: ValueBook, article: Article, file: str) -> None:
    book.add_field(
        "method.confidence",
        CONFIDENCE,
        "fraction",
        "resnet_sizes.schemas.evidence.verdicts",
        "CONFIDENCE",
    )
    judging = article.judging
    book.add_field("judging.level", judging.level, "fraction", file)
    if judging.seed_effect is not None:
        largest = judging.seed_effect.largest_difference
        book.add_field("judging.seed_effect.largest_difference", largest, "number", file)


def _add_study(book: ValueBook, runs: StudyRuns) -> None:
    study, training = runs.study, runs.study.training

    def add(key: str, value: int | float | str, kind: Kind, field: str) -> None:
        book.add_field(f"study.{key}", value, kind, "study.json", f"study.{field}")

    add("name", study.name, "text", "name")
    for key in ("epochs", "batch_size", "gradient_accumulation"):
        add(key, getattr(training, key), "count", f"training.{key}")
    add("learning_rate", training.learning_rate, "number", "training.learning_rate")
    add("seeds", len(study.seeds), "count", "seeds")
    for number, seed in enumerate(study.seeds):
        add(f"seeds.{number}", seed, "count", f"seeds[{number}]")
    for name in study.protocols:
        protocol, definition = study.protocol_definitions[name], f"protocol_definitions.{name}"
        for language, text in protocol.description.model_dump().items():
            field = f"{definition}.description.{language}"
            add(f"protocol.{name}.description.{language}", text, "text", field)
        for model in study.models:
            recipe = protocol.recipe_for(model)
            for setting in ("input_size", "momentum", "weight_decay"):
                key, value = f"reading.{name}.{model}.{setting}", getattr(recipe, setting)
                book.add_field(key, value, "number", "study.json", f"study.{definition}")
    asked = (
        Source(file="study.json", field=f"study.{n}") for n in ("protocols", "models", "seeds")
    )
    book.add("study.runs", len(runs.states), "count", *asked)
    finished = run_sources(runs.finished, "run_hash")
    book.add("study.finished_runs", len(runs.finished), "count", *finished)


def _add_data(book: ValueBook, runs: StudyRuns) -> None:
    info = runs.info
    fields: list[tuple[str, Kind]] = [
        ("content", "text"),
        *((f"{part}_images", "count") for part in ("train", "test", "full_train", "full_test")),
        ("identity", "text"),
        ("source_file", "text"),
    ]
    for field, kind in fields:
        value = getattr(info, field)
        if value is not None:
            book.add_field(f"data.{field}", value, kind, "data/dataset.json", field)


def _add_circumstances(book: ValueBook, finished: Sequence[FinishedRun]) -> None:
    """Hardware, versions, code and times of all finished runs."""
    metrics = {run.file: run.metrics for run in finished}

    def distinct(key: str, field: str, of_run: Callable[[Metrics], str | None]) -> None:
        book.add_distinct(key, {file: of_run(run) for file, run in metrics.items()}, field)

    distinct("hardware.device", "device.name", lambda run: run.device.name)
    distinct("hardware.kind", "device.kind", lambda run: run.device.kind)
    threads = sorted({run.device.threads for run in metrics.values()})
    sources = run_sources(finished, "device.threads")
    if len(threads) == 1:
        book.add("hardware.threads", threads[0], "count", *sources)
    else:
        book.add("hardware.threads", [str(number) for number in threads], "list", *sources)
    for package in sorted({package for run in metrics.values() for package in run.versions}):
        key = f"versions.{package}"
        distinct(key, key, lambda run, package=package: run.versions.get(package))  # type: ignore[misc]

    started = min(finished, key=lambda run: datetime.fromisoformat(run.metrics.started))
    ended = max(finished, key=lambda run: datetime.fromisoformat(run.metrics.finished))
    book.add_field("made.started", started.metrics.started, "datetime", started.file, "started")
    book.add_field("made.finished", ended.metrics.finished, "datetime", ended.file, "finished")
    total = sum(run.training_seconds for run in metrics.values())
    times = run_sources(finished, "training_seconds")
    book.add("made.training_seconds", total, "seconds", *times)
    distinct("made.training_hash", "code.training_hash", lambda run: run.code.training_hash)
    distinct("made.git_commit", "code.git_commit", lambda run: run.code.git_commit)
    changed = sum(run.code.git_dirty is True for run in metrics.values())
    flags = run_sources(finished, "code.git_dirty")
    book.add("made.runs_with_local_changes", changed, "count", *flags)


_COLUMNS: tuple[tuple[str, Kind], ...] = (
    ("accuracy", "percent"),
    ("layers", "count"),
    ("minutes", "minutes"),
    ("layers_increment", "percent"),
    ("accuracy_increment", "percent"),
)


def _add_article(book: ValueBook, article: Article, file: str) -> None:
    setup = article.setup
    for field in ("images", "epochs", "batch_size", "train_images", "test_images"):
        value = getattr(setup, field)
        if value is not None:
            book.add_field(f"article.{field}", value, "count", file, f"setup.{field}")
    rate = setup.learning_rate
    book.add_field("article.learning_rate", rate, "number", file, "setup.learning_rate")
    base = article.table[0]
    for index, row in enumerate(article.table):
        for column, kind in _COLUMNS:
            printed = getattr(row, column)
            if printed is not None:
                number = int(printed) if "." not in str(printed) else float(printed)
                key = f"article.{row.model}.{column}"
                book.add_field(key, number, kind, file, f"table[{index}].{column}")
        if row.minutes is not None and base.minutes is not None and float(base.minutes) > 0:
            times = [Source(file=file, field=f"table[{i}].minutes") for i in (index, 0)]
            ratio = float(row.minutes) / float(base.minutes)
            book.add(f"article.{row.model}.minutes_ratio", ratio, "number", *times)
