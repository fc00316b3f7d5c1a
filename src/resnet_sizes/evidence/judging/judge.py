"""Judging each claim of the article file from the runs of a study.

First comes what keeps the runs from being a test of the claim (`obstacles`); only where
there is nothing of that kind is the claim tested, from all seeds together. All tests of one
reading are corrected together before any of them decides. From the verdicts of all readings
comes one on the article.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from resnet_sizes.evidence.judging.claim_test import Answer, ClaimTest
from resnet_sizes.evidence.judging.comparability import Case, obstacles
from resnet_sizes.evidence.judging.number_tests import NumberTest
from resnet_sizes.evidence.judging.order_tests import OrderTest
from resnet_sizes.evidence.judging.ratio_tests import RatioOrderTest
from resnet_sizes.evidence.statistics.sampling import Sampling
from resnet_sizes.evidence.statistics.tests import holm
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims.base import TestKind
from resnet_sizes.schemas.evidence.verdicts import (
    Agreement,
    Basis,
    Overall,
    Reason,
    Verdict,
    VerdictName,
)

_TESTS: dict[TestKind, Callable[[Any, Sampling, Article], ClaimTest]] = {
    "order": OrderTest,
    "ratio": RatioOrderTest,
    "number": NumberTest,
}


def judge(article: Article, samplings: Sequence[Sampling]) -> list[Verdict]:
    """A verdict on each claim from each protocol of the study, in the order of both."""
    verdicts = []
    for sampling in samplings:
        cases = [Case(claim, sampling, article) for claim in article.claims]
        tests = len({_test_name(case) for case in cases if _is_tested(case)})
        drafts = [_draft(case, tests) for case in cases]
        verdicts += [_verdict(draft) for draft in _decide_together(drafts)]
    return verdicts


@dataclass(frozen=True)
class _Draft:
    """A verdict that may still wait for the correction of its p-value."""

    case: Case
    observed: bool | None
    answer: Answer | None
    basis: Basis | None = None
    test: ClaimTest | None = None
    """Of one that waits."""


def _draft(case: Case, tests: int) -> _Draft:
    test = _TESTS[case.claim.test](case.claim, case.sampling, case.article)
    if case.claim.needs is None:
        right = test.holds_by_construction()
        name: VerdictName = "true-by-construction" if right else "contradicted"
        return _Draft(case, right, (name, ["construction"]))
    minutes_mean_nothing = case.mixes_devices or case.prints_computed_minutes
    observed = None if minutes_mean_nothing else test.observed()
    found = obstacles(case, case.claim.needs)
    if [reason for _, reason in found] == ["few-seeds"]:
        basis, answer = test.with_few_seeds(case.fewest_seeds, tests)
        return _Draft(case, observed, answer, basis)
    if found:
        reasons: list[Reason] = [reason for _, reason in found]
        return _Draft(case, observed, (found[0][0], reasons))
    basis = test.basis()
    if basis is None:
        return _Draft(case, observed, ("not-comparable", ["no-increment"]))
    return _Draft(case, observed, None, basis, test)


def _decide_together(drafts: list[_Draft]) -> list[_Draft]:
    """Correct the p-values of one reading by Holm's method and decide.

    Claims that the same numbers decide are one test, counted once.
    """
    adjusted = holm(
        {
            _test_name(draft.case): draft.basis.p_value
            for draft in drafts
            if draft.test and draft.basis and draft.basis.p_value is not None
        }
    )
    return [
        _decide(draft, draft.test, draft.basis, adjusted[_test_name(draft.case)], len(adjusted))
        if draft.test and draft.basis
        else draft
        for draft in drafts
    ]


def _decide(draft: _Draft, test: ClaimTest, basis: Basis, p_adjusted: float, tests: int) -> _Draft:
    answer = test.decide(p_adjusted, tests)
    basis = basis.model_copy(update={"p_adjusted": p_adjusted, "tests": tests})
    if answer[0] in ("not-enough-runs", "within-noise") and test.can_plan:
        needed = test.settle(answer[1][0], tests)
        basis = basis.model_copy(update={"seeds_needed": needed, "needed_from": "observed"})
    return replace(draft, answer=answer, basis=basis)


def _verdict(draft: _Draft) -> Verdict:
    assert draft.answer is not None
    name, reasons = draft.answer
    return Verdict(
        id=draft.case.claim.id,
        rule=draft.case.claim.rule,
        protocol=draft.case.sampling.protocol,
        verdict=name,
        reasons=reasons,
        observed=draft.observed,
        basis=draft.basis,
    )


def _test_name(case: Case) -> str:
    return repr(case.claim.deciding_numbers(case.article.base_model))


def _is_tested(case: Case) -> bool:
    """Whether nothing but a lack of seeds keeps the runs from being a test of the claim."""
    needs = case.claim.needs
    return needs is not None and {why for _, why in obstacles(case, needs)} <= {"few-seeds"}


def judge_readings(article: Article, verdicts: Sequence[Verdict]) -> list[Overall]:
    """One verdict for each claim, in the article file's order.

    It is firm only where all readings that decided give the same; otherwise it depends on the
    reading. A reading that a claim does not accept, or whose runs do not exist, does not
    take part unless there is no other; one that could not decide (too few runs, noise, no
    comparison) is no disagreement.
    """
    return [
        _overall([verdict for verdict in verdicts if verdict.id == claim.id])
        for claim in article.claims
    ]


def _overall(own: Sequence[Verdict]) -> Overall:
    """The verdict from the verdicts of all readings on one claim."""
    taking_part = [verdict for verdict in own if not _stands_aside(verdict)] or list(own)
    decided = [verdict for verdict in taking_part if verdict.verdict in _DECIDED]
    first = (decided or taking_part)[0]
    name, reasons = first.verdict, first.reasons
    agreement: Agreement | None = None
    if len({verdict.verdict for verdict in taking_part}) > 1:
        agreement = "readings-decide"
        if len({verdict.verdict for verdict in decided or taking_part}) > 1:
            name, agreement = "depends-on-the-reading", "readings-differ"
        reasons = [agreement]
    elif any(_grounds(verdict) != _grounds(first) for verdict in taking_part):
        # The same verdict from other numbers: those of one reading would not be all.
        all_decide = not decided or len(taking_part) == len(own)
        agreement = "readings-agree" if all_decide else "readings-decide"
        reasons = _shared_reasons(taking_part) or [agreement]
    return Overall(
        id=first.id,
        verdict=name,
        reasons=reasons,
        agreement=agreement,
        taking_part=[verdict.protocol for verdict in taking_part],
        readings={verdict.protocol: verdict.verdict for verdict in own},
    )


_DECIDED: tuple[VerdictName, ...] = ("supported", "direction-only", "contradicted")


def _stands_aside(verdict: Verdict) -> bool:
    return verdict.verdict == "not-run" or verdict.reasons[0] == "other-protocol"


def _grounds(verdict: Verdict) -> object:
    """What is said of a verdict: its numbers, or, where there are none, what is observed."""
    return verdict.reasons, verdict.basis or verdict.observed


def _shared_reasons(verdicts: Sequence[Verdict]) -> list[Reason]:
    first, *others = verdicts
    return [reason for reason in first.reasons if all(reason in other.reasons for other in others)]
