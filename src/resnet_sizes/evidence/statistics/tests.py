"""Intervals, tests, and how many seeds they need, without any knowledge of claims.

Numbers of seeds are small, so what is over seeds rests on Student's t; accuracies alone are
proportions of so many test images. Each formula has its source at its function.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import mean, stdev, variance
from typing import TypeVar

from scipy import special  # the functions behind scipy.stats, without its checks' cost

from resnet_sizes.schemas.article.claims.base import MOST_SEEDS
from resnet_sizes.schemas.evidence.verdicts import CONFIDENCE

K = TypeVar("K", bound=Hashable)

Variance = tuple[float, float]
"""A variance with its degrees of freedom."""


def prediction_interval(
    values: Sequence[float], counts: Sequence[int] = (), confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The interval in which one further run is expected, `(low, high)` in the values' unit.

    mean ± t · s · √(1 + 1/n), with Student's t at n − 1 degrees of freedom: exact for one
    further draw from the same normal distribution (Hahn and Meeker, Statistical Intervals,
    1991, section 4.7). Where `counts` are of several origins, of a further one (`over_origins`).
    None with fewer than two values, since they show no spread.
    """
    count = len(values)
    if count < 2:
        return None
    if len(counts) > 1:
        of_mean, of_one, freedom = over_origins([Sample(1.0, values, counts)])
        return Contrast(mean(values), math.sqrt(of_mean + of_one), freedom).interval(confidence)
    quantile = float(special.stdtrit(count - 1, 0.5 + confidence / 2))
    half = quantile * stdev(values) * math.sqrt(1 + 1 / count)
    return mean(values) - half, mean(values) + half


def further_run_p(
    values: Sequence[float],
    low: float,
    high: float,
    rounding: float = 0.0,
    counts: Sequence[int] = (),
) -> float:
    """Two-sided p-value that a number from `low` to `high` is one further run (two values on).

    The number's rounding counts for it: the nearest of what it may stand for is tested. So does
    that of the values, `rounding` being its standard deviation: a few that happen to be equal do
    not make another one impossible.
    """
    count = len(values)
    away = max(low - mean(values), mean(values) - high, 0.0)
    error, freedom = math.hypot(stdev(values), rounding) * math.sqrt(1 + 1 / count), count - 1.0
    if len(counts) > 1:
        of_mean, of_one, freedom = over_origins([Sample(1.0, values, counts)])
        error = math.sqrt(of_mean + of_one + rounding**2 * (1 + 1 / count))
    return min(1.0, 2 * _upper_tail(away, error, freedom))


def outlying(values: Sequence[float], step: float = 0.0, level: float = 0.01) -> list[int]:
    """The positions of values that lie too far from the rest to be normal; empty below three.
    Normal values are suspected as rarely as `level` says.

    Grubbs' two-sided test: G = max |x − mean| / s is compared with
    (n − 1)/√n · √(t² / (n − 2 + t²)), where t is the upper level/(2n) quantile of Student's t at
    n − 2 degrees of freedom (Grubbs, Technometrics 11, 1969). It is repeated without what it
    finds; two outliers among few values can hide each other. Values that are multiples of `step`
    have the variance of that rounding (step² / 12) added: two seeds that happen to agree make no
    outlier of a third. From three values only an extreme one can be told.
    """
    kept = list(range(len(values)))
    while (count := len(kept)) >= 3:
        rest = [values[position] for position in kept]
        middle, spread = mean(rest), math.sqrt(variance(rest) + step**2 / 12)
        farthest = max(kept, key=lambda position: abs(values[position] - middle))
        t = float(special.stdtrit(count - 2, 1 - level / (2 * count)))
        critical = (count - 1) / math.sqrt(count) * math.sqrt(t**2 / (count - 2 + t**2))
        if abs(values[farthest] - middle) <= critical * spread:
            break
        kept.remove(farthest)
    return [position for position in range(len(values)) if position not in kept]


