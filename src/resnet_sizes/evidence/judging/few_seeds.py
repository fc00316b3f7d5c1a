"""What a study with fewer seeds than a claim asks for may say all the same.

Only what is farther apart than seeds plausibly explain is decided.
"""

from statistics import mean

from resnet_sizes.evidence.judging.contrasts import Condition, conditions_of
from resnet_sizes.evidence.judging.decision import Answer
from resnet_sizes.evidence.judging.number_tests import predicted
from resnet_sizes.evidence.judging.order_tests import compare_once
from resnet_sizes.evidence.judging.ratio_tests import ratios_of
from resnet_sizes.evidence.judging.sampling import Sampling
from resnet_sizes.evidence.judging.seed_effect import decided_by_size, is_outside
from resnet_sizes.evidence.statistics.power import seeds_for_contrast, seeds_for_prediction
from resnet_sizes.evidence.statistics.tests import CONFIDENCE, prediction_interval
from resnet_sizes.schemas.article.article import Article, Judging
from resnet_sizes.schemas.article.claims import Cell, Claim, Increment, Ratio
from resnet_sizes.schemas.evidence.verdicts import Basis

_UNDECIDED: Answer = ("not-enough-runs", ["few-seeds"])


def judge_order(
    claim: Claim,
    models: list[str],
    sampling: Sampling,
    article: Article,
    fewest: int,
    tests: int,
) -> tuple[Basis, Answer]:
    """A claim about an order from too few seeds: decided by large differences of accuracy.

    `fewest` is the number of seeds that the claim asks for, `tests` that of the claims
    that these runs are a test of.
    """
    conditions = conditions_of(claim, sampling.mean_minutes())
    basis = Basis(
        seeds=sampling.seeds(models),
        comparisons=[compare_once(condition, sampling) for condition in conditions],
        ratios=ratios_of(claim, sampling, article) if isinstance(claim, Ratio) else [],
        seeds_needed=fewest,
        needed_from="minimum",
    )
    by_size = decided_by_size(conditions, sampling, article.judging, tests)
    if by_size is not None:
        return _settled(basis), (by_size, ["beyond-seed-effect"])
    effect = article.judging.seed_effect
    if effect is None or {condition.quantity for condition in conditions} != {"accuracy"}:
        return basis, _UNDECIDED
    deviation = float(effect.deviation) / 100
    needed = _planned(conditions, sampling, deviation, article.judging, tests)
    return _needing(basis, needed, fewest), _UNDECIDED


def judge_number(
    claim: Cell | Increment,
    values: list[float],
    bounds: tuple[float, float] | None,
    wilson: tuple[float, float] | None,
    deviation: float | None,
    fewest: int,
) -> tuple[Basis, Answer]:
    """A printed number from too few seeds: contradicted where it is far outside `bounds`.

    `bounds` are the lowest and the highest number that the test images and the largest
    plausible effect of a seed allow, `deviation` is that to plan with; None where no such
    effect is known.
    """
    interval = prediction_interval(values)
    basis = Basis(
        seeds=len(values),
        prediction=predicted(claim, mean(values), interval, wilson),
        seeds_needed=fewest,
        needed_from="minimum",
    )
    if is_outside(claim, bounds):
        return _settled(basis), ("contradicted", ["beyond-seed-effect"])
    if bounds is None or deviation is None or claim.max_half_width is None:
        return basis, _UNDECIDED
    needed = seeds_for_prediction(deviation, float(claim.max_half_width), CONFIDENCE)
    return _needing(basis, needed, fewest), _UNDECIDED


def _planned(
    conditions: list[Condition],
    sampling: Sampling,
    deviation: float,
    judging: Judging,
    tests: int,
) -> int | None:
    """Seeds for the hardest condition, if the difference seen is the true one."""
    needed = []
    for condition in conditions:
        found = seeds_for_contrast(
            abs(sampling.estimate(condition)),
            [(deviation * weight) ** 2 for weight in condition.weights.values()],
            sampling.further_variance(condition),
            judging.level / 2 / tests,
            judging.power,
        )
        if found is None:
            return None
        needed.append(found)
    return max(needed)


def _settled(basis: Basis) -> Basis:
    return basis.model_copy(update={"seeds_needed": None, "needed_from": None})


def _needing(basis: Basis, needed: int | None, fewest: int) -> Basis:
    seeds = None if needed is None else max(needed, fewest)
    return basis.model_copy(update={"seeds_needed": seeds, "needed_from": "assumed"})
