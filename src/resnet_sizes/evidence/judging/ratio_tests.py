"""Testing ratios of training times against those of the printed minutes."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

from resnet_sizes.evidence.judging.claim_test import Answer
from resnet_sizes.evidence.judging.order_tests import OrderTest, largest_of_all
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import Contrast, Sample, contrast, seeds_for_contrast
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Ratio
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, printed_ends
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

    def basis(self) -> Basis:
        return super().basis().model_copy(update={"ratios": self._ratios()})

    def decide(self, p_adjusted: float, tests: int) -> Answer:
        verdict, reasons = super().decide(p_adjusted, tests)
        if verdict != "supported":
            return verdict, reasons
        level = self._judging.level / 2 / tests
        if any(ratio.is_outside(level / len(self._tested)) for ratio in self._tested):
            return "direction-only", ["ratios-differ"]
        if all(ratio.is_inside(level) for ratio in self._tested):
            return "supported", ["ratios-agree"]
        return "direction-only", ["ratios-unclear"]

    def settle(self, reason: Reason, tests: int) -> int | None:
        if reason != "ratios-unclear":
            return super().settle(reason, tests)
        level, power = self._judging.level / 2 / tests, self._judging.power
        fewest = self._sampling.seeds(self._models) + 1
        needed = [
            seeds_for_contrast(ratio.to_the_edge, ratio.variances, None, level, power, fewest)
            for ratio in self._tested
            if not ratio.is_inside(level)
        ]
        return largest_of_all(needed)

    def from_few_seeds(self, fewest: int, tests: int) -> Basis:
        ratios = self._ratios()
        return super().from_few_seeds(fewest, tests).model_copy(update={"ratios": ratios})

    @cached_property
    def _tested(self) -> list["_Ratio"]:
        return [self._measure(model) for model in self._others]

    def _measure(self, model: str) -> "_Ratio":
        low, high = printed_ends(self._printed[model])
        base_low, base_high = printed_ends(self._printed[self._base])
        samples = self._samples(model)
        return _Ratio(
            contrast=contrast(samples),
            variances=[sample.variance for sample in samples],
            low=math.log(low / base_high * (1 - self._tolerance)),
            high=math.log(high / base_low * (1 + self._tolerance)),
        )

    def _ratios(self) -> list[RatioTest]:
        """The ratio of each model's time to the first's; without an interval where one has a
        single run."""
        found = []
        for model in self._others:
            samples = self._samples(model)
            middle = sum(s.weight * sum(s.values) / len(s.values) for s in samples)
            several = all(len(sample.values) > 1 for sample in samples)
            low, high = contrast(samples).interval() if several else (None, None)
            found.append(
                RatioTest(
                    model=model,
                    base=self._base,
                    printed=float(self._printed[model]) / float(self._printed[self._base]),
                    ours=math.exp(middle),
                    low=None if low is None else math.exp(low),
                    high=None if high is None else math.exp(high),
                    by_macs=self._sampling.macs(model) / self._sampling.macs(self._base),
                )
            )
        return found

    def _samples(self, model: str) -> list[Sample]:
        return [
            Sample(1.0, self._sampling.values(model, LOG_MINUTES)),
            Sample(-1.0, self._sampling.values(self._base, LOG_MINUTES)),
        ]


@dataclass(frozen=True)
class _Ratio:
    """A ratio of times over several seeds, as a logarithm, between the ends of the tolerance."""

    contrast: Contrast
    variances: list[float]
    """Variances of the logarithms, from one seed of each model."""
    low: float
    high: float

    def is_inside(self, level: float) -> bool:
        above = self._less(self.low).p_positive < level
        return above and self._less(self.high).p_negative < level

    def is_outside(self, level: float) -> bool:
        below = self._less(self.low).p_negative < level
        return below or self._less(self.high).p_positive < level

    @property
    def to_the_edge(self) -> float:
        return min(abs(self.contrast.estimate - end) for end in (self.low, self.high))

    def _less(self, end: float) -> Contrast:
        return replace(self.contrast, estimate=self.contrast.estimate - end)
