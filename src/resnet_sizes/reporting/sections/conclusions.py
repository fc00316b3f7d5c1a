"""The answer in short: how many claims hold, which network to choose, and what stays open."""

from dataclasses import dataclass
from typing import get_args

from resnet_sizes.reporting.sections.discussion import BY_READING, ClaimVerdicts, VerdictTexts
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.schemas.evidence.verdicts import (
    OutcomeName,
    Recommendation,
    VerdictName,
    outcome_of,
)
from resnet_sizes.schemas.study.protocol import display_name

FEW_READINGS = 2
"""Up to so many readings have a list of sentences each; more have tables alone."""

FEW_SEEDS = 3
"""With fewer, nothing is known of the spread between seeds that one would rely on."""


@dataclass(frozen=True)
class Table:
    """Heads, and rows each of which has a label."""

    columns: list[Safe]
    rows: list[tuple[Safe, list[Safe]]]


def outcomes_table(report: ReportContext) -> Table:
    """How many claims are supported, contradicted, and left open: one column a reading, after
    one of all together where there are several."""
    words, names = report.words, report.protocols
    columns, of = [words("outcomes.one")], ["overall"]
    if len(names) > 1:
        columns, of = [words("outcomes.all"), *(code(name) for name in names)], [*of, *names]
    rows = [
        (
            words(f"outcomes.{outcome}"),
            [report.values.value(f"outcome.{name}.{outcome}") for name in of],
        )
        for outcome in get_args(OutcomeName)
    ]
    return Table(columns, rows)


def tally(report: ReportContext) -> Safe:
    """How many claims are supported, contradicted and left open, in the numbers of
    `outcomes_table`, with the verdicts that these are made up of in brackets."""
    found, values = [], report.values
    undecided = values.number("outcome.overall.open") == values.number("verdict.total.count")
    for outcome in ("open",) if undecided else get_args(OutcomeName):
        key = f"outcome.overall.{outcome}"
        count, number = int(values.number(key)), values.value(key)
        if not count and outcome == "open":
            continue
        parts = []
        for verdict in get_args(VerdictName):
            # What is supported as such, or contradicted, is said by the outcome itself.
            if verdict != outcome and outcome_of(verdict) == outcome and verdict not in _APART:
                parts += _part(report, verdict, count)
        form = "undecided" if undecided else outcome
        said = report.words.counted(f"tally.outcomes.{form}", count, number=number)
        found.append(Safe(f"{said} ({report.words.listed(parts)})") if parts else said)
    return report.words.listed(found)


def _part(report: ReportContext, verdict: VerdictName, whole: int) -> list[Safe]:
    """A verdict with its number, which a single one does not need; empty where there is none."""
    count = _count(report, verdict)
    text = report.words.counted(f"tally.{verdict}", count)
    number = report.values.value(f"verdict.{verdict}.count")
    return [] if not count else [text if count == whole else Safe(f"{number} {text}")]


_APART: tuple[VerdictName, ...] = ("true-by-construction", "not-testable")
"""Verdicts that no data decide, and that are not counted."""


def not_counted(report: ReportContext) -> Safe | None:
    """The sentence on what is true by construction, and on what no data can test, if any is."""
    found = [
        report.words.counted(
            f"tally.{verdict}",
            _count(report, verdict),
            number=report.values.value(f"verdict.{verdict}.count"),
        )
        for verdict in _APART
        if _count(report, verdict)
    ]
    total = sum(_count(report, verdict) for verdict in _APART)
    listed = report.words.listed(found)
    return report.words.counted("tally.not-counted", total, items=listed) if found else None


def _count(report: ReportContext, verdict: VerdictName) -> int:
    return int(report.values.number(f"verdict.{verdict}.count"))


def nothing_tested(claims: list[ClaimVerdicts]) -> bool:
    """Whether no claim that needs data could be tested."""
    return all(item.is_undecided for item in claims if item.needs_data)


@dataclass(frozen=True)
class Conclusion:
    """What the article concludes, and what the data say of it."""

    id: str
    text: Safe
    finding: Safe
    verdict: VerdictName


def conclusions(report: ReportContext, texts: VerdictTexts) -> list[Conclusion]:
    """What the article concludes, each with a finding of one sentence."""
    found = []
    for item in texts.claims:
        beginning = report.words(texts.key_by_reason("conclusions", item.overall))
        depends = item.overall.verdict in BY_READING
        reason = texts.of_readings(item) if depends else texts.own_reason(item, timed=False)
        none = reason == report.words("none")
        finding = Safe(f"{beginning}." if none else f"{beginning}: {reason}.")
        text = report.from_article(item.claim.id, item.claim.text)
        found.append(Conclusion(item.claim.id, text, finding, item.overall.verdict))
    return found


@dataclass(frozen=True)
class RecommendationsOfReading:
    """One sentence a criterion, to stand in a list, without a full stop."""

    protocol: str
    sentences: list[Safe]


