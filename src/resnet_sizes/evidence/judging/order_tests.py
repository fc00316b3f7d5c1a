"""Testing claims about an order: all of their conditions hold, or one is reversed."""

from collections.abc import Sequence

import numpy as np

from resnet_sizes.evidence.judging.contrasts import LOG_MINUTES, Condition, conditions_of
from resnet_sizes.evidence.judging.decision import Answer, OpenDecision
from resnet_sizes.evidence.judging.rules import holds
from resnet_sizes.evidence.judging.sampling import Sampling
from resnet_sizes.evidence.judging.seed_effect import decided_by_size
from resnet_sizes.evidence.runs.measurements import Outcome
from resnet_sizes.evidence.statistics.power import seeds_for_contrast
from resnet_sizes.schemas.article.article import Judging
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.evidence.verdicts import Basis, Comparison, Reason
from resnet_sizes.schemas.study.protocol import LAYERS


def open_order(
    claim: Claim, models: list[str], sampling: Sampling, judging: Judging
) -> OpenDecision:
    """Basis a claim whose models all have two runs or more.

    The claim holds if *all* conditions do, so the evidence for it is that of its weakest
    condition (an intersection-union test, Berger, Technometrics 24, 1982: no correction is
    due). It fails if *one* is reversed, so the smallest of those p-values is multiplied by
    their number. The two directions together make the p-value twice the smaller. What is larger
    than any plausible effect of a seed decides with few seeds, and must not be taken back for
    there being more of them: it decides where the test does not.
    """
    conditions = conditions_of(claim, sampling.mean_minutes())
    probability = _probability(claim, models, conditions, sampling)
    comparisons = [_compare(condition, sampling) for condition in conditions]
    contrasts = [sampling.contrast(condition) for condition in conditions]
    if conditions:
        against = min(1.0, len(contrasts) * min(c.p_negative for c in contrasts))
        p_for, p_against = max(c.p_positive for c in contrasts), against
    else:
        # The rule is not linear: the bootstrap counts how often it holds, and no share of so
        # many draws is known to be smaller than one of them.
        least = 1 / sampling.resamples
        p_for, p_against = max(1 - probability, least), max(probability, least)

    def decide(p_adjusted: float, tests: int) -> Answer:
        if p_adjusted < judging.level:
            holds_more = p_for <= p_against
            return ("supported", ["rule-holds"]) if holds_more else ("contradicted", ["rule-fails"])
        by_size = decided_by_size(conditions, sampling, judging, tests)
        if by_size is not None:
            return by_size, ["beyond-seed-effect"]
        return "within-noise", ["indistinct"]

    def settle(_: Reason, tests: int) -> int | None:
        # What is seen is taken for the truth: the claim then holds, or one condition fails.
        fails = any(c.estimate <= 0 for c in contrasts)
        level = judging.level / 2 / tests / (len(contrasts) if fails else 1)
        needed = [
            seeds_for_contrast(
                -c.estimate if fails else c.estimate,
                *_spreads(condition, sampling),
                level,
                judging.power,
                sampling.seeds(models) + 1,
            )
            for condition, c in zip(conditions, contrasts, strict=True)
        ]
        found = [number for number in needed if number is not None]
        if fails:
            return min(found, default=None)
        return max(found) if found and len(found) == len(needed) else None

    basis = Basis(
        seeds=sampling.seeds(models),
        comparisons=comparisons,
        probability=probability,
        p_value=min(1.0, 2 * min(p_for, p_against)),
    )
    return OpenDecision(basis, decide, settle, can_plan=bool(conditions))


def compare_once(condition: Condition, sampling: Sampling) -> Comparison:
    """A condition where a model has a single run: no interval, no p-value."""
    return Comparison(
        kind=condition.kind,
        models=list(condition.models),
        quantity=condition.quantity,
        weights=dict(condition.weights),
        threshold=condition.threshold,
        estimate=sampling.estimate(condition),
        low=None,
        high=None,
        p_value=None,
        pairings=sampling.pairings(condition),
    )


def _compare(condition: Condition, sampling: Sampling) -> Comparison:
    contrast = sampling.contrast(condition)
    low, high = contrast.interval()
    once = compare_once(condition, sampling)
    return once.model_copy(update={"low": low, "high": high, "p_value": contrast.p_positive})


def _probability(
    claim: Claim, models: list[str], conditions: Sequence[Condition], sampling: Sampling
) -> float:
    """The share of the bootstrap in which the whole claim holds."""
    if not conditions or claim.rule == "pareto-knee":
        return _probability_by_rule(claim, models, sampling)
    held = np.ones(sampling.resamples, dtype=bool)
    for condition in conditions:
        total = np.zeros(sampling.resamples)
        for model, weight in condition.weights.items():
            total += weight * sampling.draws(model, condition.quantity)
        held &= total > condition.threshold
    return float(held.mean())


def _probability_by_rule(claim: Claim, models: list[str], sampling: Sampling) -> float:
    """The same by the rule itself, in which the times vary as well."""
    accuracies = {model: sampling.draws(model, "accuracy").tolist() for model in models}
    minutes = {model: np.exp(sampling.draws(model, LOG_MINUTES)).tolist() for model in models}
    held = 0
    for draw in range(sampling.resamples):
        table = {
            model: Outcome(LAYERS[model], accuracies[model][draw], minutes[model][draw], 0.0, 0.0)
            for model in models
        }
        held += holds(claim, table)
    return held / sampling.resamples


def _spreads(
    condition: Condition, sampling: Sampling
) -> tuple[list[float], tuple[float, float] | None]:
    """The variance that one seed of each model leaves, and that of the test images with its
    degrees of freedom."""
    variances = [
        weight**2 * float(np.var(sampling.values(model, condition.quantity), ddof=1))
        for model, weight in condition.weights.items()
    ]
    return variances, sampling.further_variance(condition)
