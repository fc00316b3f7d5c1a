"""Judging each claim of the article file, and the choice among networks, from a study's runs.

First comes what keeps the runs from being a test of the claim (`obstacles`); only where
there is nothing of that kind is the claim tested, from all seeds together. All tests of a study,
whatever the reading, are corrected together before any of them decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest
from resnet_sizes.evidence.judging.comparability import Case, obstacles
from resnet_sizes.evidence.judging.number_tests import NumberTest
from resnet_sizes.evidence.judging.order_tests import OrderTest
from resnet_sizes.evidence.judging.ratio_tests import RatioOrderTest
from resnet_sizes.evidence.judging.recommendation import choices_of
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import holm
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import TestKind
from resnet_sizes.schemas.evidence.verdicts import (
    Basis,
    Reason,
    Recommendation,
    Verdict,
    VerdictName,
)

_TESTS: dict[TestKind, Callable[[Any, Sampling, Article], ClaimTest]] = {
    "order": OrderTest,
    "ratio": RatioOrderTest,
    "number": NumberTest,
}


class Judgement(NamedTuple):
    """What a study says, reading by reading, in the study's order."""

    verdicts: list[Verdict]
    recommendations: list[Recommendation]


def judge(article: Article, samplings: Sequence[Sampling]) -> Judgement:
    """A verdict on each claim, and a network by each criterion, from each protocol of the study.

    Claims and choices that the same numbers decide are one test, counted once.
    """
    cases = [Case(claim, sampling, article) for sampling in samplings for claim in article.claims]
    choices = [choice for each in samplings for choice in choices_of(each, article)]
    tests = {case.numbers for case in cases if _is_tested(case)}
    tests |= {choice.numbers for choice in choices if choice.test}
    drafts = [_draft(case, len(tests)) for case in cases]

    p_values = {choice.numbers: choice.test.p_value for choice in choices if choice.test}
    p_values |= {draft.case.numbers: draft.p_value for draft in drafts if draft.test}
    adjusted = holm(p_values)
    verdicts = [
        _decided(draft, draft.test, adjusted[draft.case.numbers], len(adjusted))
        if draft.test
        else draft.verdict
        for draft in drafts
    ]
    judged = list(zip(drafts, verdicts, strict=True))
    recommendations = [
        choice.recommendation(
            adjusted.get(choice.numbers, 1.0),
            len(adjusted),
            [verdict for draft, verdict in judged if draft.test and choice.is_asked_by(draft.case)],
        )
        for choice in choices
    ]
    return Judgement(verdicts, recommendations)


def _is_tested(case: Case) -> bool:
    """Whether nothing but a lack of seeds keeps the runs from being a test of the claim."""
    needs = case.claim.needs
    return needs is not None and {why for _, why in obstacles(case, needs)} <= {"few-seeds"}


@dataclass(frozen=True)
class _Draft:
    """A verdict, or what it will be made from once its p-value is corrected."""

    case: Case
    verdict: Verdict
    test: ClaimTest | None = None
    """The test of a verdict that waits."""

    @property
    def p_value(self) -> float:
        basis = self.verdict.basis
        assert basis is not None
        assert basis.p_value is not None
        return basis.p_value


def _draft(case: Case, tests: int) -> _Draft:
    test = _TESTS[case.claim.test](case.claim, case.sampling, case.article)
    if case.claim.needs is None:
        right = test.holds_by_construction()
        name: VerdictName = "true-by-construction" if right else "contradicted"
        return _Draft(case, _verdict(case, right, (name, ["construction"])))
    minutes_mean_nothing = case.mixes_devices or case.prints_computed_minutes
    observed = None if minutes_mean_nothing else test.observed()
    found = obstacles(case, case.claim.needs)
    few_seeds = [reason for _, reason in found] == ["few-seeds"]
    if found and not few_seeds:
        reasons: list[Reason] = [reason for _, reason in found]
        return _Draft(case, _verdict(case, observed, (found[0][0], reasons)))
    basis = test.from_few_seeds(case.fewest_seeds, tests) if few_seeds else test.basis()
    if basis is None:
        return _Draft(case, _verdict(case, observed, ("not-comparable", ["no-increment"])))
    undecided: Answer = "not-enough-runs", ["few-seeds"]
    verdict = _verdict(case, observed, undecided, basis)
    return _Draft(case, verdict, None if few_seeds else test)


def _verdict(
    case: Case, observed: bool | None, answer: Answer, basis: Basis | None = None
) -> Verdict:
    name, reasons = answer
    return Verdict(
        id=case.claim.id,
        rule=case.claim.rule,
        protocol=case.sampling.protocol,
        verdict=name,
        reasons=reasons,
        observed=observed,
        basis=basis,
    )


def _decided(draft: _Draft, test: ClaimTest, p_adjusted: float, tests: int) -> Verdict:
    name, reasons = test.decide(p_adjusted, tests)
    changes: dict[str, Any] = {"p_adjusted": p_adjusted, "tests": tests}
    if name in ("not-enough-runs", "within-noise") or reasons == ["ratios-unclear"]:
        changes |= {"seeds_needed": test.settle(reasons[0], tests), "needed_from": "observed"}
    assert draft.verdict.basis is not None
    basis = draft.verdict.basis.model_copy(update=changes)
    return draft.verdict.model_copy(update={"verdict": name, "reasons": reasons, "basis": basis})