def recommendations(report: ReportContext) -> list[RecommendationsOfReading]:
    """Which network each reading's results recommend; nothing of a demonstration, nor of more
    than a few readings, which have a table."""
    if report.study.demo or len(report.protocols) > FEW_READINGS:
        return []
    found = []
    for protocol in report.protocols:
        own = [item for item in report.verdicts.recommendations if item.protocol == protocol]
        if own:
            sentences = [_sentence(report, item) for item in own]
            found.append(RecommendationsOfReading(protocol, sentences))
    return found


def recommendations_table(report: ReportContext) -> Table | None:
    """The same of more than a few readings, one row each, since nobody would read a list of so
    many; one column a criterion."""
    items = report.verdicts.recommendations
    if report.study.demo or len(report.protocols) <= FEW_READINGS or not items:
        return None
    criteria = list(dict.fromkeys(item.criterion for item in items))
    found = {(item.protocol, item.criterion): item for item in items}
    rows = []
    for protocol in report.protocols:
        own = [found.get((protocol, criterion)) for criterion in criteria]
        cells = [_cell(report, item) if item else report.words("none") for item in own]
        rows.append((code(protocol), cells))
    names = ("reading", *criteria)
    return Table([report.words(f"recommendations.columns.{name}") for name in names], rows)


def _cell(report: ReportContext, item: Recommendation) -> Safe:
    if item.model is None:
        return report.words("recommendations.cells.none")
    choice = report.words(
        f"recommendations.choices.{item.criterion}", **_fillings(report, item.protocol, item.model)
    )
    return report.words(f"recommendations.cells.{_form(item)}", choice=choice)


def _sentence(report: ReportContext, item: Recommendation) -> Safe:
    if item.model is None:
        return report.words(f"recommendations.{item.criterion}.none")
    others = [
        report.words("recommendations.other.item", model=display_name(model))
        for model in report.study.models
        if model != item.model and report.values.has(f"{item.protocol}.{model}.accuracy.mean")
    ]
    return report.words(
        f"recommendations.{item.criterion}.{_form(item)}",
        others=report.words.listed(others),
        **_fillings(report, item.protocol, item.model),
    )


def _form(item: Recommendation) -> str:
    return "firm" if item.firm else "open" if item.tested else "untested"


def _fillings(report: ReportContext, protocol: str, model: str) -> dict[str, str]:
    prefix = f"{protocol}.{model}"
    return {
        "model": display_name(model),
        "accuracy": report.values.value(f"{prefix}.accuracy.mean"),
        "minutes": report.values.value(f"{prefix}.minutes.mean"),
    }


def limits(report: ReportContext) -> list[Safe]:
    """What the results of this study cannot say, one sentence each, the weightiest first."""
    study, values, words = report.study, report.values, report.words
    differs = [
        words(f"limits.setup-items.{key}")
        for key in ("epochs", "batch_size", "learning_rate")
        if values.number(f"study.{key}") != values.number(f"article.{key}")
    ]
    setup = words.counted("limits.setup", len(differs), items=words.listed(differs))
    runs = [f"{name}.{model}" for name in report.protocols for model in report.models]
    computed = any(
        values.is_computed_time(key) for run in runs if values.has(key := f"{run}.minutes.mean")
    )
    shared = sum(int(values.number(key)) for run in runs if values.has(key := f"{run}.shared_runs"))
    unfinished = sum(run.state != "finished" for run in report.verdicts.runs)
    seeds = {name: len(study.seeds_of(name)) for name in report.protocols}
    few = [name for name, number in seeds.items() if number < FEW_SEEDS]
    each = "one-each" if len(seeds) > 1 else "one"
    form = each if max(seeds.values()) == 1 else "few" if len(few) == len(seeds) else "few-some"
    other_data = values.text("data.content") != "cifar10"
    outliers = [code(name) for name in report.verdicts.outliers]
    outlying = words.counted("limits.outliers", len(outliers), runs=words.listed(outliers))
    found = [
        (study.demo, words("limits.demo")),
        (other_data and not study.demo, words("limits.data")),
        (report.is_subset, words("limits.subset")),
        (bool(differs), setup),
        (bool(few), words(f"limits.seeds.{form}", readings=words.listed(map(code, few)))),
        (bool(outliers), outlying),
        (max(seeds.values()) > 1, words("limits.normality")),
        (bool(unfinished), words.counted("limits.unfinished", unfinished)),
        (True, words.counted("limits.readings", len(report.protocols))),
        (True, words("limits.test-images")),
        (True, words("limits.minutes.computed" if computed else "limits.minutes.measured")),
        (bool(shared), words.counted("limits.shared-device", shared)),
    ]
    if values.has(key := "data.test_images_in_training"):  # there are some
        of_all = {"images": values.value(key), "all": values.value("data.test_images")}
        sentence = words.counted("limits.test-in-training", int(values.number(key)), **of_all)
        found.insert(3, (True, sentence))
    return [sentence for applies, sentence in found if applies]
