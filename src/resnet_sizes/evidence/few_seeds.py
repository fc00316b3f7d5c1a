"""What a study with fewer seeds than a statement asks for may say all the same.

Only what is farther apart than seeds plausibly explain is decided. How far that is does not
come from the study, which cannot know it, but from the ledger, with its source.
"""

from statistics import mean

from scipy import stats

from resnet_sizes.evidence.conditions import Condition, conditions_of
from resnet_sizes.evidence.decision import Answer
from resnet_sizes.evidence.orders import compare_once
from resnet_sizes.evidence.power import seeds_for_contrast, seeds_for_prediction
from resnet_sizes.evidence.printed_numbers import predicted
from resnet_sizes.evidence.ratios import ratios_of
from resnet_sizes.evidence.rules import half_unit
from resnet_sizes.evidence.sampling import Sampling
from resnet_sizes.evidence.statistics import CONFIDENCE, prediction_interval
from resnet_sizes.records.ledger import Judging, Ledger
from resnet_sizes.records.statements import Cell, Increment, Ratio, Statement
from resnet_sizes.records.verdicts import Basis

_UNDECIDED: Answer = ("not-enough-runs", ["few-seeds"])


def judge_order(
    statement: Statement, models: list[str], sampling: Sampling, ledger: Ledger, fewest: int
) -> tuple[Basis, Answer]:
    """A statement about an order from too few seeds: decided by large differences of accuracy.

    `fewest` is the number of seeds that the statement asks for.
    """
    conditions = conditions_of(statement, sampling.mean_minutes())
    basis = Basis(
        seeds=sampling.seeds(models),
        comparisons=[compare_once(condition, sampling) for condition in conditions],
        ratios=ratios_of(statement, sampling, ledger) if isinstance(statement, Ratio) else [],
        seeds_needed=fewest,
        needed_from="minimum",
    )
    effect = ledger.judging.seed_effect
    # Nobody has said how far seeds move losses and times, so these decide nothing.
    of_accuracy = [condition for condition in conditions if condition.quantity == "accuracy"]
    if effect is None or not of_accuracy:
        return basis, _UNDECIDED
    level = ledger.judging.level / 2 / len(conditions)
    limit = float(effect.largest_difference) / 100
    states = [_side(condition, sampling, limit, level) for condition in of_accuracy]
    if "below" in states:
        return _settled(basis), ("contradicted", ["beyond-seed-effect"])
    if of_accuracy != conditions:
        return basis, _UNDECIDED
    if set(states) == {"above"}:
        return _settled(basis), ("supported", ["beyond-seed-effect"])
    needed = _planned(conditions, sampling, float(effect.deviation) / 100, ledger.judging)
    return _needing(basis, needed, fewest), _UNDECIDED


def judge_number(
    statement: Cell | Increment,
    values: list[float],
    bounds: tuple[float, float] | None,
    wilson: tuple[float, float] | None,
    judging: Judging,
    fewest: int,
) -> tuple[Basis, Answer]:
    """A printed number from too few seeds: contradicted where it is far outside `bounds`.

    `bounds` are the lowest and the highest number that the test images and the largest
    plausible effect of a seed allow; None where no such effect is known.
    """
    interval = prediction_interval(values)
    basis = Basis(
        seeds=len(values),
        prediction=predicted(statement, mean(values), interval, wilson),
        seeds_needed=fewest,
        needed_from="minimum",
    )
    if bounds is None:
        return basis, _UNDECIDED
    rounding = half_unit(statement.printed)
    low, high = bounds
    if not low - rounding <= float(statement.printed) <= high + rounding:
        return _settled(basis), ("contradicted", ["beyond-seed-effect"])
    needed = None
    assert judging.seed_effect is not None
    if statement.max_half_width is not None:
        deviation = float(judging.seed_effect.deviation)
        needed = seeds_for_prediction(deviation, float(statement.max_half_width), CONFIDENCE)
    return _needing(basis, needed, fewest), _UNDECIDED


def _side(condition: Condition, sampling: Sampling, limit: float, level: float) -> str:
    """Whether an accuracy contrast is beyond what seeds and test images explain: `above`,
    `below` or `between`."""
    estimate = sampling.estimate(condition)
    # Of a plain difference the weights are 1 and -1.
    by_seed = limit * sum(abs(weight) for weight in condition.weights.values()) / 2
    variance, _ = sampling.image_variance(condition.weights)
    by_images = float(stats.norm.isf(level)) * variance**0.5
    if abs(estimate) <= by_seed + by_images:  # both act at once
        return "between"
    return "above" if estimate > 0 else "below"


def _planned(
    conditions: list[Condition], sampling: Sampling, deviation: float, judging: Judging
) -> int | None:
    """Seeds for the hardest condition, if the difference seen is the true one."""
    needed = []
    for condition in conditions:
        variance = deviation**2 * sum(weight**2 for weight in condition.weights.values())
        images, _ = sampling.image_variance(condition.weights)
        found = seeds_for_contrast(
            abs(sampling.estimate(condition)),
            variance,
            len(condition.weights),
            images,
            judging.level / 2,
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
