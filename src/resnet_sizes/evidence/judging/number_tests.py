"""Testing printed numbers: is the article's value one further run of ours?"""

import math
from functools import cached_property
from statistics import mean, stdev

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest
from resnet_sizes.evidence.runs.measurements import construction_outcomes
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import (
    further_run_p,
    prediction_interval,
    seeds_for_width,
    seeds_to_exclude,
    wilson_interval,
)
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import PrintedNumber
from resnet_sizes.schemas.article.claims.base import (
    Outcomes,
    above,
    increment_percent,
    overlap,
    printed_ends,
)
from resnet_sizes.schemas.evidence.verdicts import CONFIDENCE, Basis, Prediction, Reason

Interval = tuple[float, float]


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

    def holds_by_construction(self) -> bool:
        ours = self.claim.compared_value(
            construction_outcomes(self.models), self.article.base_model
        )
        return ours is not None and self.claim.prints_as(ours)

    def observed(self) -> bool | None:
        interval = self._interval
        if interval is None:
            return None
        if not overlap(interval, self._ends):
            return False
        # Else the noisier the runs, the more they would seem to support.
        return None if self._is_too_wide(interval) else True

    def basis(self, decides: bool) -> Basis | None:
        values = self._values
        if not values:
            return None
        p_value = further_run_p(values, *self._ends, self._rounding) if decides else None
        return Basis(seeds=len(values), prediction=self._prediction(), p_value=p_value)

    def decide(self, p_adjusted: float, tests: int) -> Answer:
        assert self._interval is not None
        significant = p_adjusted < self.judging.level
        if significant and self._has_printed_sign(self.judging.level / 2 / tests):
            return "direction-only", ["same-direction"]
        if significant:
            return "contradicted", ["outside-interval"]
        if not overlap(self._interval, self._ends):
            return "within-noise", ["outside-not-significant"]
        if self._is_too_wide(self._interval):
            return "not-enough-runs", ["interval-too-wide"]
        return "supported", ["inside-interval"]

    def settle(self, reason: Reason, tests: int) -> int | None:
        values, (low, high), judging = self._values, self._ends, self.judging
        fewest = len(values) + 1
        if reason == "outside-not-significant":
            away = max(low - mean(values), mean(values) - high)
            deviation = math.hypot(stdev(values), self._rounding)
            level = judging.level / tests
            return seeds_to_exclude(deviation, away, level, judging.power, fewest)
        widest = self.claim.max_half_width
        if widest is None:
            return None
        return seeds_for_width(stdev(values), widest, CONFIDENCE, judging.power, fewest)

    def follows_accuracy(self) -> bool:
        return self.claim.measured == "accuracy"

    def planned(self, points: float, tests: int) -> int | None:
        deviation, widest = self._from_accuracies(points), self.claim.max_half_width
        if deviation is None or widest is None:
            return None
        return seeds_for_width(deviation, widest, CONFIDENCE, self.judging.power)

    def _ours(self, outcomes: Outcomes) -> float | None:
        return self.claim.compared_value(outcomes, self.article.base_model)

    @cached_property
    def _values(self) -> list[float]:
        """Our number in each seed; empty where one cannot be computed."""
        computed = [
            self.claim.compared_value(table, self.article.base_model) for table in self.outcomes
        ]
        values = [value for value in computed if value is not None]
        return values if len(values) == len(self.outcomes) else []

    @property
    def _mean(self) -> float:
        """Our number over these seeds; an increment is that of the means, as in the tables."""
        if self._base is None:
            return mean(self._values)
        value, base = (
            mean(getattr(table[model], self.claim.measured) for table in self.outcomes)
            for model in (self.claim.model, self._base)
        )
        return increment_percent(value, base)

    @property
    def _interval(self) -> Interval | None:
        """The prediction interval; None of a single run."""
        return prediction_interval(self._values)

    def _is_too_wide(self, interval: Interval) -> bool:
        widest = self.claim.max_half_width
        return widest is not None and (interval[1] - interval[0]) / 2 > widest

    def _has_printed_sign(self, level: float) -> bool:
        """Whether an increment is of the printed sign, though not of the printed size; by the
        test of an order of the two accuracies, so that no other claim on it says otherwise."""
        printed = float(self.claim.printed)
        if self._base is None or printed == 0:
            return False  # no increment has no direction
        more, less = (self.claim.model, self._base)[:: 1 if printed > 0 else -1]
        order = above(self.claim.measured, more, less)
        return self.sampling.contrast(order).p_positive < level

    def _prediction(self) -> Prediction:
        """The printed number beside ours; of an accuracy with Wilson's interval, in percent, from
        the number of test images alone."""
        low, high = self._interval or (None, None)
        sampling_low = sampling_high = None
        if self.claim.printed_column == "accuracy":
            images = self.sampling.test_images
            ends = wilson_interval(self._mean / 100 * images, images)
            sampling_low, sampling_high = (end * 100 for end in ends)
        return Prediction(
            printed=self.claim.printed,
            mean=self._mean,
            low=low,
            high=high,
            sampling_low=sampling_low,
            sampling_high=sampling_high,
        )

    @property
    def _rounding(self) -> float:
        """The standard deviation that an accuracy has from being a number of images."""
        return self._from_accuracies(100 / self.sampling.test_images / math.sqrt(12)) or 0.0

    def _from_accuracies(self, points: float) -> float | None:
        """The standard deviation of the number, in percent, where accuracies have one of so many
        percentage points; of an increment by the propagation of errors. None of minutes."""
        if self.claim.measured != "accuracy":
            return None
        if self._base is None:
            return points
        over, below = (
            mean(self.sampling.values(model, "accuracy"))
            for model in (self.claim.model, self._base)
        )
        return points / below * math.sqrt(1 + (over / below) ** 2)
