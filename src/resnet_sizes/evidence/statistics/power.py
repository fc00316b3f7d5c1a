"""How many seeds would settle what too few leave open."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

from scipy import special

from resnet_sizes.evidence.statistics.tests import variance_of_sum
from resnet_sizes.schemas.evidence.verdicts import MOST_SEEDS


def seeds_for_contrast(
    effect: float,
    variances: Sequence[float],
    further: tuple[float, float] | None,
    level: float,
    power: float,
    fewest: int = 2,
) -> int | None:
    """Seeds a model with which a one-sided t-test at `level` finds `effect` with `power`.

    `variances` are what one seed of each model adds to the variance of the contrast, in the
    effect's unit squared; `further`, with its degrees of freedom, does not shrink with more
    seeds (that of the test images). Power is that of the noncentral t distribution with
    Satterthwaite's degrees of freedom, as the test has them. At least `fewest`; None where
    `MOST_SEEDS` would not do.
    """

    def is_enough(seeds: int) -> bool:
        parts = [(variance / seeds, seeds - 1.0) for variance in variances]
        if further is not None:
            parts.append(further)
        total, freedom = variance_of_sum(parts)
        if total == 0:
            return effect > 0
        critical = -float(special.stdtrit(freedom, level))
        ratio = effect / math.sqrt(total)
        # Beyond this the noncentral distribution is all on one side, and scipy's underflows.
        if ratio - critical > 10:
            return True
        return 1 - float(special.nctdtr(freedom, ratio, critical)) >= power

    return _smallest(is_enough, fewest)


def seeds_for_prediction(
    deviation: float, half_width: float, confidence: float, fewest: int = 2
) -> int | None:
    """Seeds with which a prediction interval reaches no farther than `half_width` to each side.

    `deviation` is the standard deviation between runs, in the same unit.
    """

    def is_enough(seeds: int) -> bool:
        quantile = float(special.stdtrit(seeds - 1, 0.5 + confidence / 2))
        return quantile * deviation * math.sqrt(1 + 1 / seeds) <= half_width

    return _smallest(is_enough, fewest)


def _smallest(is_enough: Callable[[int], bool], fewest: int) -> int | None:
    """The smallest number from `fewest` to `MOST_SEEDS` that is enough, if more never is less."""
    numbers = range(fewest, MOST_SEEDS + 1)
    position = bisect_left(numbers, True, key=is_enough)
    return numbers[position] if position < len(numbers) else None
