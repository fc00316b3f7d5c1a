"""The article's table against itself: increments, accuracies as proportions, returns of depth."""

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations, pairwise

from scipy import special

from resnet_sizes.evidence.statistics.tests import two_proportion_test, wilson_interval
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import TableRow, half_unit, overlap
from resnet_sizes.schemas.article.columns import COLUMNS
from resnet_sizes.schemas.evidence import audit as records
from resnet_sizes.schemas.study.networks import depth_of

Range = tuple[Decimal, Decimal]

Shares = dict[str, float]
"""Proportions of the test images by network."""

SIGNIFICANT = float(special.ndtri(0.975))


def printed_range(text: str) -> Range:
    """All numbers that round to a printed one, ties included: `3` is 2.5 to 3.5."""
    number, rounding = Decimal(text), half_unit(text)
    return number - rounding, number + rounding


def read_increments(article: Article) -> list[records.IncrementReading]:
    """Every printed increment over the table's first row of what the table has in both rows."""
    return [
        found
        for row in article.table[1:]
        for column in row.cells
        if COLUMNS[column].over_base and (found := _read(column, row, article.table[0]))
    ]


def read_columns(increments: list[records.IncrementReading]) -> Iterator[records.ColumnReading]:
    """What fits all increments of a column; a column without any is left out."""
    for column in COLUMNS:
        if kinds := {item.fits for item in increments if item.column == column}:
            fits = _kind(kinds <= {"relative", "both"}, kinds <= {"points", "both"})
            yield records.ColumnReading(column=column, fits=fits)


def _read(column: str, row: TableRow, base: TableRow) -> records.IncrementReading | None:
    """A printed increment against the numbers of both rows, and all that round to them."""
    held, printed = COLUMNS[column], row.cells.get(column)
    texts = [each.cells.get(held.quantity) for each in (base, row)]
    if printed is None or texts[0] is None or texts[1] is None:
        return None
    first, second = Decimal(texts[0]), Decimal(texts[1])
    firsts, seconds = printed_range(texts[0]), printed_range(texts[1])
    if held.by_definition:  # counted, so not rounded
        firsts, seconds = (first, first), (second, second)
    wanted = printed_range(printed)
    points = (seconds[0] - firsts[1], seconds[1] - firsts[0])
    # Over a larger base a negative second value is nearer to zero.
    ends = [(s / f - 1) * 100 for s in seconds for f in firsts] if firsts[0] > 0 else []
    return records.IncrementReading(
        column=column,
        model=row.model,
        base=base.model,
        printed=printed,
        relative=float((second / first - 1) * 100) if ends else None,
        relative_range=(float(min(ends)), float(max(ends))) if ends else None,
        points=float(second - first),
        points_range=(float(points[0]), float(points[1])),
        fits=_kind(bool(ends) and overlap(wanted, (min(ends), max(ends))), overlap(wanted, points)),
    )


def _kind(relative: bool, points: bool) -> records.IncrementKind:
    if relative:
        return "both" if points else "relative"
    return "points" if points else "neither"


def usable_rows(article: Article) -> list[TableRow]:
    """The rows with an accuracy, or an error, that is a proportion."""
    return [row for row in article.table if 0 <= row.percent_right <= 100]


def shares_of(rows: Sequence[TableRow], measure: str) -> Shares:
    """The printed accuracies, or the errors, as proportions."""
    return {row.model: abs(100 * (measure == "error") - row.percent_right) / 100 for row in rows}


def accuracy_intervals(shares: Shares, images: int) -> Iterator[records.AccuracyInterval]:
    """Binomial standard error and Wilson interval of each accuracy, or error, in percent."""
    for model, share in shares.items():
        low, high = wilson_interval(share * images, images)
        yield records.AccuracyInterval(
            model=model,
            accuracy=share * 100,
            standard_error=math.sqrt(_variance(share, images)) * 100,
            low=low * 100,
            high=high * 100,
        )


def accuracy_pairs(
    shares: Shares, images: int, deviations: Sequence[float]
) -> Iterator[records.AccuracyPair]:
    """Every pair of accuracies, or errors, tested as independent proportions of `images` each."""
    for (model, first), (other, second) in combinations(shares.items(), 2):
        difference = second - first
        sampling = _variance(first, images) + _variance(second, images)
        z, p = two_proportion_test(first, second, images)
        # Two independent runs: z = d / sqrt(sampling + 2 s²), which is solved for s at z = 1.96.
        spare = ((difference / SIGNIFICANT) ** 2 - sampling) / 2
        variances = [(each, sampling + 2 * (each / 100) ** 2) for each in deviations]
        yield records.AccuracyPair(
            first=model,
            second=other,
            difference=difference * 100,
            z=z if math.isfinite(z) else None,
            p=p,
            vanishing_deviation=math.sqrt(spare) * 100 if spare > 0 else None,
            with_deviations=[
                records.DeviationEffect(deviation=each, z=difference / math.sqrt(total))
                for each, total in variances
            ],
        )


def _variance(share: float, images: int) -> float:
    return share * (1 - share) / images


def printed_minutes(row: TableRow) -> float | None:
    """The printed minutes, where there are any above zero."""
    minutes = float(row.cells.get("minutes") or 0)
    return minutes if minutes > 0 else None


def returns_of_steps(rows: Sequence[TableRow]) -> records.Returns:
    """Each step from a network to the next in the article's own order, by all yardsticks. Only
    what is a gain at every step can diminish."""
    steps = list(pairwise(rows))
    gains = [b.percent_right - a.percent_right for a, b in steps]
    minutes = [(printed_minutes(a), printed_minutes(b)) for a, b in steps]
    # By which each gain is divided; the error that there was, in percent, may be none.
    costs: dict[records.YardstickName, list[float]] = {
        "points-per-layer": [depth_of(b.model) - depth_of(a.model) for a, b in steps],
        "points-per-minute": [b - a if a and b else 0 for a, b in minutes],
        "error-reduction": [100 - a.percent_right for a, _ in steps],
    }
    yardsticks = []
    for name, of_steps in costs.items():
        unit = 100 if name == "error-reduction" else 1
        values = [g / c * unit if c > 0 else None for g, c in zip(gains, of_steps, strict=True)]
        known = [value for value in values if value is not None]
        falling = all(later < earlier for earlier, later in pairwise(known))
        falls = falling if len(known) == len(steps) > 1 and min(gains) > 0 else None
        yardsticks.append(records.Yardstick(name=name, values=values, falls=falls))
    return records.Returns(steps=[(a.model, b.model) for a, b in steps], yardsticks=yardsticks)
