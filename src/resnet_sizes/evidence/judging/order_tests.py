"""Testing claims about an order: all of their conditions hold, or one is reversed."""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest
from resnet_sizes.evidence.runs.measurements import construction_outcomes
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import Contrast, Effect, seeds_for_effects
from resnet_sizes.schemas.article.claims import OrderClaim
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, Condition, Outcome
from resnet_sizes.schemas.evidence.verdicts import Basis, Comparison, Reason
from resnet_sizes.schemas.study.protocol import LAYERS

_Variances = Callable[[Condition], list[float]]
"""What a seed of each model adds to the variance of a condition."""


class OrderTest(ClaimTest[OrderClaim]):
    """A claim that holds or does not, in each seed and on the means.

    By one yardstick the claim holds if *all* conditions do, so the evidence for it is that of its
    weakest condition (an intersection-union test, Berger, Technometrics 24, 1982: no correction
    is due). It fails if *one* is reversed, so the smallest of those p-values is multiplied by
    their number. Its premises have to be established for either. The two directions together
    make the p-value twice the smaller. Of several yardsticks the one that decides least counts:
    where they decide differently, that is the verdict.
    """

    def holds_by_construction(self) -> bool:
        return self.claim.holds(construction_outcomes(self.models))

    def observed(self) -> bool | None:
        # Where yardsticks differ it neither holds nor fails.
        yardsticks = self.claim.by_yardstick()
        answers = {each.holds(table) for table in self.outcomes for each in yardsticks}
        return answers.pop() if len(answers) == 1 else None

    def basis(self, decides: bool) -> Basis:
        sampling = self.sampling
        return Basis(
            seeds=sampling.seeds(self.models),
            comparisons=[
                _compare(each, sampling, sampling.contrast(each) if decides else None)
                for each in self._conditions
            ],
            seeds_holding=self._seeds_holding(),
            probability=self._probability() if decides else None,
            p_value=self.p_value if decides else None,
        )

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return min(1.0, 2 * max(min(pair) for pair in self._p_values))

    def decide(self, p_adjusted: float, tests: int) -> Answer:
        if p_adjusted >= self.judging.level:
            return "within-noise", ["indistinct"]
        holds = {p_for <= p_against for p_for, p_against in self._p_values}
        if len(holds) > 1:
            return "depends-on-the-yardstick", ["yardsticks-differ"]
        return ("supported", ["rule-holds"]) if True in holds else ("contradicted", ["rule-fails"])

    def settle(self, reason: Reason, tests: int) -> int | None:
        fewest = self.sampling.seeds(self.models) + 1
        return self._seeds_to_decide(self._observed_variances, tests, fewest)

    def follows_accuracy(self) -> bool:
        means = self.sampling.mean_outcomes
        conditions = [each for one in self.claim.by_yardstick() for each in one.conditions(means)]
        return all(each.quantity == "accuracy" for each in conditions)

    def planned(self, points: float, tests: int) -> int | None:
        def variances(condition: Condition) -> list[float]:
            return [(points / 100 * weight) ** 2 for weight in condition.weights.values()]

        # An order of times that is a premise is taken to be as it is seen.
        return self._seeds_to_decide(variances, tests, self.fewest_seeds, with_premises=False)

    def _seeds_to_decide(
        self, variances: _Variances, tests: int, fewest: int, with_premises: bool = True
    ) -> int | None:
        """How many decide the claim by every yardstick."""
        means, needed = self.sampling.mean_outcomes, []
        for claim in self.claim.by_yardstick():
            premises = claim.premises(means) if with_premises else []
            conditions = claim.conditions(means)
            needed.append(self._seeds_for(conditions, variances, tests, fewest, premises))
        found = [number for number in needed if number is not None]
        return max(found) if len(found) == len(needed) else None

    def _seeds_for(
        self,
        conditions: Sequence[Condition],
        variances: _Variances,
        tests: int,
        fewest: int,
        premises: Sequence[Condition] = (),
    ) -> int | None:
        """How many tell whether all conditions hold. What is seen is taken for the truth: they all
        have to be found, or one of those that fail, and the premises in either case."""
        sampling, level = self.sampling, self.judging.level / 2 / tests

        def effect(condition: Condition, level: float) -> Effect:
            size, further = abs(sampling.estimate(condition)), sampling.further_variance(condition)
            return Effect(size, variances(condition), further, level)

        before = [effect(each, level) for each in premises]
        failing = [each for each in conditions if sampling.estimate(each) <= 0]
        ways = [[effect(each, level / len(conditions))] for each in failing]
        ways = ways or [[effect(each, level) for each in conditions]]
        found = [seeds_for_effects(before + way, self.judging.power, fewest) for way in ways]
        return min((number for number in found if number is not None), default=None)

    def _observed_variances(self, condition: Condition) -> list[float]:
        return [sample.variance for sample in self.sampling.samples(condition)]

    def _seeds_holding(self) -> int:
        """In how many seeds the rule holds by itself."""
        return sum(self.claim.holds(table) for table in self.outcomes)

    @property
    def _stated(self) -> list[Condition]:
        """What has to hold for the rule to hold in one resample."""
        return self._conditions

    @cached_property
    def _conditions(self) -> list[Condition]:
        """Premises and conditions by all yardsticks, each once."""
        found: list[Condition] = []
        means = self.sampling.mean_outcomes
        for yardstick in self.claim.by_yardstick():
            for condition in [*yardstick.premises(means), *yardstick.conditions(means)]:
                if condition not in found:
                    found.append(condition)
        return found

    @cached_property
    def _p_values(self) -> list[tuple[float, float]]:
        """By each yardstick: that all conditions hold, and that one is reversed while the premises
        hold."""
        means, contrast, found = self.sampling.mean_outcomes, self.sampling.contrast, []
        for yardstick in self.claim.by_yardstick():
            premises = [contrast(each).p_positive for each in yardstick.premises(means)]
            tested = [contrast(each) for each in yardstick.conditions(means)]
            # Without conditions it fails whatever else is measured.
            holding = [*premises, *(each.p_positive for each in tested)] if tested else [1.0]
            least = min((each.p_negative for each in tested), default=0.0)
            found.append((max(holding), max([min(1.0, len(tested) * least), *premises])))
        return found

    def _probability(self) -> float:
        """The share of the bootstrap in which the whole claim holds."""
        if self.claim.premises(self.sampling.mean_outcomes):
            return self._probability_by_rule()
        held = np.ones(self.sampling.resamples, dtype=bool)
        for condition in self._stated:
            total = np.zeros(self.sampling.resamples)
            for model, weight in condition.weights.items():
                total += weight * self.sampling.draws(model, condition.quantity)
            held &= total > condition.threshold
        return float(held.mean())

    def _probability_by_rule(self) -> float:
        """The same by the rule itself, in which the times vary as well."""
        draws, models = self.sampling.draws, self.models
        accuracies = {model: draws(model, "accuracy").tolist() for model in models}
        minutes = {model: np.exp(draws(model, LOG_MINUTES)).tolist() for model in models}
        held = 0
        for draw in range(self.sampling.resamples):
            outcomes = {
                model: Outcome(
                    LAYERS[model], accuracies[model][draw], minutes[model][draw], 0.0, 0.0
                )
                for model in models
            }
            held += self.claim.holds(outcomes)
        return held / self.sampling.resamples


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
