"""Testing printed numbers: is the article's value one further run of ours?"""

import math
from functools import cached_property
from statistics import mean, stdev

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest
from resnet_sizes.evidence.statistics import tests as formulas
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import (
    Outcomes,
    above,
    increment_percent,
    overlap,
    printed_ends,
)
from resnet_sizes.schemas.article.claims.printed_number import PrintedMean, PrintedNumber
from resnet_sizes.schemas.evidence.verdicts import CONFIDENCE, Basis, Prediction, Reason


class NumberTest(ClaimTest[PrintedNumber]):
    """A printed number against ours, in its unit (percent, minutes).

    Under the hypothesis that the article's run is one more of ours, the number lies in the
    prediction interval with 95 %; the p-value says how far outside it is. Not to be outside speaks
    for the number only where the interval is narrow enough to have left others out.
    """

    def __init__(self, claim: PrintedNumber, sampling: Sampling, article: Article) -> None:
        super().__init__(claim, sampling, article)
        self._base = claim.over(article.base_model)
        # The printed number stands for all that round to it.
        self._ends = printed_ends(claim.printed)
        # Only what follows from definitions, which nothing tests, has no limit.
        self._widest = claim.max_half_width or math.inf

    def holds(self, outcomes: Outcomes) -> bool:
        ours = self.claim.compared_value(outcomes, self.article.base_model)
        return ours is not None and overlap((ours, ours), self._ends)

    def observed(self) -> bool | None:
        if (interval := self._interval) is None:
            return None
        if not overlap(interval, self._ends):
            return False
        # Else the noisier the runs, the more they would seem to support.
        return None if self._is_too_wide(interval) else True

    def basis(self, decides: bool) -> Basis | None:
        values, images = self._values, self.sampling.runs.info.test_images
        if not values:
            return None
        low, high = self._interval or (None, None)
        sampling_low = sampling_high = None
        if self._base is None and self.follows_accuracy():
            ends = formulas.wilson_interval(self._mean / 100 * images, images)
            sampling_low, sampling_high = (end * 100 for end in ends)
        prediction = Prediction(
            printed=self.claim.printed,
            mean=self._mean,
            low=low,
            high=high,
            sampling_low=sampling_low,
            sampling_high=sampling_high,
        )
        origins, tested = self.origins, (*self._ends, self._rounding, self.origins)
        p_value = formulas.further_run_p(values, *tested) if decides else None
        return Basis(seeds=len(values), origins=origins, prediction=prediction, p_value=p_value)

    def decide(self, p_adjusted: float, tests: int) -> Answer:
        interval = self._interval
        assert interval is not None
        if p_adjusted < self.judging.level:
            if self._has_printed_sign(self.judging.level / 2 / tests):
                return "direction-only", ["same-direction"]
            return "contradicted", ["outside-interval"]
        if not overlap(interval, self._ends):
            return "within-noise", ["outside-not-significant"]
        if self._is_too_wide(interval):
            return "not-enough-runs", ["interval-too-wide"]
        return "supported", ["inside-interval"]

    def settle(self, reason: Reason, tests: int) -> int | None:
        values, (low, high), judging = self._values, self._ends, self.judging
        power, fewest = judging.power, len(values) + 1
        if reason == "interval-too-wide":
            return formulas.seeds_for_width(stdev(values), self._widest, CONFIDENCE, power, fewest)
        away = max(low - mean(values), mean(values) - high)
        deviation = math.hypot(stdev(values), self._rounding)
        return formulas.seeds_to_exclude(deviation, away, judging.level / tests, power, fewest)

    def follows_accuracy(self) -> bool:
        return self.claim.measured in ("accuracy", "error")

    def planned(self, points: float, tests: int) -> int | None:
        deviation = self._from_accuracies(points)
        power, fewest = self.judging.power, self.fewest_seeds
        return formulas.seeds_for_width(deviation, self._widest, CONFIDENCE, power, fewest)

    @cached_property
    def _values(self) -> list[float]:
        """Our number in each seed; empty where one cannot be computed. Beside the mean of m runs of
        the article's they are drawn together, where all have one origin: what tests one further
        run, of variance s² (1 + 1/n), then tests the mean of m, of variance s² (1/m + 1/n)."""
        base = self.article.base_model
        computed = [self.claim.compared_value(table, base) for table in self.outcomes]
        values = [value for value in computed if value is not None]
        if not values or len(values) < len(computed):
            return []
        if not isinstance(self.claim, PrintedMean) or self.origins:
            return values
        middle, n, m = mean(values), len(values), self.claim.runs
        nearer = math.sqrt((1 / m + 1 / n) / (1 + 1 / n))
        return [middle + (value - middle) * nearer for value in values]

    @property
    def _interval(self) -> tuple[float, float] | None:
        return formulas.prediction_interval(self._values, self.origins)

    @property
    def _mean(self) -> float:
        """Our number over these seeds; an increment is that of the means, as in the tables."""
        if self._base is None:
            return mean(self._values)
        both, measured = (self.claim.model, self._base), self.claim.measured
        means = [mean(getattr(table[each], measured) for table in self.outcomes) for each in both]
        return increment_percent(*means)

    def _is_too_wide(self, interval: tuple[float, float]) -> bool:
        return (interval[1] - interval[0]) / 2 > self._widest

    def _has_printed_sign(self, level: float) -> bool:
        """Whether an increment is of the printed sign, though not of the printed size; by the
        test of an order of the two accuracies, so that no other claim on it says otherwise."""
        printed = float(self.claim.printed)
        if self._base is None or printed == 0:
            return False  # no increment has no direction
        more, less = (self.claim.model, self._base)[:: 1 if printed > 0 else -1]
        order = above(self.claim.measured, more, less)
        return self.sampling.contrast(order).p_positive < level

    @property
    def _rounding(self) -> float:
        """The standard deviation that an accuracy has from being a number of images."""
        if not self.follows_accuracy():
            return 0.0
        return self._from_accuracies(100 / self.sampling.runs.info.test_images / math.sqrt(12))

    def _from_accuracies(self, points: float) -> float:
        """The standard deviation of an accuracy or its increment, in percent, where accuracies have
        one of so many percentage points; of an increment by the propagation of errors."""
        if self._base is None:
            return points
        over = mean(self.sampling.values(self.claim.model, "accuracy"))
        below = mean(self.sampling.values(self._base, "accuracy"))
        return points / below * math.sqrt(1 + (over / below) ** 2)
