"""Intervals and tests of single proportions, such as an accuracy on so many test images."""

import math

from scipy import stats


def wilson_interval(successes: float, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion, `(low, high)` as fractions.

    It stays within 0…1 and keeps its coverage near both ends (Wilson, Journal of the American
    Statistical Association 22, 1927). `successes` may be a mean count over several runs.
    """
    share = successes / trials
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    spread = z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def two_proportion_test(first: float, second: float, trials: int) -> tuple[float, float]:
    """Two independent proportions of equally many trials: `(z, two-sided p)`.

    z is the difference over its unpooled standard error.
    """
    variance = (first * (1 - first) + second * (1 - second)) / trials
    if variance == 0:
        return (0.0, 1.0) if first == second else (math.copysign(math.inf, second - first), 0.0)
    z = (second - first) / math.sqrt(variance)
    return z, 2 * float(stats.norm.sf(abs(z)))
