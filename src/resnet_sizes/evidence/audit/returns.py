"""Diminishing returns: three yardsticks for what further layers bring."""

import itertools
from collections.abc import Sequence

from resnet_sizes.schemas.article.claims.base import TableRow
from resnet_sizes.schemas.evidence.audit import Returns, Yardstick


def printed_minutes(row: TableRow) -> float | None:
    """The printed minutes, where there are any above zero."""
    if not row.minutes or float(row.minutes) <= 0:
        return None
    return float(row.minutes)


def returns_of_depth(rows: Sequence[TableRow]) -> Returns:
    """Each step from a network to the next deeper one, by all yardsticks."""
    ordered = sorted(rows, key=lambda row: row.layers)
    steps = list(itertools.pairwise(ordered))
    yardsticks = [
        _yardstick("points-per-layer", [_per_layer(*step) for step in steps]),
        _yardstick("points-per-minute", [_per_minute(*step) for step in steps]),
        _yardstick("error-reduction", [_error_reduction(*step) for step in steps]),
    ]
    return Returns(steps=[(a.model, b.model) for a, b in steps], yardsticks=yardsticks)


def _yardstick(name: str, values: list[float | None]) -> Yardstick:
    known = [value for value in values if value is not None]
    falls = None
    if len(values) > 1 and len(known) == len(values):
        falls = all(later < earlier for earlier, later in itertools.pairwise(known))
    return Yardstick.model_validate({"name": name, "values": values, "falls": falls})


def _gain(first: TableRow, second: TableRow) -> float:
    return float(second.accuracy) - float(first.accuracy)


def _per_layer(first: TableRow, second: TableRow) -> float | None:
    added = second.layers - first.layers
    return _gain(first, second) / added if added > 0 else None


def _per_minute(first: TableRow, second: TableRow) -> float | None:
    before, after = printed_minutes(first), printed_minutes(second)
    if before is None or after is None or after <= before:
        return None
    return _gain(first, second) / (after - before)


def _error_reduction(first: TableRow, second: TableRow) -> float | None:
    """Percent of the first error that is gone; no error cannot be reduced."""
    error = 100 - float(first.accuracy)
    return _gain(first, second) / error * 100 if error > 0 else None
