"""Printed increments, and which way of reading them gives the printed text."""

from decimal import Decimal

from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import TableRow
from resnet_sizes.schemas.evidence.audit import ColumnReading, IncrementKind, IncrementReading

Range = tuple[Decimal, Decimal]

COLUMNS = ("layers_increment", "accuracy_increment")


def printed_range(text: str) -> Range:
    """All numbers that round to a printed one, ties included: `3` is 2.5 to 3.5."""
    number = Decimal(text)
    exponent = number.as_tuple().exponent
    half = Decimal(5).scaleb(int(exponent) - 1)
    return number - half, number + half


def read_increments(article: Article) -> list[IncrementReading]:
    """Every printed increment of the table over its first row."""
    base = article.table[0]
    found = []
    for row in article.table[1:]:
        if row.layers_increment is not None:
            layers = (Decimal(base.layers), Decimal(row.layers))
            exact = ((layers[0], layers[0]), (layers[1], layers[1]))
            found.append(_read("layers_increment", row, base, layers, exact))
        if row.accuracy_increment is not None:
            values = (Decimal(base.accuracy), Decimal(row.accuracy))
            ranges = (printed_range(base.accuracy), printed_range(row.accuracy))
            found.append(_read("accuracy_increment", row, base, values, ranges))
    return found


def read_columns(increments: list[IncrementReading]) -> list[ColumnReading]:
    """What fits all increments of a column; a column without any is left out."""
    columns = []
    for column in COLUMNS:
        kinds = [item.fits for item in increments if item.column == column]
        if kinds:
            relative = all(kind in ("relative", "both") for kind in kinds)
            points = all(kind in ("points", "both") for kind in kinds)
            columns.append(
                ColumnReading.model_validate({"column": column, "fits": _kind(relative, points)})
            )
    return columns


def _read(
    column: str,
    row: TableRow,
    base: TableRow,
    values: tuple[Decimal, Decimal],
    ranges: tuple[Range, Range],
) -> IncrementReading:
    first, second = values
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
        relative_range is not None and _overlap(wanted, relative_range),
        _overlap(wanted, points_range),
    )
    return IncrementReading.model_validate(
        {
            "column": column,
            "model": row.model,
            "base": base.model,
            "printed": printed,
            "relative": None if relative is None else float(relative),
            "relative_range": None if relative_range is None else _floats(relative_range),
            "points": float(second - first),
            "points_range": _floats(points_range),
            "fits": fits,
        }
    )


def _kind(relative: bool, points: bool) -> IncrementKind:
    if relative and points:
        return "both"
    if relative:
        return "relative"
    return "points" if points else "neither"


def _overlap(first: Range, second: Range) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]


def _floats(ends: Range) -> tuple[float, float]:
    return float(ends[0]), float(ends[1])
