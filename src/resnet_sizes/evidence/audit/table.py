"""The article's table against itself: increments, accuracies as proportions, returns of depth."""

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations, pairwise
from typing import get_args

from scipy import special

from resnet_sizes.evidence.statistics.tests import two_proportion_test, wilson_interval
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import TableRow, half_unit, overlap
from resnet_sizes.schemas.evidence.audit import (
    AccuracyInterval,
    AccuracyPair,
    ColumnReading,
    DeviationEffect,
    IncrementColumn,
    IncrementKind,
    IncrementReading,
    Returns,
    Yardstick,
    YardstickName,
)

Range = tuple[Decimal, Decimal]


def printed_range(text: str) -> Range:
    """All numbers that round to a printed one, ties included: `3` is 2.5 to 3.5."""
    number, rounding = Decimal(text), half_unit(text)
    return number - rounding, number + rounding


def read_increments(article: Article) -> list[IncrementReading]:
    """Every printed increment of the table over its first row."""
    base = article.table[0]
    return [
        _read(column, row, base)
        for row in article.table[1:]
        for column in get_args(IncrementColumn)
        if getattr(row, column) is not None
    ]


def read_columns(increments: list[IncrementReading]) -> list[ColumnReading]:
    """What fits all increments of a column; a column without any is left out."""
    columns = []
    for column in get_args(IncrementColumn):
        kinds = [item.fits for item in increments if item.column == column]
        if kinds:
            relative = all(kind in ("relative", "both") for kind in kinds)
            points = all(kind in ("points", "both") for kind in kinds)
            columns.append(ColumnReading(column=column, fits=_kind(relative, points)))
    return columns


def _read(column: IncrementColumn, row: TableRow, base: TableRow) -> IncrementReading:
    if column == "layers_increment":  # counted, so not rounded
        first, second = Decimal(base.layers), Decimal(row.layers)
        ranges = ((first, first), (second, second))
    else:
        first, second = Decimal(base.accuracy), Decimal(row.accuracy)
        ranges = (printed_range(base.accuracy), printed_range(row.accuracy))
    (first_low, first_high), (second_low, second_high) = ranges
    printed: str = getattr(row, column)
    points_range = (second_low - first_high, second_high - first_low)
    relative = relative_range = None
    if first_low > 0:
        relative = (second / first - 1) * 100
        # Over a larger base a negative second value is nearer to zero.
        ends = [(s / f - 1) * 100 for s in ranges[1] for f in ranges[0]]
        relative_range = (min(ends), max(ends))
    wanted = printed_range(printed)
    fits = _kind(
        relative_range is not None and overlap(wanted, relative_range),
        overlap(wanted, points_range),
    )
    return IncrementReading(
        column=column,
        model=row.model,
        base=base.model,
        printed=printed,
        relative=None if relative is None else float(relative),
        relative_range=None if relative_range is None else _floats(relative_range),
        points=float(second - first),
        points_range=_floats(points_range),
        fits=fits,
    )


def _kind(relative: bool, points: bool) -> IncrementKind:
    if relative and points:
        return "both"
    if relative:
        return "relative"
    return "points" if points else "neither"


def _floats(ends: Range) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])


SIGNIFICANT = float(special.ndtri(0.975))


def usable_rows(article: Article) -> list[TableRow]:
    """The rows whose accuracy is a proportion."""
    return [row for row in article.table if 0 <= float(row.accuracy) <= 100]


def accuracy_intervals(rows: Sequence[TableRow], images: int) -> list[AccuracyInterval]:
    """Binomial standard error and Wilson interval of each accuracy, in percent."""
    found = []
    for row in rows:
        share = float(row.accuracy) / 100
        low, high = wilson_interval(share * images, images)
        found.append(
            AccuracyInterval(
                model=row.model,
                accuracy=share * 100,
                standard_error=math.sqrt(_variance(share, images)) * 100,
                low=low * 100,
                high=high * 100,
            )
        )
    return found


def accuracy_pairs(
    rows: Sequence[TableRow], images: int, deviations: Sequence[float]
) -> list[AccuracyPair]:
    """Every pair of accuracies, tested as independent proportions of `images` each."""
    return [_pair(*pair, images, deviations) for pair in combinations(rows, 2)]


def _pair(
    first: TableRow, second: TableRow, images: int, deviations: Sequence[float]
) -> AccuracyPair:
    shares = [float(row.accuracy) / 100 for row in (first, second)]
    difference = shares[1] - shares[0]
    sampling = sum(_variance(share, images) for share in shares)
    z, p = two_proportion_test(shares[0], shares[1], images)
    # Two independent runs: z = d / sqrt(sampling + 2 s²), which is solved for s at z = 1.96.
    spare = ((difference / SIGNIFICANT) ** 2 - sampling) / 2
    return AccuracyPair(
        first=first.model,
        second=second.model,
        difference=difference * 100,
        z=z if math.isfinite(z) else None,
        p=p,
        vanishing_deviation=math.sqrt(spare) * 100 if spare > 0 else None,
        with_deviations=[
            DeviationEffect(
                deviation=deviation,
                z=difference / math.sqrt(sampling + 2 * (deviation / 100) ** 2),
            )
            for deviation in deviations
        ],
    )


def _variance(share: float, images: int) -> float:
    return share * (1 - share) / images


def printed_minutes(row: TableRow) -> float | None:
    """The printed minutes, where there are any above zero."""
    return float(row.minutes) if float(row.minutes) > 0 else None


def returns_of_depth(rows: Sequence[TableRow]) -> Returns:
    """Each step from a network to the next deeper one, by all yardsticks."""
    steps = list(pairwise(sorted(rows, key=lambda row: row.layers)))
    yardsticks = [
        _yardstick("points-per-layer", [_return(a, b, b.layers - a.layers) for a, b in steps]),
        _yardstick("points-per-minute", [_return(a, b, _more_minutes(a, b)) for a, b in steps]),
        # In percent; no error cannot be reduced.
        _yardstick(
            "error-reduction", [_return(a, b, 100 - float(a.accuracy), 100) for a, b in steps]
        ),
    ]
    return Returns(steps=[(a.model, b.model) for a, b in steps], yardsticks=yardsticks)


def _yardstick(name: YardstickName, values: list[float | None]) -> Yardstick:
    known = [value for value in values if value is not None]
    falls = None
    if len(values) > 1 and len(known) == len(values):
        falls = all(later < earlier for earlier, later in pairwise(known))
    return Yardstick(name=name, values=values, falls=falls)


def _return(first: TableRow, second: TableRow, cost: float, unit: float = 1) -> float | None:
    """The gain in accuracy for a cost; None where there is no cost."""
    gain = float(second.accuracy) - float(first.accuracy)
    return gain / cost * unit if cost > 0 else None


def _more_minutes(first: TableRow, second: TableRow) -> float:
    before, after = printed_minutes(first), printed_minutes(second)
    return 0.0 if before is None or after is None else after - before
