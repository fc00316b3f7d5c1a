"""Testing ratios of training times against those of the printed minutes."""

import math
from dataclasses import dataclass, replace

from resnet_sizes.evidence.judging.claim_test import Answer, OpenDecision
from resnet_sizes.evidence.judging.comparability import Case
from resnet_sizes.evidence.judging.order_tests import OrderTest, largest_of_all
from resnet_sizes.evidence.statistics.power import seeds_for_contrast
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import Contrast, Sample, contrast
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Ratio
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, printed_ends
from resnet_sizes.schemas.evidence.verdicts import Basis, RatioTest, Reason


class RatioOrderTest(OrderTest):
    """Training times that rise in the ratios of the printed minutes."""

    def __init__(self, case: Case[Ratio], sampling: Sampling) -> None:
        super().__init__(case, sampling)
        self._ratio_claim, self._article = case.claim, case.article

    def open(self) -> OpenDecision:
        return open_ratio(self._ratio_claim, super().open(), self._sampling, self._article)

    def with_few_seeds(self, fewest: int, tests: int) -> tuple[Basis | None, Answer]:
        basis, answer = super().with_few_seeds(fewest, tests)
        assert basis is not None
        ratios = _ratios(self._ratio_claim, self._sampling, self._article)
        return basis.model_copy(update={"ratios": ratios}), answer


def open_ratio(
    claim: Ratio, order: OpenDecision, sampling: Sampling, article: Article
) -> OpenDecision:
    """Open the test of an order of times, and of their ratios being the printed ones.

    `order` is tested as any other. The ratios agree if each is significantly (Welch, on
    logarithms) above the lower and below the upper end of the tolerance around what the printed
    minutes may stand for, a test of equivalence (Schuirmann, Journal of Pharmacokinetics and
    Biopharmaceutics 15, 1987); they differ if one lies significantly outside. Both levels are
    divided by the number of tests, the latter by that of the ratios too.
    """
    judging = article.judging
    base, *others = claim.models
    measured = [_Measured.of(claim, model, base, sampling, article) for model in others]

    def decide(p_adjusted: float, tests: int) -> Answer:
        verdict, reasons = order.decide(p_adjusted, tests)
        if verdict != "supported":
            return verdict, reasons
        level = judging.level / 2 / tests
        if any(ratio.is_outside(level / len(measured)) for ratio in measured):
            return "direction-only", ["ratios-differ"]
        if all(ratio.is_inside(level) for ratio in measured):
            return "supported", ["ratios-agree"]
        return "not-enough-runs", ["ratios-unclear"]

    def settle(reason: Reason, tests: int) -> int | None:
        if reason != "ratios-unclear":
            return order.settle(reason, tests)
        level = judging.level / 2 / tests
        fewest = sampling.seeds(list(claim.models)) + 1
        needed = [
            seeds_for_contrast(
                ratio.to_the_edge, ratio.variances, None, level, judging.power, fewest
            )
            for ratio in measured
            if not ratio.is_inside(level)
        ]
        return largest_of_all(needed)

    ratios = _ratios(claim, sampling, article)
    return OpenDecision(order.basis.model_copy(update={"ratios": ratios}), decide, settle)


@dataclass(frozen=True)
class _Measured:
    """A ratio of times over several seeds, as a logarithm, between the ends of the tolerance."""

    contrast: Contrast
    variances: list[float]
    """Of the logarithms, from one seed of each model."""
    low: float
    high: float

    @classmethod
    def of(
        cls, claim: Ratio, model: str, base: str, sampling: Sampling, article: Article
    ) -> "_Measured":
        printed = _printed_minutes(article)
        low, high = printed_ends(printed[model])
        base_low, base_high = printed_ends(printed[base])
        samples = _samples(model, base, sampling)
        return cls(
            contrast=contrast(samples),
            variances=[contrast([sample]).error ** 2 * len(sample.values) for sample in samples],
            low=math.log(low / base_high * (1 - claim.tolerance)),
            high=math.log(high / base_low * (1 + claim.tolerance)),
        )

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


def _ratios(claim: Ratio, sampling: Sampling, article: Article) -> list[RatioTest]:
    """The ratio of each model's time to the first's; without an interval where one has a
    single run."""
    base, *others = claim.models
    printed = _printed_minutes(article)
    found = []
    for model in others:
        samples = _samples(model, base, sampling)
        middle = sum(s.weight * sum(s.values) / len(s.values) for s in samples)
        several = all(len(sample.values) > 1 for sample in samples)
        low, high = contrast(samples).interval() if several else (None, None)
        found.append(
            RatioTest(
                model=model,
                base=base,
                printed=float(printed[model]) / float(printed[base]),
                ours=math.exp(middle),
                low=None if low is None else math.exp(low),
                high=None if high is None else math.exp(high),
                by_macs=sampling.macs(model) / sampling.macs(base),
            )
        )
    return found


def _samples(model: str, base: str, sampling: Sampling) -> list[Sample]:
    return [
        Sample(1.0, sampling.values(model, LOG_MINUTES)),
        Sample(-1.0, sampling.values(base, LOG_MINUTES)),
    ]


def _printed_minutes(article: Article) -> dict[str, str]:
    return {row.model: row.minutes for row in article.table if row.minutes is not None}
