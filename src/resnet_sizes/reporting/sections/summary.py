"""The first page: how many claims hold, and which stand first."""

from typing import get_args

from resnet_sizes.reporting.sections.discussion import BY_READING, ClaimVerdicts
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.schemas.evidence.verdicts import OutcomeName, VerdictName, outcome_of


def headline(report: ReportContext, claims: list[ClaimVerdicts]) -> list[ClaimVerdicts]:
    """The statements that the article file puts first, else its conclusions."""
    by_id = {item.claim.id: item for item in claims}
    conclusions = [item.claim.id for item in claims if item.claim.place == "conclusions"]
    return [by_id[name] for name in report.article.headline or conclusions]


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


def possible_verdicts(report: ReportContext) -> list[VerdictName]:
    """Every verdict that a study of these readings can come to."""
    return [
        name
        for name in get_args(VerdictName)
        if len(report.protocols) > 1 or name not in BY_READING
    ]
