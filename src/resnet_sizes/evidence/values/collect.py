"""Every value that the report may print, with the files and fields that it came from."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import get_args

from resnet_sizes.evidence.runs.read import FinishedRun, StudyRuns
from resnet_sizes.evidence.statistics.tests import CONFIDENCE
from resnet_sizes.evidence.values.figure_values import add_figure_values
from resnet_sizes.evidence.values.model_values import add_comparisons, add_layers, add_model
from resnet_sizes.evidence.values.value_book import ValueBook
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.values import Kind, RunOrigin, Source, Value, Values
from resnet_sizes.schemas.evidence.verdicts import (
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


def collect_values(
    runs: StudyRuns, article: Article, verdicts: Verdicts, audited: Audit, folder: str
) -> Values:
    """All values. `folder` holds audit.json and verdicts.json, relative to the study's folder.

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
    _add_circumstances(book, [(run.file, run.metrics) for run in runs.finished])
    _add_article(book, article, runs.study.article)
    _add_method(book, article, runs.study.article)
    add_figure_values(book, runs, article)
    _add_verdicts(book, verdicts, f"{folder}/verdicts.json")
    book.add_leaves("audit", audited, f"{folder}/audit.json")
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
    were supported, contradicted, or left open; and the distances of the readings.

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
    for number, distance in enumerate(verdicts.distances):
        book.add_leaves(f"distances.{number}", distance, file, "distances", number)


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
    own = Source(file="resnet_sizes.evidence.statistics.tests", field="CONFIDENCE")
    book.add("method.confidence", CONFIDENCE, "fraction", own)
    judging = article.judging
    book.add("judging.level", judging.level, "fraction", Source(file=file, field="judging.level"))
    if judging.seed_effect is not None:
        field = "judging.seed_effect.largest_difference"
        largest = judging.seed_effect.largest_difference
        book.add(field, largest, "number", Source(file=file, field=field))


def _add_study(book: ValueBook, runs: StudyRuns) -> None:
    study, training = runs.study, runs.study.training

    def source(field: str) -> Source:
        return Source(file="study.json", field=f"study.{field}")

    book.add("study.name", study.name, "text", source("name"))
    book.add("study.epochs", training.epochs, "count", source("training.epochs"))
    book.add("study.batch_size", training.batch_size, "count", source("training.batch_size"))
    book.add(
        "study.learning_rate", training.learning_rate, "number", source("training.learning_rate")
    )
    parts = training.gradient_accumulation
    book.add(
        "study.gradient_accumulation", parts, "count", source("training.gradient_accumulation")
    )
    book.add("study.seeds", len(study.seeds), "count", source("seeds"))
    for number, seed in enumerate(study.seeds):
        book.add(f"study.seeds.{number}", seed, "count", source(f"seeds[{number}]"))
    for name in study.protocols:
        definition = f"protocol_definitions.{name}"
        protocol = study.protocol_definitions[name]
        for language, text in protocol.description.model_dump().items():
            field = source(f"{definition}.description.{language}")
            book.add(f"study.protocol.{name}.description.{language}", text, "text", field)
        for model in study.models:
            reading = protocol.recipe_for(model)
            for setting in ("input_size", "momentum", "weight_decay"):
                key = f"reading.{name}.{model}.{setting}"
                book.add(key, getattr(reading, setting), "number", source(definition))
    asked = (source("protocols"), source("models"), source("seeds"))
    book.add("study.runs", len(runs.states), "count", *asked)
    finished = [Source(file=run.file, field="run_hash") for run in runs.finished]
    book.add("study.finished_runs", len(runs.finished), "count", *finished)


def _add_data(book: ValueBook, runs: StudyRuns) -> None:
    info = runs.info

    def source(field: str) -> Source:
        return Source(file="data/dataset.json", field=field)

    book.add("data.content", info.content, "text", source("content"))
    for field in ("train_images", "test_images", "full_train_images", "full_test_images"):
        book.add(f"data.{field}", getattr(info, field), "count", source(field))
    book.add("data.classes", len(info.class_names), "count", source("class_names"))
    book.add("data.identity", info.identity, "text", source("identity"))
    if info.source_file is not None:
        book.add("data.source_file", info.source_file, "text", source("source_file"))


