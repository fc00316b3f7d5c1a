"""What is farther apart than the choice of a seed plausibly explains.

How far that is does not come from the study, whose few seeds cannot show it, but from the
article file, with its source. It is known of accuracies alone. A study whose own runs are farther
apart than that has shown the article file wrong, and nothing is decided by it.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Literal

from scipy import stats

from resnet_sizes.evidence.judging.contrasts import Condition
from resnet_sizes.evidence.judging.rules import half_unit
from resnet_sizes.evidence.judging.sampling import Sampling
from resnet_sizes.evidence.runs.measurements import increment_percent
from resnet_sizes.evidence.statistics.proportions import wilson_interval
from resnet_sizes.schemas.article.article import Article, Judging
from resnet_sizes.schemas.article.claims import Cell, Increment


def decided_by_size(
    conditions: Sequence[Condition], sampling: Sampling, judging: Judging, tests: int
) -> Literal["supported", "contradicted"] | None:
    """What differences of accuracy alone decide of an order; None where they are too small.

    A difference has to be beyond the largest effect of a seed and the chance of the test images
    together, for which the level is divided by the number of conditions and of `tests`.
    """
    # Nobody has said how far seeds move losses and times, so these decide nothing.
    of_accuracy = [condition for condition in conditions if condition.quantity == "accuracy"]
    models = {model for condition in of_accuracy for model in condition.weights}
    limit = _largest_difference(sampling, judging, models)
    if limit is None or not of_accuracy:
        return None
    level = judging.level / 2 / len(conditions) / tests
    sides = [_side(condition, sampling, limit, level) for condition in of_accuracy]
    if "below" in sides:
        return "contradicted"
    return "supported" if set(sides) == {"above"} and of_accuracy == conditions else None


def number_bounds(
    article: Article, claim: Cell | Increment, sampling: Sampling, images: int
) -> tuple[float, float] | None:
    """The lowest and the highest number, in percent, that one further run may plausibly give.

    The Wilson interval of each accuracy over `images` test images, widened by the largest effect
    of a seed; an increment takes the bounds of both accuracies. None of minutes, and where no
    such effect is known.
    """
    base = base_of(article, claim)
    if isinstance(claim, Cell) and claim.column != "accuracy" and base is None:
        return None
    models = [claim.model] + ([base] if base else [])
    limit = _largest_difference(sampling, article.judging, models)
    if limit is None:
        return None

    def bounds(model: str) -> tuple[float, float]:
        low, high = wilson_interval(mean(sampling.values(model, "accuracy")) * images, images)
        return max(low - limit, 0.0), min(high + limit, 1.0)

    low, high = bounds(claim.model)
    if base is None:
        return low * 100, high * 100
    base_low, base_high = bounds(base)
    if base_low <= 0:
        return None
    return increment_percent(low, base_high), increment_percent(high, base_low)


def is_outside(claim: Cell | Increment, bounds: tuple[float, float] | None) -> bool:
    """Whether all that the printed number may stand for lies outside `bounds`."""
    if bounds is None:
        return False
    rounding = half_unit(claim.printed)
    return not bounds[0] - rounding <= float(claim.printed) <= bounds[1] + rounding


def planned_deviation(
    article: Article, claim: Cell | Increment, sampling: Sampling
) -> float | None:
    """The standard deviation between runs that the article file lets one expect of a number, in
    percent; of an increment by the propagation of errors. None where it knows none."""
    effect = article.judging.seed_effect
    if effect is None:
        return None
    deviation = float(effect.deviation)
    base = base_of(article, claim)
    if base is None:
        return deviation
    above, below = (mean(sampling.values(m, "accuracy")) for m in (claim.model, base))
    return deviation / below * math.sqrt(1 + (above / below) ** 2)


def base_of(article: Article, claim: Cell | Increment) -> str | None:
    """The model over which an increment of accuracy is; None of other numbers."""
    if isinstance(claim, Increment):
        return claim.base
    return article.base_model if claim.column == "accuracy_increment" else None


def _largest_difference(
    sampling: Sampling, judging: Judging, models: Iterable[str]
) -> float | None:
    """As a fraction; None where the article file has none, or these runs lie farther apart."""
    if judging.seed_effect is None:
        return None
    limit = float(judging.seed_effect.largest_difference) / 100
    samples = [sampling.values(model, "accuracy") for model in models]
    return limit if all(max(values) - min(values) <= limit for values in samples) else None


def _side(condition: Condition, sampling: Sampling, limit: float, level: float) -> str:
    """`above`, `below` or `between`."""
    estimate = sampling.estimate(condition)
    # Of a plain difference the weights are 1 and -1.
    by_seed = limit * sum(abs(weight) for weight in condition.weights.values()) / 2
    variance, _ = sampling.image_variance(condition.weights)
    by_images = float(stats.norm.isf(level)) * variance**0.5
    if abs(estimate) <= by_seed + by_images:  # both act at once
        return "between"
    return "above" if estimate > 0 else "below"
