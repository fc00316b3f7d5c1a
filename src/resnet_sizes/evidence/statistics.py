"""Statistics over the seeds of one model."""

import math
from collections.abc import Sequence
from statistics import mean, stdev

from scipy import stats

CONFIDENCE = 0.95


def prediction_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The interval in which one further run is expected, `(low, high)` in the values' unit.

    mean ± t · s · √(1 + 1/n), with Student's t at n − 1 degrees of freedom: exact for one
    further draw from the same normal distribution (Hahn and Meeker, Statistical Intervals,
    1991, section 4.7). None with fewer than two values, since they show no spread.
    """
    count = len(values)
    if count < 2:
        return None
    quantile = float(stats.t.ppf(0.5 + confidence / 2, df=count - 1))
    half = quantile * stdev(values) * math.sqrt(1 + 1 / count)
    return mean(values) - half, mean(values) + half
