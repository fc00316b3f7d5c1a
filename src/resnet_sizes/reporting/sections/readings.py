"""The readings of a study side by side: their numbers, their verdicts, and how far each is from
the article."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_sizes.i18n.numbers import decimal
from resnet_sizes.reporting.sections.discussion import ClaimVerdicts
from resnet_sizes.reporting.sections.results import Results
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.schemas.study.protocol import display_name


@dataclass(frozen=True)
class ReadingsTable:
    """One column a network, one row a reading; the article's own numbers come first."""

    models: list[str]
    rows: list[tuple[Safe, list[Safe]]]


def first_numbers(report: ReportContext) -> ReadingsTable:
    """The article's numbers and those of the first reading, ours first."""
    words, name = report.words, report.protocols[0]
    table = readings_table(report, [Results(report, name)])
    (article, printed), (_, ours) = table.rows
    form = "ours-of" if len(report.protocols) > 1 else "ours"
    label = words(f"readings-table.{form}", reading=code(name))
    return ReadingsTable(table.models, [(label, ours), (article, printed)])


def readings_table(report: ReportContext, results: Sequence[Results]) -> ReadingsTable:
    """Accuracy with minutes, the article's in the first row and then a row a reading."""
    values, words = report.values, report.words

    def cell(accuracy: str, digits: int | None, minutes: Safe) -> Safe:
        if not values.has(accuracy):
            return words("missing")
        shown = values.value(accuracy, digits)
        return words("readings-table.cell", accuracy=shown, minutes=minutes)

    def printed(model: str) -> Safe:
        minutes = f"article.{model}.minutes"
        if not values.has(minutes):
            return words("none")
        return cell(f"article.{model}.accuracy", 2, values.value(minutes))

    rows = [(words("readings-table.article"), [printed(model) for model in report.models])]
    for own in results:
        cells = [
            cell(
                f"{own.protocol}.{model}.accuracy.mean",
                None,
                report.cell(f"{own.protocol}.{model}.minutes.mean", without="missing"),
            )
            for model in report.models
        ]
        rows.append((code(own.protocol), cells))
    return ReadingsTable([display_name(model) for model in report.models], rows)


def verdicts_by_reading(
    report: ReportContext, claims: list[ClaimVerdicts]
) -> list[tuple[str, list[Safe]]]:
    """For each claim that data can test its verdicts from each reading; empty of a single
    reading, or where nothing could be judged."""
    testable = [item for item in claims if item.overall.verdict != "not-testable"]
    items = [item for item in testable if item.needs_data]
    if len(items[0].readings if items else ()) < 2:
        return []
    return [(item.claim.id, [report.verdict(v.verdict) for v in item.readings]) for item in items]


def changing(claims: list[ClaimVerdicts]) -> list[str]:
    """The claims whose verdict changes from one reading to the next."""
    return [item.claim.id for item in claims if item.overall.verdict == "depends-on-the-reading"]


def undecided_in_part(claims: list[ClaimVerdicts]) -> bool:
    """Whether verdicts differ, besides those that change, since a reading does not decide."""
    others = (item for item in claims if item.overall.verdict != "depends-on-the-reading")
    return any(len({verdict.verdict for verdict in item.readings}) > 1 for item in others)


@dataclass(frozen=True)
class DistanceTable:
    """One row a reading: accuracy (points), ratios of times (percent), orders of losses, ranks."""

    rows: list[tuple[Safe, list[Safe]]]
    nearest: Safe | None
    """The sentence that names the reading with the smallest sum of ranks."""


def distance_table(report: ReportContext) -> DistanceTable | None:
    """How far each of several readings is from the article; None of a single one."""
    verdicts, words = report.verdicts, report.words
    if not verdicts.distances:
        return None

    def number(place: str, value: float | None, digits: int) -> Safe:
        if value is None:
            return words("none")
        text = Safe(decimal(value, digits, report.language))
        return report.values.followed(f"distances.{place}", text)

    rows = []
    for index, each in enumerate(verdicts.distances):
        losses = words("none")
        if each.loss_order is not None:
            losses = words(
                "distances.losses",
                number=number(f"{index}.loss_order", each.loss_order, 0),
                all=number(f"{index}.loss_claims", each.loss_claims, 0),
            )
        cells = [
            number(f"{index}.accuracy_points", each.accuracy_points, 2),
            number(f"{index}.time_ratio", each.time_ratio, 3),
            losses,
            number(f"{index}.rank_sum", each.rank_sum, 1),
        ]
        rows.append((code(each.protocol), cells))
    nearest = None
    if verdicts.nearest:
        names = [code(name) for name in verdicts.nearest]
        nearest = words.counted("distances.nearest", len(names), names=words.listed(names))
    return DistanceTable(rows, nearest)
