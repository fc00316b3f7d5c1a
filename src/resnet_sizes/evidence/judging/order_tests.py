"""Testing claims about an order: all of their conditions hold, or one is reversed."""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from scipy import special

from resnet_sizes.evidence.judging.claim_test import (
    UNDECIDED,
    Answer,
    ClaimTest,
    decided,
    largest_difference,
    undecided,
)
from resnet_sizes.evidence.runs.measurements import construction_outcomes, seed_outcomes
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import Contrast, seeds_for_contrast
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import OrderClaim
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, Condition, Outcome
from resnet_sizes.schemas.evidence.verdicts import Basis, Comparison, Reason
from resnet_sizes.schemas.study.protocol import LAYERS


class OrderTest(ClaimTest):
    """A claim that holds or does not, in each seed and on the means.

    The claim holds if *all* conditions do, so the evidence for it is that of its weakest
    condition (an intersection-union test, Berger, Technometrics 24, 1982: no correction is
    due). It fails if *one* is reversed, so the smallest of those p-values is multiplied by
    their number. The two directions together make the p-value twice the smaller. What is larger
    than any plausible effect of a seed decides with few seeds, and must not be taken back for
    there being more of them: it decides where the test does not.
    """

    def __init__(self, claim: OrderClaim, sampling: Sampling, article: Article) -> None:
        self._claim, self._sampling = claim, sampling
        self._judging, self._models = article.judging, claim.models_compared(article.base_model)

    def holds_by_construction(self) -> bool:
        return self._claim.holds(construction_outcomes(self._models))

    def observed(self) -> bool | None:
        answers = set(self._answers())
        return answers.pop() if len(answers) == 1 else None

    def basis(self) -> Basis:
        return Basis(
            seeds=self._sampling.seeds(self._models),
            comparisons=[
                _compare(condition, self._sampling, contrast)
                for condition, contrast in zip(self._conditions, self._contrasts, strict=True)
            ],
            seeds_holding=sum(self._answers()),
            probability=self._probability,
            p_value=self.p_value,
        )

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return min(1.0, 2 * min(self._p_values))

    def decide(self, p_adjusted: float, tests: int) -> Answer:
        if p_adjusted < self._judging.level:
            p_for, p_against = self._p_values
            holds_more = p_for <= p_against
            return ("supported", ["rule-holds"]) if holds_more else ("contradicted", ["rule-fails"])
        by_size = self.decided_by_size(tests)
        if by_size is not None:
            return by_size, ["beyond-seed-effect"]
        return "within-noise", ["indistinct"]

    def settle(self, reason: Reason, tests: int) -> int | None:
        # What is seen is taken for the truth: the claim then holds, or one condition fails.
        fails = any(contrast.estimate <= 0 for contrast in self._contrasts)
        level = self._judging.level / 2 / tests / (len(self._contrasts) if fails else 1)
        needed = [
            seeds_for_contrast(
                -contrast.estimate if fails else contrast.estimate,
                self._variances(condition),
                self._sampling.further_variance(condition),
                level,
                self._judging.power,
                self._sampling.seeds(self._models) + 1,
            )
            for condition, contrast in zip(self._conditions, self._contrasts, strict=True)
        ]
        if fails:
            return min((number for number in needed if number is not None), default=None)
        return largest_of_all(needed)

    def with_few_seeds(self, fewest: int, tests: int) -> tuple[Basis, Answer]:
        """Decided by large differences of accuracy."""
        basis = Basis(
            seeds=self._sampling.seeds(self._models),
            comparisons=[_compare(condition, self._sampling) for condition in self._conditions],
            seeds_holding=sum(self._answers()),
            seeds_needed=fewest,
            needed_from="minimum",
        )
        by_size = self.decided_by_size(tests)
        if by_size is not None:
            return decided(basis, by_size)
        effect = self._judging.seed_effect
        quantities = {condition.quantity for condition in self._conditions}
        if effect is None or quantities != {"accuracy"}:
            return basis, UNDECIDED
        return undecided(basis, self._planned(float(effect.deviation) / 100, tests), fewest)

    def decided_by_size(self, tests: int) -> Literal["supported", "contradicted"] | None:
        """What differences of accuracy alone decide; None where they are too small.

        A difference has to be beyond the largest effect of a seed and the chance of the test
        images together, for which the level is divided by the number of conditions and of `tests`.
        """
        # Nobody has said how far seeds move losses and times, so these decide nothing.
        of_accuracy = [each for each in self._conditions if each.quantity == "accuracy"]
        models = {model for condition in of_accuracy for model in condition.weights}
        limit = largest_difference(self._sampling, self._judging, models)
        if limit is None or not of_accuracy:
            return None
        level = self._judging.level / 2 / len(self._conditions) / tests
        sides = [_side(condition, self._sampling, limit, level) for condition in of_accuracy]
        if "below" in sides:
            return "contradicted"
        all_above = set(sides) == {"above"} and of_accuracy == self._conditions
        return "supported" if all_above else None

    def _answers(self) -> list[bool]:
        """Whether the rule holds by itself, in each seed."""
        sampling = self._sampling
        tables = seed_outcomes(sampling.runs, sampling.protocol, self._models)
        return [self._claim.holds(table) for table in tables]

    @cached_property
    def _conditions(self) -> list[Condition]:
        means = self._sampling.mean_outcomes()
        return self._claim.conditions({model: mean.minutes for model, mean in means.items()})

    @property
    def can_plan(self) -> bool:
        return bool(self._conditions)

    @cached_property
    def _contrasts(self) -> list[Contrast]:
        return [self._sampling.contrast(condition) for condition in self._conditions]

    @cached_property
    def _p_values(self) -> tuple[float, float]:
        """One-sided, for the claim and against it."""
        if self._contrasts:
            smallest = min(contrast.p_negative for contrast in self._contrasts)
            p_for = max(contrast.p_positive for contrast in self._contrasts)
            return p_for, min(1.0, len(self._contrasts) * smallest)
        # The rule is not linear: the bootstrap counts how often it holds, and no share of so
        # many draws is known to be smaller than one of them.
        least = 1 / self._sampling.resamples
        return max(1 - self._probability, least), max(self._probability, least)

    @cached_property
    def _probability(self) -> float:
        """The share of the bootstrap in which the whole claim holds."""
        if not self._conditions or self._claim.takes_times_as_exact:
            return self._probability_by_rule()
        held = np.ones(self._sampling.resamples, dtype=bool)
        for condition in self._conditions:
            total = np.zeros(self._sampling.resamples)
            for model, weight in condition.weights.items():
                total += weight * self._sampling.draws(model, condition.quantity)
            held &= total > condition.threshold
        return float(held.mean())

    def _probability_by_rule(self) -> float:
        """The same by the rule itself, in which the times vary as well."""
        draws, models = self._sampling.draws, self._models
        accuracies = {model: draws(model, "accuracy").tolist() for model in models}
        minutes = {model: np.exp(draws(model, LOG_MINUTES)).tolist() for model in models}
        held = 0
        for draw in range(self._sampling.resamples):
            outcomes = {
                model: Outcome(
                    LAYERS[model], accuracies[model][draw], minutes[model][draw], 0.0, 0.0
                )
                for model in models
            }
            held += self._claim.holds(outcomes)
        return held / self._sampling.resamples

    def _planned(self, deviation: float, tests: int) -> int | None:
        """Seeds for the hardest condition, if the difference seen is the true one."""
        level, power = self._judging.level / 2 / tests, self._judging.power
        needed = []
        for condition in self._conditions:
            effect = abs(self._sampling.estimate(condition))
            variances = [(deviation * weight) ** 2 for weight in condition.weights.values()]
            further = self._sampling.further_variance(condition)
            needed.append(seeds_for_contrast(effect, variances, further, level, power))
        return largest_of_all(needed)

    def _variances(self, condition: Condition) -> list[float]:
        """What one seed of each model adds to the variance of a condition."""
        return [
            weight**2 * float(np.var(self._sampling.values(model, condition.quantity), ddof=1))
            for model, weight in condition.weights.items()
        ]


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
