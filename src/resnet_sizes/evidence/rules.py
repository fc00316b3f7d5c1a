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
    """No faster model is as accurate, and none between the ends is as far above the line.

    The line goes from the fastest to the slowest model; that is the knee of Satopää et al.
    ("Finding a 'Kneedle' in a haystack", ICDCS Workshops 2011), whatever the scales of the
    axes. A knee that is also more accurate than the slowest model has beaten it outright, and
    the fastest model is the best choice where it is the most accurate as well.
    """
    points = {model: (table[model].minutes, table[model].accuracy) for model in statement.among}
    own_minutes, own = points.pop(statement.model)
    cheap, dear = min(points.values()), max(points.values())
    if own_minutes <= cheap[0]:
        return own > max(accuracy for _, accuracy in points.values())
    if own_minutes >= dear[0]:
        return False
    slope = (dear[1] - cheap[1]) / (dear[0] - cheap[0])

    def height(minutes: float, accuracy: float) -> float:
        return accuracy - cheap[1] - slope * (minutes - cheap[0])

    faster = [accuracy for minutes, accuracy in points.values() if minutes <= own_minutes]
    between = [height(*point) for point in points.values() if point not in (cheap, dear)]
    return own > max(faster) and height(own_minutes, own) > max([0.0, *between])


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
