"""The rules by which claims are judged: pure functions over the outcomes of one seed.

`holds` answers yes or no for rules about an order; `compared_value` gives the number that is
held against a printed one. Which rule a claim has is written in the article file.
"""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

from resnet_sizes.evidence.runs.measurements import SeedTable, increment_percent
from resnet_sizes.schemas.article.claims import (
    Cell,
    Claim,
    Conjunction,
    Decrease,
    Diminishing,
    Extreme,
    Increment,
    Ordering,
    ParetoKnee,
    Part,
    Ratio,
)


def compares_minutes(claim: Claim) -> bool:
    """Whether training times decide the claim, alone or with other quantities."""
    match claim:
        case ParetoKnee() | Ratio():
            return True
        case Ordering() | Extreme():
            return claim.quantity == "minutes"
        case Conjunction():
            return any(part.quantity == "minutes" for part in claim.parts)
        case Cell():
            return claim.column == "minutes"
        case _:
            return False


def holds(claim: Claim, table: SeedTable) -> bool:
    """Whether a claim about an order holds in one seed. Ties count against it."""
    return _RULES[claim.rule](claim, table)


def compared_value(claim: Cell | Increment, table: SeedTable, base: str) -> float | None:
    """Our number beside a printed one, in its unit (percent, minutes, layers).

    `base` is the model over which the table's increments are. None where an increment cannot
    be computed, since the base's accuracy is zero.
    """
    quantity: str
    over: str
    if isinstance(claim, Increment):
        quantity, over = claim.quantity, claim.base
    elif claim.column in ("layers_increment", "accuracy_increment"):
        quantity = "layers" if claim.column == "layers_increment" else "accuracy"
        over = base
    else:
        value: float = getattr(table[claim.model], claim.column)
        return value * 100 if claim.column == "accuracy" else value
    below: float = getattr(table[over], quantity)
    return increment_percent(getattr(table[claim.model], quantity), below) if below else None


def half_unit(printed: str) -> float:
    """Half a unit of the last printed digit: `80.84` gives 0.005, `41` gives 0.5."""
    exponent = Decimal(printed).as_tuple().exponent
    assert isinstance(exponent, int)  # the record allows no NaN or infinity
    return float(Decimal((0, (5,), exponent - 1)))


def prints_as(value: float, printed: str) -> bool:
    """Whether `value` is the printed number within its rounding."""
    return abs(value - float(printed)) <= half_unit(printed)


def _ordering(claim: Ordering | Ratio, table: SeedTable) -> bool:
    values = [getattr(table[model], claim.quantity) for model in claim.models]
    return all(low < high for low, high in pairwise(values))


def _extreme(claim: Extreme | Part, table: SeedTable) -> bool:
    own: float = getattr(table[claim.model], claim.quantity)
    others: list[float] = [
        getattr(table[model], claim.quantity) for model in claim.among if model != claim.model
    ]
    return own > max(others) if claim.extreme == "highest" else own < min(others)


def _decrease(claim: Decrease, table: SeedTable) -> bool:
    return all(table[model].loss_drop >= claim.at_least for model in claim.models)


def _diminishing(claim: Diminishing, table: SeedTable) -> bool:
    steps = [table[model] for model in claim.models]
    gains = [
        (deeper.accuracy - shallower.accuracy) / (deeper.layers - shallower.layers)
        for shallower, deeper in pairwise(steps)
    ]
    falls = all(later < earlier for earlier, later in pairwise(gains))
    return gains[0] > 0 and falls


def _pareto_knee(claim: ParetoKnee, table: SeedTable) -> bool:
    """No faster model is as accurate, and none between the ends is as far above the line.

    The line goes from the fastest to the slowest model; that is the knee of Satopää et al.
    ("Finding a 'Kneedle' in a haystack", ICDCS Workshops 2011), whatever the scales of the
    axes. A knee that is also more accurate than the slowest model has beaten it outright, and
    the fastest model is the best choice where it is the most accurate as well.
    """
    points = {model: (table[model].minutes, table[model].accuracy) for model in claim.among}
    own_minutes, own = points.pop(claim.model)
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


def _conjunction(claim: Conjunction, table: SeedTable) -> bool:
    return all(_extreme(part, table) for part in claim.parts)


_RULES: dict[str, Callable[[Any, SeedTable], bool]] = {
    "ordering": _ordering,
    "ratio": _ordering,  # how far the ratios are from the printed ones is a matter of degree
    "extreme": _extreme,
    "decrease": _decrease,
    "diminishing": _diminishing,
    "pareto-knee": _pareto_knee,
    "conjunction": _conjunction,
}