@dataclass(frozen=True)
class Sample:
    """A quantity of one model in several runs, with which weight it enters a comparison."""

    weight: float
    values: Sequence[float]
    counts: Sequence[int] = ()
    """How many of the values, in this order, come from each origin; of one it may be empty."""

    @property
    def by_origin(self) -> list[Sequence[float]]:
        """The values of each origin."""
        ends = list(accumulate(self.counts or [len(self.values)]))
        return [self.values[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    @property
    def variance(self) -> float:
        """What one value, of two on, adds to the variance of the comparison: within its origin."""
        if len(self.counts) <= 1:
            return self.weight**2 * variance(self.values)
        squares = sum((each - mean(own)) ** 2 for own in self.by_origin for each in own)
        # Where each origin has one value, all of the spread is between them.
        return self.weight**2 * squares / max(1, len(self.values) - len(self.counts))


def over_origins(samples: Sequence[Sample]) -> tuple[float, float, float]:
    """Of Σ weight · mean, where runs come from several origins, such as laboratories, in equal
    numbers in all samples: its variance, that of one value of a further origin, and the degrees of
    freedom of both.

    One-way random effects: what an origin adds to the sum is drawn anew for each. Its variance is
    estimated by moments, for unequal numbers (Searle, Casella and McCulloch, Variance Components,
    1992, section 3.6), and is never below zero. The degrees of freedom are those of the origins,
    however many runs they have: exact for equal numbers (the t-test on the means of the origins),
    and on the safe side where the estimate is zero.
    """
    counts, within = samples[0].counts, sum(sample.variance for sample in samples)
    total, freedom = sum(counts), len(counts) - 1.0
    means = [[sample.weight * mean(own) for own in sample.by_origin] for sample in samples]
    sums = [sum(of_origin) for of_origin in zip(*means, strict=True)]
    middle = sum(n * each for n, each in zip(counts, sums, strict=True)) / total
    between = sum(n * (each - middle) ** 2 for n, each in zip(counts, sums, strict=True)) / freedom
    uneven = sum(n**2 for n in counts) / total
    of_origin = max(0.0, (between - within) * freedom / (total - uneven))
    return (of_origin * uneven + within) / total, of_origin + within, freedom


@dataclass(frozen=True)
class Contrast:
    """A weighted sum of means of independent samples, less a threshold."""

    estimate: float
    error: float
    """Its standard error, in the same unit."""
    freedom: float
    """Degrees of freedom of the error."""

    @property
    def p_positive(self) -> float:
        """One-sided p-value against "at most zero": small where it is above."""
        return _upper_tail(self.estimate, self.error, self.freedom)

    @property
    def p_negative(self) -> float:
        """One-sided p-value against "at least zero": small where it is below."""
        return _upper_tail(-self.estimate, self.error, self.freedom)

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """A two-sided confidence interval, `(low, high)`."""
        half = float(special.stdtrit(self.freedom, 0.5 + confidence / 2)) * self.error
        return self.estimate - half, self.estimate + half


def contrast(
    samples: Sequence[Sample], threshold: float = 0.0, further: Sequence[Variance] = ()
) -> Contrast:
    """Σ weight · mean − threshold, from two values per sample on.

    Welch's test for any weights: variances are not pooled, and the degrees of freedom are
    Satterthwaite's (Biometrics Bulletin 2, 1946). Of several origins, the variance is that of
    `over_origins`. `further` are more components of it, such as that of the test images.
    """
    counted = [(sample.variance, len(sample.values)) for sample in samples]
    of_samples = [(variance / count, count - 1.0) for variance, count in counted]
    if len(samples[0].counts) > 1:
        of_mean, _, freedom = over_origins(samples)
        of_samples = [(of_mean, freedom)]
    total, freedom = variance_of_sum([*of_samples, *further])
    estimate = sum(sample.weight * mean(sample.values) for sample in samples) - threshold
    return Contrast(estimate, math.sqrt(total), freedom)


def variance_of_sum(parts: Sequence[Variance]) -> Variance:
    """The sum of independent variances, with degrees of freedom by Satterthwaite."""
    total = sum(part for part, _ in parts)
    squares = sum(part**2 / freedom for part, freedom in parts)
    # Without any spread the degrees of freedom do not matter.
    return total, total**2 / squares if squares else float(min(freedom for _, freedom in parts))


def mcnemar_exact(only_first: int, only_second: int) -> float:
    """Two-sided exact p-value of McNemar's test.

    Of two classifiers, `only_first` images are classified rightly by the first alone and
    `only_second` by the second alone. Under equal error rates the smaller count is binomial
    with one half (McNemar, Psychometrika 12, 1947; exact form: Fagerland et al., BMC Medical
    Research Methodology 13, 2013).
    """
    smaller, both = min(only_first, only_second), only_first + only_second
    return min(1.0, 2 * float(special.bdtr(smaller, both, 0.5))) if both else 1.0


def holm(p_values: Mapping[K, float]) -> dict[K, float]:
    """Holm's step-down adjusted p-values, by the same keys.

    Rejecting where the adjusted value is below the level keeps the probability of one false
    rejection or more at that level, however the tests depend on each other (Scandinavian
    Journal of Statistics 6, 1979).
    """
    order = sorted(p_values, key=p_values.__getitem__)
    steps = (min(1.0, (len(order) - rank) * p_values[key]) for rank, key in enumerate(order))
    adjusted = dict(zip(order, accumulate(steps, max), strict=True))
    return {key: adjusted[key] for key in p_values}


def wilson_interval(successes: float, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion, `(low, high)` as fractions.

    It stays within 0…1 and keeps its coverage near both ends (Wilson, Journal of the American
    Statistical Association 22, 1927). `successes` may be a mean count over several runs.
    """
    share = successes / trials
    z = float(special.ndtri(0.5 + confidence / 2))
    spread = z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def two_proportion_test(first: float, second: float, trials: int) -> tuple[float, float]:
    """Two independent proportions of equally many trials, whose standard errors are not pooled:
    `(z, two-sided p)`."""
    variance = (first * (1 - first) + second * (1 - second)) / trials
    if variance == 0:
        return (0.0, 1.0) if first == second else (math.copysign(math.inf, second - first), 0.0)
    z = (second - first) / math.sqrt(variance)
    return z, 2 * float(special.ndtr(-abs(z)))


@dataclass(frozen=True)
class Effect:
    """Something that a one-sided t-test at `level` is to find in a planned study."""

    size: float
    """How far it is from the border; negative where it is on the other side."""
    variances: Sequence[float]
    """What one seed of each model adds to the variance of its estimate, in its unit squared."""
    further: Sequence[Variance]
    """What does not shrink with more seeds, such as the variance of the test images."""
    level: float

    def power(self, seeds: int) -> float:
        """How probably it is found with so many seeds per model: by the noncentral t distribution
        with Satterthwaite's degrees of freedom, as the test has them."""
        of_seeds = [(variance / seeds, seeds - 1.0) for variance in self.variances]
        total, freedom = variance_of_sum([*of_seeds, *self.further])
        if total == 0:
            return float(self.size > 0)
        critical = -float(special.stdtrit(freedom, self.level))
        return _beyond(critical, self.size / math.sqrt(total), freedom)


def seeds_for_effects(effects: Sequence[Effect], power: float, fewest: int = 2) -> int | None:
    """Seeds a model, at least `fewest`, with which all of the effects are found together with
    `power`, however they depend on each other (Bonferroni's inequality); None where `MOST_SEEDS`
    would not do."""
    return _smallest(lambda n: sum(1 - each.power(n) for each in effects) <= 1 - power, fewest)


def seeds_for_width(
    deviation: float, half_width: float, confidence: float, power: float, fewest: int = 2
) -> int | None:
    """Seeds with which a prediction interval reaches, with `power`, no farther than `half_width`
    to each side.

    `deviation` is the standard deviation between runs, in the same unit; that of a sample is
    smaller than its upper quantile by the chi-squared distribution.
    """

    def is_enough(seeds: int) -> bool:
        quantile = float(special.stdtrit(seeds - 1, 0.5 + confidence / 2))
        larger = math.sqrt(float(special.chdtri(seeds - 1, 1 - power)) / (seeds - 1))
        return quantile * deviation * larger * math.sqrt(1 + 1 / seeds) <= half_width

    return _smallest(is_enough, fewest)


def seeds_to_exclude(
    deviation: float, away: float, level: float, power: float, fewest: int = 2
) -> int | None:
    """Seeds with which a number that lies `away` from the mean of all runs is told, with `power`
    and at the two-sided `level`, not to be one further run."""

    def is_enough(seeds: int) -> bool:
        critical = -float(special.stdtrit(seeds - 1, level / 2)) * math.sqrt(seeds + 1)
        return _beyond(critical, away / deviation * math.sqrt(seeds), seeds - 1) >= power

    return _smallest(is_enough, fewest)


def _beyond(critical: float, center: float, freedom: float) -> float:
    """The probability that a noncentral t variable is above `critical`."""
    below = float(special.nctdtr(freedom, center, critical))
    # No number where the distribution is all on one side.
    return float(center > critical) if math.isnan(below) else 1 - below


def _smallest(is_enough: Callable[[int], bool], fewest: int) -> int | None:
    """The smallest number from `fewest` to `MOST_SEEDS` that is enough, if more never is less."""
    numbers = range(fewest, MOST_SEEDS + 1)
    position = bisect_left(numbers, True, key=is_enough)
    return numbers[position] if position < len(numbers) else None


def _upper_tail(estimate: float, error: float, freedom: float) -> float:
    if error == 0:
        # No spread at all: what is seen is certain.
        return 0.0 if estimate > 0 else 0.5 if estimate == 0 else 1.0
    return float(special.stdtr(freedom, -estimate / error))
