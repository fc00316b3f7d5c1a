"""How many seeds would settle what too few leave open."""

import math
from collections.abc import Callable

from scipy import special

MOST_SEEDS = 1000
"""What needs more is said to be out of reach."""


def seeds_for_contrast(
    effect: float, variance: float, models: int, further: float, level: float, power: float
) -> int | None:
    """Seeds a model with which a one-sided t-test at `level` finds `effect` with `power`.

    `variance` is what one seed a model leaves to the contrast, in the effect's unit squared;
    `further` does not shrink with more seeds (that of the test images). Power is that of the
    noncentral t distribution, with models · (n − 1) degrees of freedom. None where
    `MOST_SEEDS` would not do.
    """

    def is_enough(seeds: int) -> bool:
        error = math.sqrt(variance / seeds + further)
        if error == 0:
            return effect > 0
        freedom = models * (seeds - 1)
        critical = -float(special.stdtrit(freedom, level))
        ratio = effect / error
        # Beyond this the noncentral distribution is all on one side, and scipy's underflows.
        if ratio - critical > 10:
            return True
        return 1 - float(special.nctdtr(freedom, ratio, critical)) >= power

    return _smallest(is_enough)


def seeds_for_prediction(deviation: float, half_width: float, confidence: float) -> int | None:
    """Seeds with which a prediction interval reaches no farther than `half_width` to each side.

    `deviation` is the standard deviation between runs, in the same unit.
    """

    def is_enough(seeds: int) -> bool:
        quantile = float(special.stdtrit(seeds - 1, 0.5 + confidence / 2))
        return quantile * deviation * math.sqrt(1 + 1 / seeds) <= half_width

    return _smallest(is_enough)


def _smallest(is_enough: Callable[[int], bool]) -> int | None:
    """The smallest number from 2 on that is enough, if more never is less."""
    low, high = 1, 2
    while not is_enough(high):
        if high >= MOST_SEEDS:
            return None
        low, high = high, min(2 * high, MOST_SEEDS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
