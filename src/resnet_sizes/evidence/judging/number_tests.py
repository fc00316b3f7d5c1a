"""Testing printed numbers: is the article's value one further run of ours?"""

from statistics import mean, stdev

from resnet_sizes.evidence.judging.comparability import Case
from resnet_sizes.evidence.judging.decision import Answer, OpenDecision
from resnet_sizes.evidence.judging.rules import half_unit
from resnet_sizes.evidence.judging.seed_effect import is_outside
from resnet_sizes.evidence.statistics.power import seeds_for_prediction
from resnet_sizes.evidence.statistics.proportions import wilson_interval
from resnet_sizes.evidence.statistics.tests import (
    CONFIDENCE,
    further_run_p,
    mean_interval_excludes,
    prediction_interval,
)
from resnet_sizes.schemas.article.article import Judging
from resnet_sizes.schemas.article.claims import Cell, Increment
from resnet_sizes.schemas.evidence.verdicts import Basis, Prediction, Reason


def open_number(
    claim: Cell | Increment,
    values: list[float],
    sampling: tuple[float, float] | None,
    bounds: tuple[float, float] | None,
    judging: Judging,
) -> OpenDecision:
    """Hold a printed number against two runs or more, in its unit.

    `sampling` is Wilson's interval of an accuracy, for the record; `bounds` are the lowest and
    the highest number that a further run may plausibly give, whatever the seed. Under the
    hypothesis that the article's run is one more of ours, the number lies in the prediction
    interval with 95 %; the p-value says how far outside it is. Not to be outside speaks for the
    number only where the interval is narrow enough to have left others out.
    """
    interval = prediction_interval(values)
    assert interval is not None
    low, high = interval
    # The printed number stands for all that round to it.
    rounding = half_unit(claim.printed)
    printed_low = float(claim.printed) - rounding
    printed_high = float(claim.printed) + rounding
    p_value = further_run_p(values, printed_low, printed_high)

    def decide(p_adjusted: float, tests: int) -> Answer:
        significant = p_adjusted < judging.level
        if significant and _same_direction(claim, values, judging.level / 2 / tests):
            return "direction-only", ["same-direction"]
        if significant:
            return "contradicted", ["outside-interval"]
        if is_outside(claim, bounds):
            return "contradicted", ["beyond-seed-effect"]
        if not low <= printed_high or not printed_low <= high:
            return "within-noise", ["outside-not-significant"]
        widest = claim.max_half_width
        if widest is not None and (high - low) / 2 > widest:
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

    prediction = predicted(claim, mean(values), interval, sampling)
    basis = Basis(seeds=len(values), prediction=prediction, p_value=p_value)
    return OpenDecision(basis, decide, settle)


def predicted(
    claim: Cell | Increment,
    ours: float,
    interval: tuple[float, float] | None,
    sampling: tuple[float, float] | None,
) -> Prediction:
    """The printed number beside ours; `interval` is None of a single run."""
    low, high = interval or (None, None)
    sampling_low, sampling_high = sampling or (None, None)
    return Prediction(
        printed=claim.printed,
        mean=ours,
        low=low,
        high=high,
        sampling_low=sampling_low,
        sampling_high=sampling_high,
    )


def _same_direction(claim: Cell | Increment, values: list[float], level: float) -> bool:
    """Whether an increment is of the printed sign, though not of the printed size."""
    is_increment = isinstance(claim, Increment) or claim.column.endswith("_increment")
    if not is_increment:
        return False
    if float(claim.printed) == 0:
        return False  # no increment has no direction
    sign = 1 if float(claim.printed) > 0 else -1
    return mean_interval_excludes([sign * value for value in values], 0.0, level)


def wilson(case: Case, claim: Cell | Increment, values: list[float]) -> tuple[float, float] | None:
    """Wilson's 95 % interval of our accuracy in percent, from the number of test images alone;
    None of anything else."""
    if isinstance(claim, Increment) or claim.column != "accuracy":
        return None
    images = case.runs.info.test_images
    low, high = wilson_interval(mean(values) / 100 * images, images)
    return low * 100, high * 100
