"""Testing ratios of training times against those of the printed minutes."""

import math
from functools import cached_property

from resnet_sizes.evidence.judging.claim_test import Answer
from resnet_sizes.evidence.judging.order_tests import OrderTest
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Ratio
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, Condition, printed_ends
from resnet_sizes.schemas.evidence.verdicts import Basis, RatioTest, Reason


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
        self._printed: dict[str, str] = {row.model: row.minutes for row in article.table}

    def basis(self, decides: bool) -> Basis:
        return super().basis(decides).model_copy(update={"ratios": self._ratios()})

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
        fewest = self.sampling.seeds(self.models) + 1
        return self._seeds_for(self._ends, self._observed_variances, tests, fewest)

    @property
    def _stated(self) -> list[Condition]:
        """The rule asks for the ratios as well as for the order."""
        return [*super()._stated, *self._ends]

    def _seeds_holding(self) -> int:
        in_order = [table for table in self.outcomes if self.claim.holds(table)]
        return sum(all(end.is_met(table) for end in self._ends) for table in in_order)

    @cached_property
    def _ends(self) -> list[Condition]:
        """That a ratio is within its tolerance: two conditions per ratio, one for each end."""
        base, found = self._base, []
        base_low, base_high = printed_ends(self._printed[base])
        for model in self._others:
            low, high = printed_ends(self._printed[model])
            lower = math.log(low / base_high * (1 - self._tolerance))
            upper = math.log(high / base_low * (1 + self._tolerance))
            for first, second, end in ((model, base, lower), (base, model, -upper)):
                weights: dict[str, float] = {first: 1.0, second: -1.0}
                found.append(Condition("factor", LOG_MINUTES, (first, second), weights, end))
        return found

    def _ratios(self) -> list[RatioTest]:
        """The ratio of each model's time to the first's; without an interval where one has a
        single run."""
        sampling, found = self.sampling, []
        for model in self._others:
            weights: dict[str, float] = {model: 1.0, self._base: -1.0}
            ratio = Condition("factor", LOG_MINUTES, (model, self._base), weights)
            several = sampling.seeds([model, self._base]) > 1
            low, high = sampling.contrast(ratio).interval() if several else (None, None)
            found.append(
                RatioTest(
                    model=model,
                    base=self._base,
                    printed=float(self._printed[model]) / float(self._printed[self._base]),
                    ours=math.exp(sampling.estimate(ratio)),
                    low=None if low is None else math.exp(low),
                    high=None if high is None else math.exp(high),
                    by_macs=sampling.macs(model) / sampling.macs(self._base),
                )
            )
        return found
