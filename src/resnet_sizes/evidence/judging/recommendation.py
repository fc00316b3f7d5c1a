"""Which network the results of one reading recommend, by three criteria."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from resnet_sizes.evidence.judging.claim_test import ClaimTest
from resnet_sizes.evidence.judging.order_tests import OrderTest
from resnet_sizes.evidence.runs.read import from_one_code, on_one_device
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.orders import Extreme, ParetoKnee
from resnet_sizes.schemas.evidence.verdicts import Criterion, Recommendation, Verdict
from resnet_sizes.schemas.study.protocol import by_depth

K = TypeVar("K", Extreme, ParetoKnee)

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

    def recommendation(
        self, adjusted: Mapping[Hashable, float], judged: Iterable[tuple[ClaimTest[Any], Verdict]]
    ) -> Recommendation:
        """Firm where it is the best beyond chance, and no verdict leaves the same choice open:
        the numbers that leave the article's claim undecided recommend nothing either. `adjusted`
        holds the corrected p-values of all tests by their numbers."""
        claim, test = self.claim, self.test
        same = [
            verdict
            for other, verdict in judged
            if verdict.basis and verdict.basis.tests and verdict.protocol == self.protocol
            if claim and claim.question == other.claim.question
        ]
        firm = test and test.decide(adjusted[test.numbers], len(adjusted))[0] == "supported"
        decided = all(verdict.verdict in ("supported", "contradicted") for verdict in same)
        return Recommendation(
            protocol=self.protocol,
            criterion=self.criterion,
            model=claim.model if claim else None,
            firm=bool(firm and decided),
            tested=self.enough,
            rivals=[] if firm and decided else self._rivals(len(adjusted)),
        )

    def _rivals(self, tests: int) -> list[str]:
        """The other networks that are not behind it beyond chance, each tested by itself with
        Bonferroni's correction, which is never less strict than Holm's."""
        claim, test = self.claim, self.test
        if not (test and isinstance(claim, Extreme)):
            return []
        level, contrast = test.judging.level / 2 / tests, test.sampling.contrast
        conditions = claim.conditions(test.sampling.mean_outcomes)
        close = [each.models for each in conditions if contrast(each).p_positive >= level]
        return [model for models in close for model in models if model != claim.model]


def choices_of(sampling: Sampling, article: Article) -> Iterator[Choice]:
    """The best network of a reading by accuracy, by time, and by both (the knee of the Pareto
    front); none with results of fewer than two networks, or of several versions of the training
    code. Times of several devices choose nothing."""
    runs, means, own = sampling.runs, sampling.mean_outcomes, sampling.own
    models = by_depth([str(m) for m in runs.study.models if sampling.of(m)])
    finished = [run for model in models for run in sampling.of(model)]
    if len(models) < 2 or not from_one_code(finished):
        return
    complete = not runs.unfinished(sampling.protocol, runs.study.models)
    best = max(models, key=lambda m: means[m].accuracy)
    claims: dict[Criterion, Extreme | ParetoKnee | None] = {
        "accuracy": _own(Extreme, models, best, quantity="accuracy", extreme="highest")
    }
    if on_one_device(run for model in models for run in own.of(model)):
        fastest = min(models, key=lambda m: means[m].minutes)
        claims["minutes"] = _own(Extreme, models, fastest, quantity="minutes", extreme="lowest")
        if len(models) > 2:
            knees, times = [_own(ParetoKnee, models, each) for each in models], own.mean_outcomes
            claims["trade-off"] = next((knee for knee in knees if knee.holds(times)), None)
    for criterion, claim in claims.items():
        asked = [each for each in article.claims if claim and each.question == claim.question]
        fewest = max((each.needs.seeds for each in asked if each.needs), default=FEWEST_SEEDS)
        of_choice = sampling if criterion == "accuracy" else own
        enough = complete and of_choice.seeds(models) >= fewest
        test = OrderTest(claim, sampling, article) if claim and enough else None
        yield Choice(sampling.protocol, criterion, claim, test, enough)


def _own(kind: type[K], among: list[str], model: str, **parameters: str) -> K:
    """A claim that no article made."""
    text, needs = {"pt": "-", "en": "-"}, {"data": ["cifar10"]}
    (rule,) = get_args(kind.model_fields["rule"].annotation)
    own = {"id": "S0", "place": "conclusions", "text": text, "needs": needs, "rule": rule}
    return kind.model_validate(own | {"among": among, "model": model} | parameters)
