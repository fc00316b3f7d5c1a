"""Testing claims about an order: all of their conditions hold, or one is reversed."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest, planned
from resnet_sizes.evidence.runs.measurements import construction_outcomes, seed_outcomes
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import Contrast, seeds_for_contrast
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import OrderClaim
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, Condition, Outcome, Outcomes
from resnet_sizes.schemas.evidence.verdicts import Basis, Comparison, Reason
from resnet_sizes.schemas.study.protocol import LAYERS


class OrderTest(ClaimTest):
    """A claim that holds or does not, in each seed and on the means.

    By one yardstick the claim holds if *all* conditions do, so the evidence for it is that of its
    weakest condition (an intersection-union test, Berger, Technometrics 24, 1982: no correction
    is due). It fails if *one* is reversed, so the smallest of those p-values is multiplied by
    their number. Its premises have to be established for either. The two directions together
    make the p-value twice the smaller. Of several yardsticks the one that decides least counts:
    where they decide differently, that is the verdict.
    """

    def __init__(self, claim: OrderClaim, sampling: Sampling, article: Article) -> None:
        self._claim, self._sampling = claim, sampling
        self._judging, self._models = article.judging, claim.models_compared(article.base_model)

    def holds_by_construction(self) -> bool:
        return self._claim.holds(construction_outcomes(self._models))

    def observed(self) -> bool | None:
        # Where yardsticks differ it neither holds nor fails.
        yardsticks = self._claim.by_yardstick()
        answers = {each.holds(table) for table in self._seeds for each in yardsticks}
        return answers.pop() if len(answers) == 1 else None

    def basis(self) -> Basis:
        sampling = self._sampling
        return Basis(
            seeds=sampling.seeds(self._models),
            comparisons=[
                _compare(condition, sampling, sampling.contrast(condition))
                for condition in self._conditions
            ],
            seeds_holding=self._seeds_holding(),
            probability=self._probability(),
            p_value=self.p_value,
        )

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return min(1.0, 2 * max(min(each.p_for, each.p_against) for each in self._measured))

    def decide(self, p_adjusted: float, tests: int) -> Answer:
        if p_adjusted >= self._judging.level:
            return "within-noise", ["indistinct"]
        holds = {each.p_for <= each.p_against for each in self._measured}
        if len(holds) > 1:
            return "depends-on-the-yardstick", ["yardsticks-differ"]
        return ("supported", ["rule-holds"]) if True in holds else ("contradicted", ["rule-fails"])

    def settle(self, reason: Reason, tests: int) -> int | None:
        level = self._judging.level / 2 / tests
        needed = [each.seeds(self._sampling, level, self._judging.power) for each in self._measured]
        return largest_of_all(needed)

    def from_few_seeds(self, fewest: int, tests: int) -> Basis:
        sampling, judging = self._sampling, self._judging
        basis = Basis(
            seeds=sampling.seeds(self._models),
            comparisons=[_compare(condition, sampling) for condition in self._conditions],
            seeds_holding=self._seeds_holding(),
            seeds_needed=fewest,
            needed_from="minimum",
        )
        usual = judging.seed_deviation
        # An order of times that is a premise is taken to be as it is seen.
        means, yardsticks = sampling.mean_outcomes, self._claim.by_yardstick()
        conditions = [each for one in yardsticks for each in one.conditions(means)]
        if usual is None or any(each.quantity != "accuracy" for each in conditions):
            return basis
        deviation = float(usual.points) / 100
        needed = [
            seeds_for_contrast(
                abs(sampling.estimate(condition)),
                [(deviation * weight) ** 2 for weight in condition.weights.values()],
                sampling.further_variance(condition),
                judging.level / 2 / tests,
                judging.power,
            )
            for condition in conditions
        ]
        return planned(basis, largest_of_all(needed), fewest)

    @cached_property
    def _seeds(self) -> list[Outcomes]:
        sampling = self._sampling
        return seed_outcomes(sampling.runs, sampling.protocol, self._models)

    def _seeds_holding(self) -> int:
        """In how many seeds the rule holds by itself."""
        return sum(self._claim.holds(table) for table in self._seeds)

    @cached_property
    def _conditions(self) -> list[Condition]:
        """Premises and conditions by all yardsticks, each once."""
        found: list[Condition] = []
        means = self._sampling.mean_outcomes
        for yardstick in self._claim.by_yardstick():
            for condition in [*yardstick.premises(means), *yardstick.conditions(means)]:
                if condition not in found:
                    found.append(condition)
        return found

    @cached_property
    def _measured(self) -> list["_Measured"]:
        return [_Measured.of(each, self._sampling) for each in self._claim.by_yardstick()]

    def _probability(self) -> float:
        """The share of the bootstrap in which the whole claim holds."""
        if self._claim.weighs_times:
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


@dataclass(frozen=True)
class _Measured:
    """A claim by one yardstick, with each of its premises and conditions as tested."""

    premises: list[tuple[Condition, Contrast]]
    conditions: list[tuple[Condition, Contrast]]

    @classmethod
    def of(cls, claim: OrderClaim, sampling: Sampling) -> "_Measured":
        means = sampling.mean_outcomes
        return cls(
            premises=[(each, sampling.contrast(each)) for each in claim.premises(means)],
            conditions=[(each, sampling.contrast(each)) for each in claim.conditions(means)],
        )

    @property
    def p_for(self) -> float:
        """That all conditions hold; 1 where none could."""
        if not self.conditions:
            return 1.0
        return max(tested.p_positive for _, tested in [*self.premises, *self.conditions])

    @property
    def p_against(self) -> float:
        """That a condition is reversed, while the premises hold."""
        ps = [tested.p_negative for _, tested in self.conditions]
        one_reversed = min(1.0, len(ps) * min(ps)) if ps else 0.0
        return max([one_reversed, *(tested.p_positive for _, tested in self.premises)])

    def seeds(self, sampling: Sampling, level: float, power: float) -> int | None:
        """How many would decide it. What is seen is taken for the truth: the claim then holds, or
        one condition fails."""

        def needed(pair: tuple[Condition, Contrast], level: float) -> int | None:
            condition, tested = pair
            samples = sampling.samples(condition)
            return seeds_for_contrast(
                abs(tested.estimate),
                [sample.variance for sample in samples],
                sampling.further_variance(condition),
                level,
                power,
                min(len(sample.values) for sample in samples) + 1,
            )

        premises = [needed(pair, level) for pair in self.premises]
        failing = [pair for pair in self.conditions if pair[1].estimate <= 0]
        if not failing:
            return largest_of_all(premises + [needed(pair, level) for pair in self.conditions])
        found = [needed(pair, level / len(self.conditions)) for pair in failing]
        fewest = min((number for number in found if number is not None), default=None)
        return largest_of_all([*premises, fewest])


def largest_of_all(needed: Sequence[int | None]) -> int | None:
    """Seeds that settle several questions together; None where there is none, or no number of
    seeds settles one of them."""
    found = [number for number in needed if number is not None]
    return max(found) if found and len(found) == len(needed) else None


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
