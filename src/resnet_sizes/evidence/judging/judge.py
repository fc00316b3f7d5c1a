"""Judging each claim of the article file, and the choice among networks, from a study's runs.

First comes what keeps the runs from being a test of the claim (`obstacles`); only where
there is nothing of that kind is the claim tested, from all seeds together. All tests of a study,
whatever the reading, are corrected together before any of them decides.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest
from resnet_sizes.evidence.judging.comparability import obstacles
from resnet_sizes.evidence.judging.number_tests import NumberTest
from resnet_sizes.evidence.judging.order_tests import OrderTest, RatioOrderTest
from resnet_sizes.evidence.judging.recommendation import choices_of
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import holm
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Claim, OrderClaim, PrintedNumber
from resnet_sizes.schemas.article.claims.base import Outcome
from resnet_sizes.schemas.article.claims.orders import Ratio
from resnet_sizes.schemas.evidence.verdicts import Reason, Recommendation, Verdict, VerdictName

Obstacles = list[tuple[VerdictName, Reason]]


class Judgement(NamedTuple):
    """What a study says, reading by reading, in the study's order."""

    verdicts: list[Verdict]
    recommendations: list[Recommendation]


def judge(article: Article, samplings: Sequence[Sampling]) -> Judgement:
    """A verdict on each claim, and a network by each criterion, from each protocol of the study.
    Claims and choices that the same numbers decide are one test, counted once."""
    tests = [test_of(claim, each, article) for each in samplings for claim in article.claims]
    found = [(test, obstacles(test)) for test in tests]
    choices = [choice for each in samplings for choice in choices_of(each, article)]
    chosen = {each.test.numbers: each.test.p_value for each in choices if each.test}
    # Nothing but a lack of seeds keeps the runs from being a test of these.
    tested = {
        test.numbers
        for test, hindrances in found
        if test.claim.needs and {why for _, why in hindrances} <= {"few-seeds"}
    }
    drafts = [(test, _draft(test, each, len(tested | chosen.keys()))) for test, each in found]

    p_values = {
        test.numbers: draft.basis.p_value
        for test, draft in drafts
        if draft.basis and draft.basis.p_value is not None
    }
    adjusted = holm(chosen | p_values)
    judged = [(test, _decided(test, draft, adjusted)) for test, draft in drafts]
    recommendations = [choice.recommendation(adjusted, judged) for choice in choices]
    return Judgement([verdict for _, verdict in judged], recommendations)


def test_of(claim: Claim, sampling: Sampling, article: Article) -> ClaimTest[Any]:
    """The test of a claim before the runs of one reading."""
    if isinstance(claim, PrintedNumber):
        return NumberTest(claim, sampling, article)
    if isinstance(claim, Ratio):
        return RatioOrderTest(claim, sampling, article)
    assert isinstance(claim, OrderClaim)
    return OrderTest(claim, sampling, article)


def _draft(test: ClaimTest[Any], hindrances: Obstacles, tests: int) -> Verdict:
    """A verdict, or what it will be made from once its p-value is corrected."""
    basis = None
    if test.claim.needs is None:
        runs = {model: test.sampling.runs.first_of(model) for model in test.models}
        none = 0.0, 0.0, 0.0, 0.0
        defined = {m: run.outcome if run else Outcome(m, *none) for m, run in runs.items()}
        observed: bool | None = test.holds(defined)
        answer: Answer = "true-by-construction" if observed else "contradicted", ["construction"]
    else:
        minutes_mean_nothing = test.mixes_devices or test.prints_computed_minutes
        observed = None if minutes_mean_nothing else test.observed()
        reasons = [reason for _, reason in hindrances]
        if hindrances and reasons != ["few-seeds"]:
            answer = hindrances[0][0], reasons
        else:
            basis = test.from_few_seeds(tests) if hindrances else test.basis(decides=True)
            answer = "not-enough-runs", ["few-seeds"]
            if basis is None:
                answer = "not-comparable", ["no-increment"]
    return Verdict(
        id=test.claim.id,
        rule=test.claim.rule,
        protocol=test.sampling.protocol,
        verdict=answer[0],
        reasons=answer[1],
        observed=observed,
        basis=basis,
    )


def _decided(test: ClaimTest[Any], draft: Verdict, adjusted: Mapping[Hashable, float]) -> Verdict:
    """The verdict of a draft; itself where nothing is tested."""
    if draft.basis is None or draft.basis.p_value is None:
        return draft
    p_adjusted, tests = adjusted[test.numbers], len(adjusted)
    name, reasons = test.decide(p_adjusted, tests)
    changes: dict[str, Any] = {"p_adjusted": p_adjusted, "tests": tests}
    if name in ("not-enough-runs", "within-noise") or reasons == ["ratios-unclear"]:
        # What differs between a few origins is known no better from more seeds of theirs.
        needed = None if test.origins else test.settle(reasons[0], tests)
        needed_from = "origins" if test.origins else "observed"
        changes |= {"seeds_needed": needed, "needed_from": needed_from}
    basis = draft.basis.model_copy(update=changes)
    return draft.model_copy(update={"verdict": name, "reasons": reasons, "basis": basis})
