"""The rules by which statements are judged: pure functions over the outcomes of one seed.

`holds` answers yes or no for rules about an order; `compared_value` gives the number that is
held against a printed one. Which rule a statement has is written in the ledger.
"""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from resnet_sizes.evidence.measurements import SeedTable, increment_percent
from resnet_sizes.records.statements import (
    Cell,
    Conjunction,
    Decrease,
    Diminishing,
    Extreme,
    Increment,
    Ordering,
    ParetoKnee,
    Part,
    Ratio,
    Statement,
)


def compares_minutes(statement: Statement) -> bool:
    """Whether training times decide the statement, alone or with other quantities."""
    match statement:
        case ParetoKnee() | Ratio():
            return True
        case Ordering() | Extreme():
            return statement.quantity == "minutes"
        case Conjunction():
            return any(part.quantity == "minutes" for part in statement.parts)
        case Cell():
            return statement.column == "minutes"
        case _:
            return False


def holds(statement: Statement, table: SeedTable) -> bool:
    """Whether a statement about an order holds in one seed. Ties count against it."""
    return _RULES[statement.rule](statement, table)


def compared_value(statement: Cell | Increment, table: SeedTable, base: str) -> float | None:
    """Our number beside a printed one, in its unit (percent, minutes, layers).

    `base` is the model over which the table's increments are. None where an increment cannot
    be computed, since the base's accuracy is zero.
    """
    quantity: str
    over: str
    if isinstance(statement, Increment):
        quantity, over = statement.quantity, statement.base
    elif statement.column in ("layers_increment", "accuracy_increment"):
        quantity = "layers" if statement.column == "layers_increment" else "accuracy"
        over = base
    else:
        value: float = getattr(table[statement.model], statement.column)
        return value * 100 if statement.column == "accuracy" else value
    below: float = getattr(table[over], quantity)
    return increment_percent(getattr(table[statement.model], quantity), below) if below else None


def half_unit(printed: str) -> float:
    """Half a unit of the last printed digit: `80.84` gives 0.005, `41` gives 0.5."""
    exponent = Decimal(printed).as_tuple().exponent
    assert isinstance(exponent, int)  # the record allows no NaN or infinity
    return float(Decimal((0, (5,), exponent - 1)))


def prints_as(value: float, printed: str) -> bool:
    """Whether `value` is the printed number within its rounding."""
    return abs(value - float(printed)) <= half_unit(printed)


def _ordering(statement: Ordering | Ratio, table: SeedTable) -> bool:
    values = [getattr(table[model], statement.quantity) for model in statement.models]
    return all(low < high for low, high in pairwise(values))


def _extreme(statement: Extreme | Part, table: SeedTable) -> bool:
    own: float = getattr(table[statement.model], statement.quantity)
    others: list[float] = [
        getattr(table[model], statement.quantity)
        for model in statement.among
        if model != statement.model
    ]
    return own > max(others) if statement.extreme == "highest" else own < min(others)


def _decrease(statement: Decrease, table: SeedTable) -> bool:
    return all(table[model].loss_drop >= statement.at_least for model in statement.models)


def _diminishing(statement: Diminishing, table: SeedTable) -> bool:
    steps = [table[model] for model in statement.models]
    gains = [
        (deeper.accuracy - shallower.accuracy) / (deeper.layers - shallower.layers)
        for shallower, deeper in pairwise(steps)
    ]
    falls = all(later < earlier for earlier, later in pairwise(gains))
    return gains[0] > 0 and falls


def _pareto_knee(statement: ParetoKnee, table: SeedTable) -> bool:
    """On the front, and strictly the farthest above the chord between its two ends.

    Distances are measured upwards (in accuracy): for one chord they are in the same order as
    perpendicular ones, whatever the scales of the axes.
    """
    points: dict[str, tuple[float, float]] = {
        model: (table[model].minutes, table[model].accuracy) for model in statement.among
    }
    front = {model: point for model, point in points.items() if not _dominated(point, points)}
    if statement.model not in front:
        return False
    (cheap_minutes, low), (dear_minutes, high) = min(front.values()), max(front.values())
    if front[statement.model][0] in (cheap_minutes, dear_minutes):
        return False  # an end of the line; its distance would be zero but for rounding
    slope = (high - low) / (dear_minutes - cheap_minutes)
    above = {
        model: accuracy - low - slope * (minutes - cheap_minutes)
        for model, (minutes, accuracy) in front.items()
    }
    own = above.pop(statement.model)
    return own > max([0.0, *above.values()])


def _dominated(point: tuple[float, float], points: dict[str, tuple[float, float]]) -> bool:
    minutes, accuracy = point
    return any(
        other != point and other[0] <= minutes and other[1] >= accuracy for other in points.values()
    )


def _conjunction(statement: Conjunction, table: SeedTable) -> bool:
    return all(_extreme(part, table) for part in statement.parts)


_RULES: dict[str, Callable[[Any, SeedTable], bool]] = {
    "ordering": _ordering,
    "ratio": _ordering,  # how far the ratios are from the printed ones is a matter of degree
    "extreme": _extreme,
    "decrease": _decrease,
    "diminishing": _diminishing,
    "pareto-knee": _pareto_knee,
    "conjunction": _conjunction,
}
