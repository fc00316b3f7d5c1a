"""Testing printed numbers: is the article's value one further run of ours?"""

import math
from statistics import mean, stdev

from resnet_sizes.evidence.judging.claim_test import (
    UNDECIDED,
    Answer,
    ClaimTest,
    OpenDecision,
    decided,
    largest_difference,
    undecided,
)
from resnet_sizes.evidence.judging.comparability import Case
from resnet_sizes.evidence.runs.measurements import construction_outcomes, seed_outcomes
from resnet_sizes.evidence.statistics.power import seeds_for_prediction
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import (
    further_run_p,
    mean_interval_excludes,
    prediction_interval,
    wilson_interval,
)
from resnet_sizes.schemas.article.article import Judging
from resnet_sizes.schemas.article.claims import PrintedNumber
from resnet_sizes.schemas.article.claims.base import increment_percent, overlap, printed_ends
from resnet_sizes.schemas.evidence.verdicts import CONFIDENCE, Basis, Prediction, Reason

Interval = tuple[float, float]


class NumberTest(ClaimTest):
    """A printed number against ours, in its unit (percent, minutes)."""

    def __init__(self, case: Case[PrintedNumber], sampling: Sampling) -> None:
        self._case, self._sampling = case, sampling
        self._claim, self._base_model = case.claim, case.article.base_model
        self._judging = case.article.judging

    def holds_by_construction(self) -> bool:
        outcomes = construction_outcomes(self._case.models)
        ours = self._claim.compared_value(outcomes, self._base_model)
        return ours is not None and self._claim.prints_as(ours)

    def observed(self) -> bool | None:
        values = self._values()
        interval = prediction_interval(values) if values else None
        if interval is None:
            return None
        if not overlap(interval, printed_ends(self._claim.printed)):
            return False
        # Else the noisier the runs, the more they would seem to support.
        return None if _is_too_wide(interval, self._claim) else True

    def open(self) -> OpenDecision | None:
        values = self._values()
        if values is None:
            return None
        within, bounds = self._wilson(values), self._bounds()
        return open_number(self._claim, values, within, bounds, self._judging)

    def with_few_seeds(self, fewest: int, tests: int) -> tuple[Basis | None, Answer]:
        """Contradicted where the number is far outside what the test images and the largest
        plausible effect of a seed allow."""
        values = self._values()
        if values is None:
            return None, ("not-comparable", ["no-increment"])
        claim, bounds, deviation = self._claim, self._bounds(), self._planned_deviation()
        interval = prediction_interval(values)
        basis = Basis(
            seeds=len(values),
            prediction=_prediction(claim, mean(values), interval, self._wilson(values)),
            seeds_needed=fewest,
            needed_from="minimum",
        )
        if bounds is not None and not overlap(bounds, printed_ends(claim.printed)):
            return decided(basis, "contradicted")
        if bounds is None or deviation is None or claim.max_half_width is None:
            return basis, UNDECIDED
        planned = seeds_for_prediction(deviation, float(claim.max_half_width), CONFIDENCE)
        return undecided(basis, planned, fewest)

    def _values(self) -> list[float] | None:
        """Our number in each seed; None where one cannot be computed, or there is none."""
        tables = seed_outcomes(self._case.runs, self._case.protocol, self._case.models)
        computed = [self._claim.compared_value(table, self._base_model) for table in tables]
        values = [value for value in computed if value is not None]
        return values if values and len(values) == len(tables) else None

    def _wilson(self, values: list[float]) -> Interval | None:
        """Wilson's interval of our accuracy in percent, from the number of test images alone;
        None of anything else."""
        if self._claim.printed_column != "accuracy":
            return None
        images = self._case.runs.info.test_images
        low, high = wilson_interval(mean(values) / 100 * images, images)
        return low * 100, high * 100

    def _bounds(self) -> Interval | None:
        """The lowest and the highest number, in percent, that one further run may plausibly give.

        The Wilson interval of each accuracy, widened by the largest effect of a seed; an
        increment takes the bounds of both accuracies. None of minutes, and where no such effect
        is known.
        """
        model, base = self._claim.model, self._claim.over(self._base_model)
        if self._claim.measured != "accuracy":
            return None
        models = [model] if base is None else [model, base]
        limit = largest_difference(self._sampling, self._judging, models)
        if limit is None:
            return None
        low, high = self._accuracy_bounds(model, limit)
        if base is None:
            return low * 100, high * 100
        base_low, base_high = self._accuracy_bounds(base, limit)
        if base_low <= 0:
            return None
        return increment_percent(low, base_high), increment_percent(high, base_low)

    def _accuracy_bounds(self, model: str, limit: float) -> Interval:
        images = self._case.runs.info.test_images
        successes = mean(self._sampling.values(model, "accuracy")) * images
        low, high = wilson_interval(successes, images)
        return max(low - limit, 0.0), min(high + limit, 1.0)

    def _planned_deviation(self) -> float | None:
        """The standard deviation between runs that the article file lets one expect, in percent;
        of an increment by the propagation of errors. None where it knows none."""
        effect = self._judging.seed_effect
        if effect is None:
            return None
        deviation, base = float(effect.deviation), self._claim.over(self._base_model)
        if base is None:
            return deviation
        above, below = (
            mean(self._sampling.values(model, "accuracy")) for model in (self._claim.model, base)
        )
        return deviation / below * math.sqrt(1 + (above / below) ** 2)


