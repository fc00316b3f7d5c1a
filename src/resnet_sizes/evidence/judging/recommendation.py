"""Which network the results of one reading recommend, by three criteria."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from resnet_sizes.evidence.judging.claim_test import ClaimTest
from resnet_sizes.evidence.judging.order_tests import OrderTest
from resnet_sizes.evidence.runs.measurements import from_one_code, on_one_device
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Extreme, ParetoKnee
from resnet_sizes.schemas.evidence.verdicts import Criterion, Recommendation, Verdict
from resnet_sizes.schemas.study.protocol import by_depth

FEWEST_SEEDS = 3
"""Where no claim of the article is on the same choice; a claim asks for so many by itself."""


@dataclass(frozen=True)
class Choice:
    """The best network on the means of a reading, as the claim that it is the best."""

    protocol: str
    criterion: Criterion
    claim: Extreme | ParetoKnee | None
    """None where no network is the knee."""
    test: OrderTest | None
    """None without a claim, or with too few runs for a test."""
    enough: bool
    """Whether there are as many as a claim on the same choice asks for, and none is missing."""

    def is_asked_by(self, test: ClaimTest[Any]) -> bool:
        """Whether the article says which network is the best by the same criterion."""
        if self.claim is None or test.sampling.protocol != self.protocol:
            return False
        return bool(test.claim.question == self.claim.question)

    def recommendation(
        self, adjusted: Mapping[Hashable, float], verdicts: Sequence[Verdict]
    ) -> Recommendation:
        """Firm where it is the best beyond chance, and no verdict leaves the same choice open:
        the numbers that leave the article's claim undecided recommend nothing either. `adjusted`
        holds the corrected p-values of all tests by their numbers."""
        test = self.test
        firm = test is not None and (
            test.decide(adjusted[test.numbers], len(adjusted))[0] == "supported"
        )
        undecided = any(each.verdict not in ("supported", "contradicted") for each in verdicts)
        return Recommendation(
            protocol=self.protocol,
            criterion=self.criterion,
            model=self.claim.model if self.claim else None,
            firm=firm and not undecided,
            tested=self.enough,
        )


def choices_of(sampling: Sampling, article: Article) -> list[Choice]:
    """The best network of a reading by accuracy, by time, and by both (the knee of the Pareto
    front); empty with results of fewer than two networks, or of several versions of the training
    code. Times of several devices choose nothing."""
    runs, protocol = sampling.runs, sampling.protocol
    models = by_depth([str(m) for m in runs.study.models if sampling.of(m)])
    if len(models) < 2 or not from_one_code([run for m in models for run in sampling.of(m)]):
        return []
    complete = not runs.unfinished(protocol, runs.study.models)
    means = sampling.mean_outcomes
    best = max(models, key=lambda m: means[m].accuracy)
    claims: dict[Criterion, Extreme | ParetoKnee | None] = {
        "accuracy": _extreme(best, "accuracy", "highest", models)
    }
    if on_one_device([run for model in models for run in sampling.of(model)]):
        fastest = min(models, key=lambda m: means[m].minutes)
        claims["minutes"] = _extreme(fastest, "minutes", "lowest", models)
        if len(models) > 2:
            knees = [_knee(model, models) for model in models]
            claims["trade-off"] = next((knee for knee in knees if knee.holds(means)), None)
    found = []
    for criterion, claim in claims.items():
        asked = [each for each in article.claims if claim and each.question == claim.question]
        fewest = max((each.needs.seeds for each in asked if each.needs), default=FEWEST_SEEDS)
        enough = complete and sampling.seeds(models) >= fewest
        choice = Choice(
            protocol=protocol,
            criterion=criterion,
            claim=claim,
            test=OrderTest(claim, sampling, article) if claim and enough else None,
            enough=enough,
        )
        found.append(choice)
    return found


_OWN_CLAIM: dict[str, Any] = {
    "id": "S0",
    "place": "conclusions",
    "text": {"pt": "-", "en": "-"},
    "needs": {"data": ["cifar10"]},
}
"""A claim that no article made."""


def _extreme(model: str, quantity: str, extreme: str, among: list[str]) -> Extreme:
    own = {"quantity": quantity, "model": model, "extreme": extreme, "among": among}
    return Extreme.model_validate(_OWN_CLAIM | {"rule": "extreme"} | own)


def _knee(model: str, among: list[str]) -> ParetoKnee:
    own = {"model": model, "among": among}
    return ParetoKnee.model_validate(_OWN_CLAIM | {"rule": "pareto-knee"} | own)
