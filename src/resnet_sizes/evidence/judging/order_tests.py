"""Testing claims about an order: all of their conditions hold, or one is reversed."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import special

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
from resnet_sizes.evidence.statistics.power import seeds_for_contrast
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import Contrast
from resnet_sizes.schemas.article.article import Judging
from resnet_sizes.schemas.article.claims import OrderClaim
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, Condition, Outcome
from resnet_sizes.schemas.evidence.verdicts import Basis, Comparison, Reason
from resnet_sizes.schemas.study.protocol import LAYERS


class OrderTest(ClaimTest):
    """A claim that holds or does not, in each seed and on the means."""

    def __init__(self, case: Case[OrderClaim], sampling: Sampling) -> None:
        self._case, self._sampling = case, sampling
        self._models, self._judging = case.models, case.article.judging

    def holds_by_construction(self) -> bool:
        return self._case.claim.holds(construction_outcomes(self._models))

    def observed(self) -> bool | None:
        answers = set(self._answers())
        return answers.pop() if len(answers) == 1 else None

    def open(self) -> OpenDecision:
        return self._open(self._seeds_holding())

    def _open(self, seeds_holding: int) -> OpenDecision:
        claim = self._case.claim
        return open_order(claim, self._models, self._sampling, self._judging, seeds_holding)

    def with_few_seeds(self, fewest: int, tests: int) -> tuple[Basis | None, Answer]:
        """Decided by large differences of accuracy."""
        sampling, judging = self._sampling, self._judging
        conditions = self._case.claim.conditions(sampling.mean_minutes())
        basis = Basis(
            seeds=sampling.seeds(self._models),
            comparisons=[_compare(condition, sampling) for condition in conditions],
            seeds_holding=self._seeds_holding(),
            seeds_needed=fewest,
            needed_from="minimum",
        )
        by_size = decided_by_size(conditions, sampling, judging, tests)
        if by_size is not None:
            return decided(basis, by_size)
        effect = judging.seed_effect
        if effect is None or {condition.quantity for condition in conditions} != {"accuracy"}:
            return basis, UNDECIDED
        deviation = float(effect.deviation) / 100
        planned = _planned(conditions, sampling, deviation, judging, tests)
        return undecided(basis, planned, fewest)

    def _seeds_holding(self) -> int:
        """In how many seeds the rule holds by itself."""
        return sum(self._answers())

    def _answers(self) -> list[bool]:
        tables = seed_outcomes(self._case.runs, self._case.protocol, self._models)
        return [self._case.claim.holds(table) for table in tables]


def open_order(
    claim: OrderClaim,
    models: list[str],
    sampling: Sampling,
    judging: Judging,
    seeds_holding: int | None = None,
) -> OpenDecision:
    """Open the test of a claim whose models all have two runs or more.

    The claim holds if *all* conditions do, so the evidence for it is that of its weakest
    condition (an intersection-union test, Berger, Technometrics 24, 1982: no correction is
    due). It fails if *one* is reversed, so the smallest of those p-values is multiplied by
    their number. The two directions together make the p-value twice the smaller. What is larger
    than any plausible effect of a seed decides with few seeds, and must not be taken back for
    there being more of them: it decides where the test does not.
    """
    conditions = claim.conditions(sampling.mean_minutes())
    probability = _probability(claim, models, conditions, sampling)
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
        if fails:
            return min((number for number in needed if number is not None), default=None)
        return largest_of_all(needed)

    basis = Basis(
        seeds=sampling.seeds(models),
        comparisons=[
            _compare(condition, sampling, contrast)
            for condition, contrast in zip(conditions, contrasts, strict=True)
        ],
        seeds_holding=seeds_holding,
        probability=probability,
        p_value=min(1.0, 2 * min(p_for, p_against)),
    )
    return OpenDecision(basis, decide, settle, can_plan=bool(conditions))


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
    limit = largest_difference(sampling, judging, models)
    if limit is None or not of_accuracy:
        return None
    level = judging.level / 2 / len(conditions) / tests
    sides = [_side(condition, sampling, limit, level) for condition in of_accuracy]
    if "below" in sides:
        return "contradicted"
    return "supported" if set(sides) == {"above"} and of_accuracy == conditions else None


def largest_of_all(needed: Sequence[int | None]) -> int | None:
    """Seeds that settle several questions together; None where there is none, or no number of
    seeds settles one of them."""
    found = [number for number in needed if number is not None]
    return max(found) if found and len(found) == len(needed) else None


def _side(condition: Condition, sampling: Sampling, limit: float, level: float) -> str:
    """`above`, `below` or `between`."""
    estimate = sampling.estimate(condition)
    # Of a plain difference the weights are 1 and -1.
    by_seed = limit * sum(abs(weight) for weight in condition.weights.values()) / 2
    variance, _ = sampling.image_variance(condition.weights)
    by_images = -float(special.ndtri(level)) * variance**0.5
    if abs(estimate) <= by_seed + by_images:  # both act at once
        return "between"
    return "above" if estimate > 0 else "below"


def _planned(
    conditions: list[Condition],
    sampling: Sampling,
    deviation: float,
    judging: Judging,
    tests: int,
) -> int | None:
    """Seeds for the hardest condition, if the difference seen is the true one."""
    return largest_of_all(
        [
            seeds_for_contrast(
                abs(sampling.estimate(condition)),
                [(deviation * weight) ** 2 for weight in condition.weights.values()],
                sampling.further_variance(condition),
                judging.level / 2 / tests,
                judging.power,
            )
            for condition in conditions
        ]
    )


def _compare(
    condition: Condition, sampling: Sampling, contrast: Contrast | None = None
) -> Comparison:
    """A condition with its test; where a model has too few runs: no interval, no p-value."""
    low, high = contrast.interval() if contrast else (None, None)
    return Comparison(
        kind=condition.kind,
        models=list(condition.models),
        quantity=condition.quantity,
        weights=dict(condition.weights),
        threshold=condition.threshold,
        estimate=sampling.estimate(condition),
        low=low,
        high=high,
        p_value=contrast.p_positive if contrast else None,
        pairings=sampling.pairings(condition),
    )


def _probability(
    claim: OrderClaim, models: list[str], conditions: Sequence[Condition], sampling: Sampling
) -> float:
    """The share of the bootstrap in which the whole claim holds."""
    if not conditions or claim.takes_times_as_exact:
        return _probability_by_rule(claim, models, sampling)
    held = np.ones(sampling.resamples, dtype=bool)
    for condition in conditions:
        total = np.zeros(sampling.resamples)
        for model, weight in condition.weights.items():
            total += weight * sampling.draws(model, condition.quantity)
        held &= total > condition.threshold
    return float(held.mean())


def _probability_by_rule(claim: OrderClaim, models: list[str], sampling: Sampling) -> float:
    """The same by the rule itself, in which the times vary as well."""
    accuracies = {model: sampling.draws(model, "accuracy").tolist() for model in models}
    minutes = {model: np.exp(sampling.draws(model, LOG_MINUTES)).tolist() for model in models}
    held = 0
    for draw in range(sampling.resamples):
        outcomes = {
            model: Outcome(LAYERS[model], accuracies[model][draw], minutes[model][draw], 0.0, 0.0)
            for model in models
        }
        held += claim.holds(outcomes)
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
