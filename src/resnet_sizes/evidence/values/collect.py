"""Every value that the report may print, with the files and fields that it came from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.values.figure_values import add_figure_values
from resnet_sizes.evidence.values.model_values import add_comparisons, add_definitions, add_model
from resnet_sizes.evidence.values.value_book import ValueBook, run_sources
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.columns import COLUMNS
from resnet_sizes.schemas.evidence import verdicts as records
from resnet_sizes.schemas.evidence.values import RunOrigin, Source, Value, Values, seed_keys
from resnet_sizes.schemas.evidence.verdicts import Overall, Verdict, VerdictName
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.study.protocol import shallowest
from resnet_sizes.schemas.study.study import DEFAULT, Study


def collect_values(
    runs: StudyRuns,
    article: Article,
    verdicts: Sequence[Verdict],
    overall: Sequence[Overall],
    file: str,
) -> Values:
    """All values but the numbers of audit.json and of the distances in verdicts.json, which the
    report finds there by their place. `file` is verdicts.json, relative to the study's folder.

    Accuracies are fractions, times minutes or seconds as their kind says, losses mean
    cross-entropies in nats. The `minutes` of a run with a feature cache are computed, its
    `measured_minutes` are not; a value's sources name the field. Increments are percent over the
    study's shallowest model (those of `layers.<model>.increment`, over the article's base) and of
    the means, as in the table; their prediction intervals are made from the increments of each
    seed. Both are of the seeds that both models have, and `.seeds` says how many where a run of
    another seed is left out.
    """
    book, study = ValueBook(), runs.study
    _add_study(book, runs)
    _add_data(book, runs.info)
    add_definitions(book, runs, article)
    wanted = {quantity for claim in article.claims for quantity in claim.quantities}
    wanted |= {COLUMNS[name].quantity for name in article.columns}
    wanted |= {"error", "train_error"} if article.figure == "error" else set()
    for protocol in study.protocols:
        for model in study.models:
            add_model(book, runs, protocol, model, wanted)
        add_comparisons(book, runs, protocol)
    _add_circumstances(book, runs.finished)
    if runs.origins:
        _add_pool(book, runs)
    _add_article(book, article, study.article)
    add_figure_values(book, runs, article)
    _add_verdicts(book, verdicts, overall, file)
    origins = {run.file: _origin(run) for run in (*runs.finished, *runs.pooled)}
    return Values(study=study.name, values=book.values, runs=origins)


def _origin(run: FinishedRun) -> RunOrigin:
    metrics = run.metrics
    return RunOrigin(
        **run.settings.model_dump(include={"protocol", "model", "seed"}),
        **metrics.model_dump(include={"dataset_identity", "finished"}),
        **metrics.code.model_dump(include={"training_hash", "git_commit"}),
        device=metrics.device.name,
        others=metrics.sharing.others if metrics.sharing else [],
    )


def with_value_keys(
    verdicts: Sequence[Verdict], article: Article, study: Study, values: Mapping[str, Value]
) -> list[Verdict]:
    """Name in each verdict the numbers behind it that there are."""
    claims = {claim.id: claim for claim in article.claims}
    base = shallowest(study.models)

    def keys(verdict: Verdict) -> dict[str, str]:
        known = claims[verdict.id].value_keys(verdict.protocol, article.base_model, base)
        return {role: key for role, key in known.items() if key in values}

    return [verdict.model_copy(update={"values": keys(verdict)}) for verdict in verdicts]


_NOT_BY_DATA: tuple[VerdictName, ...] = ("not-testable", "true-by-construction")


def _add_verdicts(
    book: ValueBook, verdicts: Sequence[Verdict], overall: Sequence[Overall], file: str
) -> None:
    """How often each verdict was given on the article, zeros included; as `outcome.<overall, or a
    reading>.<outcome>` how many claims were supported, contradicted, or left open. Claims that
    are one test count once. `verdict.total.count`, and the three that make it up, leave out what
    is decided by construction and what no data can test."""
    counted = [one for one in overall if one.same_test_as is None]
    decided = [one for one in counted if one.verdict not in _NOT_BY_DATA]
    by_data = [one for one in decided if "construction" not in one.reasons]
    ids = {one.id for one in by_data}

    def add_outcomes(name: str, judged: Sequence[Overall | Verdict], source: Source) -> None:
        outcomes = Counter(records.outcome_of(one.verdict) for one in judged)
        for outcome in get_args(records.OutcomeName):
            book.add(f"outcome.{name}.{outcome}", outcomes[outcome], "count", source)

    source = Source(file=file, field="overall[].verdict")
    for name in get_args(VerdictName):
        of_these = [one.verdict for one in (counted if name in _NOT_BY_DATA else by_data)]
        book.add(f"verdict.{name}.count", of_these.count(name), "count", source)
    book.add("verdict.total.count", len(by_data), "count", source)
    add_outcomes("overall", by_data, source)
    for protocol in dict.fromkeys(verdict.protocol for verdict in verdicts):
        own = [one for one in verdicts if one.protocol == protocol and one.id in ids]
        add_outcomes(protocol, own, Source(file=file, field="verdicts[].verdict"))


def _add_study(book: ValueBook, runs: StudyRuns) -> None:
    study, file = runs.study, "study.json"

    def source(field: str) -> Source:
        return Source(file=file, field=f"study.{field}")

    training, finished = study.training, runs.finished
    length = "iterations" if training.iterations else "epochs"
    named = [length, "batch_size", "gradient_accumulation"]
    named += ["validation"] if training.validation else []
    book.add_fields("study", "text", file, runs, "study.name")
    book.add_fields("study", "count", file, runs, *(f"study.training.{key}" for key in named))
    if training.iterations:
        book.add_fields("study", "count", finished[0].file, finished[0].metrics, "run.epochs")
    book.add_fields("study", "number", file, runs, "study.training.learning_rate")
    # Once where all protocols have the same ones.
    for name in study.protocols[:1] if study.has_same_seeds else study.protocols:
        field, seeds = "seeds", study.seeds_of(name)
        if isinstance(study.seeds, dict):
            field += f".{name if name in study.seeds else DEFAULT}"
        count, keys = seed_keys(study, name)
        book.add(count, len(seeds), "count", source(field))
        for number, (key, seed) in enumerate(zip(keys, seeds, strict=True)):
            book.add(key, seed, "count", source(f"{field}[{number}]"))
    for name in study.protocols:
        protocol, definition = study.protocol_definitions[name], f"protocol_definitions.{name}"
        for language, text in protocol.description.model_dump(exclude_none=True).items():
            key = f"study.protocol.{name}.description.{language}"
            book.add(key, text, "text", source(f"{definition}.description.{language}"))
        for model in study.models:
            recipe = protocol.recipe_for(model)
            in_steps, warmup = recipe.schedule == "steps", recipe.warmup
            names = ("input_size", "momentum", "weight_decay", *(["factor"] if in_steps else []))
            numbers = [(each, getattr(recipe, each)) for each in names]
            places = enumerate(recipe.milestones if in_steps else [])
            numbers += [(f"milestone.{place}", each) for place, each in places]
            numbers += [(f"warmup.{each}", of) for each, of in warmup or () if of is not None]
            for key, value in numbers:
                book.add(f"reading.{name}.{model}.{key}", value, "number", source(definition))
    asked = [source(name) for name in ("protocols", "models", "seeds")]
    book.add("study.runs", len(runs.states), "count", *asked)
    book.add_of_runs("study.finished_runs", len(finished), "count", finished, "run_hash")


def _add_data(book: ValueBook, info: DatasetInfo) -> None:
    file, parts = "data/dataset.json", ("train", "test", "full_train", "full_test")
    counts = [f"{part}_images" for part in parts]
    if info.test_images_in_training:
        counts.append("test_images_in_training")
    book.add_fields("data", "text", file, info, "content")
    book.add_fields("data", "count", file, info, *counts)
    book.add_fields("data", "text", file, info, "identity", "source_file")


def _add_circumstances(book: ValueBook, finished: Sequence[FinishedRun]) -> None:
    """Hardware, versions, code and times of all finished runs."""
    book.add_distinct("hardware.device", finished, "device.name")
    book.add_distinct("hardware.kind", finished, "device.kind")
    threads = sorted({run.metrics.device.threads for run in finished})
    sources = run_sources(finished, "device.threads")
    if len(threads) == 1:
        book.add("hardware.threads", threads[0], "count", *sources)
    else:
        book.add("hardware.threads", [str(number) for number in threads], "list", *sources)
    for package in sorted({package for run in finished for package in run.metrics.versions}):
        book.add_distinct(f"versions.{package}", finished, f"versions.{package}")

    first = min(finished, key=lambda run: run.metrics.started)
    last = max(finished, key=lambda run: run.metrics.finished)
    book.add_fields("made", "datetime", first.file, first.metrics, "started")
    book.add_fields("made", "datetime", last.file, last.metrics, "finished")
    total = sum(run.metrics.training_seconds for run in finished)
    book.add_of_runs("made.training_seconds", total, "seconds", finished, "training_seconds")
    if prepared := [run for run in finished if run.metrics.preparation_seconds]:
        seconds = sum(run.metrics.preparation_seconds or 0 for run in prepared)
        key, field = "made.preparation_seconds", "preparation_seconds"
        book.add_of_runs(key, seconds, "seconds", prepared, field)
    book.add_distinct("made.training_hash", finished, "code.training_hash")
    book.add_distinct("made.git_commit", finished, "code.git_commit")
    changed = sum(run.metrics.code.git_dirty is True for run in finished)
    book.add_of_runs("made.runs_with_local_changes", changed, "count", finished, "code.git_dirty")


def _add_pool(book: ValueBook, runs: StudyRuns) -> None:
    """How many runs are ours and how many of others; as `pool.<number>.<what>`, in the study's
    order, of each archive: whose it is, and what became of its runs."""
    for name, own in (("own", runs.finished), ("others", runs.pooled)):
        book.add("pool." + name, len(own), "count", Source(file="pool/pool.json", field="origins"))
    for number, each in enumerate(runs.origins):
        prefix, origin = f"pool.{number}", each.origin
        file = f"pool/{origin.digest}/origin.json"
        book.add_fields(prefix, "text", file, origin, "path", "digest")
        book.add_fields(prefix, "datetime", file, origin, "certificate.finished")
        source = Source(file=file, field="certificate")
        for what in ("authors", "devices"):
            texts = list(dict.fromkeys(one.name for one in getattr(origin.certificate, what)))
            book.add(f"{prefix}.{what}", texts, "list", source)
        counts = Counter(f"left_out.{why}" for why in each.left_out.values())
        for what, times in sorted({**counts, "runs": len(each.used)}.items()):
            book.add(f"{prefix}.{what}", times, "count", source)


def _add_article(book: ValueBook, article: Article, file: str) -> None:
    """What the article prints, and the levels by which it is judged."""
    counts = ["images", "epochs", "iterations", "batch_size", "train_images", "test_images"]
    counts.append("validation")
    book.add_fields("article", "count", file, article, *(f"setup.{field}" for field in counts))
    rates = ("setup.learning_rate", "setup.momentum", "setup.weight_decay")
    book.add_fields("article", "number", file, article, *rates)
    if article.setup.named_data:
        book.add_fields("article", "text", file, article, "setup.data")
    base_minutes = float(article.table[0].cells.get("minutes") or 0)
    for index, row in enumerate(article.table):
        for column, printed in row.cells.items():
            if printed is not None:
                number = int(printed) if "." not in printed else float(printed)
                source = Source(file=file, field=f"table[{index}].{column}")
                book.add(f"article.{row.model}.{column}", number, COLUMNS[column].kind, source)
        if (minutes := row.cells.get("minutes")) and base_minutes > 0:
            times = [Source(file=file, field=f"table[{i}].minutes") for i in (index, 0)]
            ratio = float(minutes) / base_minutes
            book.add(f"article.{row.model}.minutes_ratio", ratio, "number", *times)
    constant = Source(file="resnet_sizes.schemas.evidence.verdicts", field="CONFIDENCE")
    book.add("method.confidence", records.CONFIDENCE, "fraction", constant)
    book.add_fields("judging", "fraction", file, article, "judging.level")
    points = "judging.seed_deviation.points"
    book.add_fields("judging.seed_deviation", "number", file, article, points)
