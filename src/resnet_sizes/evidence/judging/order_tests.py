"""Testing claims about an order: all of their conditions hold, or one is reversed."""

import math
from collections.abc import Sequence
from functools import cached_property
from itertools import chain

import numpy as np

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import Effect, seeds_for_effects
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import OrderClaim
from resnet_sizes.schemas.article.claims.base import (
    LOG_MINUTES,
    Condition,
    Outcome,
    Outcomes,
    longer,
    printed_ends,
)
from resnet_sizes.schemas.article.claims.orders import Ratio
from resnet_sizes.schemas.evidence.verdicts import Basis, Comparison, RatioTest, Reason


class OrderTest(ClaimTest[OrderClaim]):
    """A claim that holds or does not, in each seed and on the means.

    By one yardstick the claim holds if *all* conditions do, so the evidence for it is that of its
    weakest condition (an intersection-union test, Berger, Technometrics 24, 1982: no correction
    is due). It fails if *one* is reversed, so the smallest of those p-values is multiplied by
    their number. Its premises have to be established for either. The two directions together
    make the p-value twice the smaller. Of several yardsticks the one that decides least counts:
    where they decide differently, that is the verdict.
    """

    def holds(self, outcomes: Outcomes) -> bool:
        return self.claim.holds(outcomes) and all(each.is_met(outcomes) for each in self._ends)

    def observed(self) -> bool | None:
        # Where yardsticks differ it neither holds nor fails.
        yardsticks = self.claim.by_yardstick()
        answers = {each.holds(table) for table in self.outcomes for each in yardsticks}
        return answers.pop() if len(answers) == 1 else None

    def basis(self, decides: bool) -> Basis:
        return Basis(
            seeds=self.sampling.seeds(self.models),
            origins=self.origins,
            comparisons=[self._compare(condition, decides) for condition in self._conditions],
            seeds_holding=sum(self.holds(table) for table in self.outcomes),
            probability=self._probability() if decides else None,
            p_value=self.p_value if decides else None,
        )

    def _compare(self, condition: Condition, decides: bool) -> Comparison:
        """A condition with its test; where a model has too few runs: no interval, no p-value."""
        contrast = self.sampling.contrast(condition) if decides else None
        low, high = contrast.interval() if contrast else (None, None)
        return Comparison(
            kind=condition.kind,
            models=list(condition.models),
            quantity=condition.quantity,
            weights=dict(condition.weights),
            threshold=condition.threshold,
            estimate=self.sampling.estimate(condition),
            low=low,
            high=high,
            p_value=contrast.p_positive if contrast else None,
            pairings=list(self.sampling.pairings(condition)),
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
        return self._seeds_to_decide(tests, self.sampling.seeds(self.models) + 1)

    def follows_accuracy(self) -> bool:
        conditions = [each for _, conditions in self._by_yardstick for each in conditions]
        return all(each.quantity == "accuracy" for each in conditions)

    def planned(self, points: float, tests: int) -> int | None:
        return self._seeds_to_decide(tests, self.fewest_seeds, points)

    def _seeds_to_decide(self, tests: int, fewest: int, points: float | None = None) -> int | None:
        """How many decide the claim by every yardstick. Accuracies have a standard deviation of
        `points`, else what is observed; an order of times that is a premise is then taken to be
        as it is seen."""
        needed = [
            self._seeds_for(conditions, tests, fewest, points, premises if points is None else ())
            for premises, conditions in self._by_yardstick
        ]
        found = [number for number in needed if number is not None]
        return max(found) if len(found) == len(needed) else None

    def _seeds_for(
        self,
        conditions: Sequence[Condition],
        tests: int,
        fewest: int,
        points: float | None = None,
        premises: Sequence[Condition] = (),
    ) -> int | None:
        """How many tell whether all conditions hold. What is seen is taken for the truth: they all
        have to be found, or one of those that fail, and the premises in either case."""
        sampling, level = self.sampling, self.judging.level / 2 / tests

        def effect(condition: Condition, level: float) -> Effect:
            if points is None:
                variances = [sample.variance for sample in sampling.samples(condition)]
            else:
                variances = [(points / 100 * each) ** 2 for each in condition.weights.values()]
            size, further = abs(sampling.estimate(condition)), sampling.image_variance(condition)
            return Effect(size, variances, further, level)

        before = [effect(each, level) for each in premises]
        failing = [each for each in conditions if sampling.estimate(each) <= 0]
        ways = [[effect(each, level / len(conditions))] for each in failing]
        ways = ways or [[effect(each, level) for each in conditions]]
        found = [seeds_for_effects(before + way, self.judging.power, fewest) for way in ways]
        return min((number for number in found if number is not None), default=None)

    @cached_property
    def _by_yardstick(self) -> list[tuple[list[Condition], list[Condition]]]:
        """Premises and conditions by each yardstick of the claim."""
        means, ways = self.sampling.mean_outcomes, self.claim.by_yardstick()
        return [(each.premises(means), each.conditions(means)) for each in ways]

    @cached_property
    def _conditions(self) -> list[Condition]:
        """Premises and conditions by all yardsticks, each once."""
        found: list[Condition] = []
        for condition in chain.from_iterable(chain(*pair) for pair in self._by_yardstick):
            if condition not in found:
                found.append(condition)
        return found

    @cached_property
    def _ends(self) -> list[Condition]:
        """What the rule asks for besides these conditions."""
        return []

    @cached_property
    def _p_values(self) -> list[tuple[float, float]]:
        """By yardstick: that all conditions hold; that one is reversed, the premises holding."""
        contrast, found = self.sampling.contrast, []
        for premises, conditions in self._by_yardstick:
            before = [contrast(each).p_positive for each in premises]
            tested = [contrast(each) for each in conditions]
            # Without conditions it fails whatever else is measured.
            holding = [*before, *(each.p_positive for each in tested)] if tested else [1.0]
            least = min((each.p_negative for each in tested), default=0.0)
            found.append((max(holding), max([min(1.0, len(tested) * least), *before])))
        return found

    def _probability(self) -> float:
        """The share of the bootstrap in which the whole claim holds: by its conditions, or, where
        times place these, by the rule itself, so that the times vary as well."""
        draws = self.sampling.draws
        if any(premises for premises, _ in self._by_yardstick):
            drawn = []
            for model in self.models:
                both = draws(model, "accuracy").tolist(), np.exp(draws(model, LOG_MINUTES)).tolist()
                drawn.append([Outcome(model, *each, 0.0, 0.0) for each in zip(*both, strict=True)])
            tables = ({of.model: of for of in table} for table in zip(*drawn, strict=True))
            return float(np.mean([self.claim.holds(table) for table in tables]))
        held = np.ones(self.sampling.resamples, dtype=bool)
        for condition in [*self._conditions, *self._ends]:
            weights, quantity = condition.weights.items(), condition.quantity
            total = np.sum([weight * draws(model, quantity) for model, weight in weights], axis=0)
            held &= total > condition.threshold
        return float(held.mean())


class RatioOrderTest(OrderTest):
    """Training times that rise in the ratios of the printed minutes.

    Their order is tested as any other. The ratios agree if each is significantly (Welch, on
    logarithms) above the lower and below the upper end of the tolerance around what the printed
    minutes may stand for, a test of equivalence (Schuirmann, Journal of Pharmacokinetics and
    Biopharmaceutics 15, 1987); they differ if one lies significantly outside. Both levels are
    divided by the number of tests, the latter by that of the ratios too. An order that is
    established is never worth less than its direction, however unclear the ratios are.
    """

    def __init__(self, claim: Ratio, sampling: Sampling, article: Article) -> None:
        super().__init__(claim, sampling, article)
        self._tolerance = claim.tolerance
        self._base, *self._others = claim.models
        self._printed = {row.model: row.cells.get("minutes") or "" for row in article.table}

    def basis(self, decides: bool) -> Basis:
        ratios = [self._ratio(model) for model in self._others]
        return super().basis(decides).model_copy(update={"ratios": ratios})

    def decide(self, p_adjusted: float, tests: int) -> Answer:
        verdict, reasons = super().decide(p_adjusted, tests)
        if verdict != "supported":
            return verdict, reasons
        level = self.judging.level / 2 / tests
        tested = [self.sampling.contrast(end) for end in self._ends]
        if any(each.p_negative < level / len(self._others) for each in tested):
            return "direction-only", ["ratios-differ"]
        if all(each.p_positive < level for each in tested):
            return "supported", ["ratios-agree"]
        return "direction-only", ["ratios-unclear"]

    def settle(self, reason: Reason, tests: int) -> int | None:
        if reason != "ratios-unclear":
            return super().settle(reason, tests)
        return self._seeds_for(self._ends, tests, self.sampling.seeds(self.models) + 1)

    @cached_property
    def _ends(self) -> list[Condition]:
        """That a ratio is within its tolerance: two conditions per ratio, one for each end."""
        base, found = self._base, []
        base_low, base_high = printed_ends(self._printed[base])
        for model in self._others:
            low, high = printed_ends(self._printed[model])
            lower = math.log(low / base_high * (1 - self._tolerance))
            upper = math.log(high / base_low * (1 + self._tolerance))
            found += [longer(model, base, lower), longer(base, model, -upper)]
        return found

    def _ratio(self, model: str) -> RatioTest:
        """A model's time over the first's; without an interval where one has a single run."""
        sampling, both, ratio = self.sampling, [model, self._base], longer(model, self._base)
        interval = sampling.contrast(ratio).interval() if sampling.seeds(both) > 1 else None
        printed, base_printed = (float(self._printed[each]) for each in both)
        macs, base_macs = (sampling.of(each)[0].metrics.macs_per_image for each in both)
        return RatioTest(
            model=model,
            base=self._base,
            printed=printed / base_printed,
            ours=math.exp(sampling.estimate(ratio)),
            low=math.exp(interval[0]) if interval else None,
            high=math.exp(interval[1]) if interval else None,
            by_macs=macs / base_macs,
        )