def _add_circumstances(book: ValueBook, metrics: Sequence[tuple[str, Metrics]]) -> None:
    """Hardware, versions, code and times of all finished runs."""

    def distinct(key: str, field: str, of_run: Callable[[Metrics], str | None]) -> None:
        found = [(file, of_run(run)) for file, run in metrics]
        texts = list(dict.fromkeys(text for _, text in found if text is not None))
        if texts:
            sources = [Source(file=file, field=field) for file, text in found if text is not None]
            book.add(key, ", ".join(texts), "text", *sources)

    distinct("hardware.device", "device.name", lambda run: run.device.name)
    distinct("hardware.kind", "device.kind", lambda run: run.device.kind)
    threads = sorted({run.device.threads for _, run in metrics})
    sources = [Source(file=file, field="device.threads") for file, _ in metrics]
    if len(threads) == 1:
        book.add("hardware.threads", threads[0], "count", *sources)
    else:
        book.add("hardware.threads", ", ".join(map(str, threads)), "text", *sources)
    for package in sorted({package for _, run in metrics for package in run.versions}):
        key = f"versions.{package}"
        distinct(key, key, partial(_version, package))

    started = min(metrics, key=lambda item: datetime.fromisoformat(item[1].started))
    finished = max(metrics, key=lambda item: datetime.fromisoformat(item[1].finished))
    book.add(
        "made.started", started[1].started, "datetime", Source(file=started[0], field="started")
    )
    book.add(
        "made.finished",
        finished[1].finished,
        "datetime",
        Source(file=finished[0], field="finished"),
    )
    times = [Source(file=file, field="training_seconds") for file, _ in metrics]
    total = sum(run.training_seconds for _, run in metrics)
    book.add("made.training_seconds", total, "seconds", *times)
    distinct("made.training_hash", "code.training_hash", lambda run: run.code.training_hash)
    distinct("made.git_commit", "code.git_commit", lambda run: run.code.git_commit)
    changed = sum(run.code.git_dirty is True for _, run in metrics)
    flags = [Source(file=file, field="code.git_dirty") for file, _ in metrics]
    book.add("made.runs_with_local_changes", changed, "count", *flags)


def _version(package: str, run: Metrics) -> str | None:
    return run.versions.get(package)


def _add_article(book: ValueBook, article: Article, file: str) -> None:
    setup = article.setup
    counts = ("epochs", "batch_size", "train_images", "test_images")
    if setup.images is not None:
        book.add("article.images", setup.images, "count", Source(file=file, field="setup.images"))
    for field in counts:
        source = Source(file=file, field=f"setup.{field}")
        book.add(f"article.{field}", getattr(setup, field), "count", source)
    source = Source(file=file, field="setup.learning_rate")
    book.add("article.learning_rate", setup.learning_rate, "number", source)
    columns: list[tuple[str, Kind]] = [
        ("accuracy", "percent"),
        ("layers", "count"),
        ("minutes", "minutes"),
        ("layers_increment", "percent"),
        ("accuracy_increment", "percent"),
    ]
    for index, row in enumerate(article.table):
        for column, kind in columns:
            printed = getattr(row, column)
            if printed is not None:
                number = int(printed) if "." not in str(printed) else float(printed)
                source = Source(file=file, field=f"table[{index}].{column}")
                book.add(f"article.{row.model}.{column}", number, kind, source)
        base = article.table[0]
        if row.minutes is not None and base.minutes is not None and float(base.minutes) > 0:
            times = [Source(file=file, field=f"table[{i}].minutes") for i in (index, 0)]
            ratio = float(row.minutes) / float(base.minutes)
            book.add(f"article.{row.model}.minutes_ratio", ratio, "number", *times)