def open_number(
    claim: PrintedNumber,
    values: list[float],
    within: Interval | None,
    bounds: Interval | None,
    judging: Judging,
) -> OpenDecision:
    """Open the test of a printed number from two runs or more, in its unit.

    `within` is Wilson's interval of an accuracy, for the record; `bounds` are the lowest and the
    highest number that a further run may plausibly give, whatever the seed. Under the hypothesis
    that the article's run is one more of ours, the number lies in the prediction interval with
    95 %; the p-value says how far outside it is. Not to be outside speaks for the number only
    where the interval is narrow enough to have left others out.
    """
    interval = prediction_interval(values)
    assert interval is not None
    # The printed number stands for all that round to it.
    printed_low, printed_high = ends = printed_ends(claim.printed)
    p_value = further_run_p(values, printed_low, printed_high)

    def decide(p_adjusted: float, tests: int) -> Answer:
        significant = p_adjusted < judging.level
        if significant and _same_direction(claim, values, judging.level / 2 / tests):
            return "direction-only", ["same-direction"]
        if significant:
            return "contradicted", ["outside-interval"]
        if bounds is not None and not overlap(bounds, ends):
            return "contradicted", ["beyond-seed-effect"]
        if not overlap(interval, ends):
            return "within-noise", ["outside-not-significant"]
        if _is_too_wide(interval, claim):
            return "not-enough-runs", ["interval-too-wide"]
        return "supported", ["inside-interval"]

    def settle(reason: Reason, tests: int) -> int | None:
        fewest = len(values) + 1
        if reason == "outside-not-significant":
            # The number would lie just outside an interval of the corrected level.
            away = max(printed_low - mean(values), mean(values) - printed_high)
            confidence = 1 - judging.level / tests
            return seeds_for_prediction(stdev(values), away, confidence, fewest)
        widest = claim.max_half_width
        if widest is None:
            return None
        return seeds_for_prediction(stdev(values), float(widest), CONFIDENCE, fewest)

    prediction = _prediction(claim, mean(values), interval, within)
    basis = Basis(seeds=len(values), prediction=prediction, p_value=p_value)
    return OpenDecision(basis, decide, settle)


def _prediction(
    claim: PrintedNumber, ours: float, interval: Interval | None, within: Interval | None
) -> Prediction:
    """The printed number beside ours; `interval` is None of a single run."""
    low, high = interval or (None, None)
    sampling_low, sampling_high = within or (None, None)
    return Prediction(
        printed=claim.printed,
        mean=ours,
        low=low,
        high=high,
        sampling_low=sampling_low,
        sampling_high=sampling_high,
    )


def _is_too_wide(interval: Interval, claim: PrintedNumber) -> bool:
    widest = claim.max_half_width
    return widest is not None and (interval[1] - interval[0]) / 2 > widest


def _same_direction(claim: PrintedNumber, values: list[float], level: float) -> bool:
    """Whether an increment is of the printed sign, though not of the printed size."""
    printed = float(claim.printed)
    if not claim.printed_column.endswith("_increment") or printed == 0:
        return False  # no increment has no direction
    return mean_interval_excludes([math.copysign(1, printed) * v for v in values], 0.0, level)
