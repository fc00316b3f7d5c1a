"""Judging each claim of the article file from the runs of a study.

First comes what keeps the runs from being a test of the claim (`obstacles`); only where
there is nothing of that kind is the claim tested, from all seeds together. All tests of one
reading are corrected together before any of them decides.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from resnet_sizes.evidence.judging import few_seeds
from resnet_sizes.evidence.judging.comparability import Case, obstacles
from resnet_sizes.evidence.judging.decision import Answer, OpenDecision
from resnet_sizes.evidence.judging.number_tests import open_number, wilson
from resnet_sizes.evidence.judging.order_tests import open_order
from resnet_sizes.evidence.judging.ratio_tests import open_ratio
from resnet_sizes.evidence.judging.rules import (
    compared_value,
    compares_minutes,
    half_unit,
    holds,
    prints_as,
)
from resnet_sizes.evidence.judging.sampling import Sampling
from resnet_sizes.evidence.judging.seed_effect import number_bounds, planned_deviation
from resnet_sizes.evidence.judging.verdict_values import verdict_values
from resnet_sizes.evidence.runs.measurements import (
    construction_table,
    on_one_device,
    seed_tables,
)
from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.evidence.statistics.bootstrap import ImageResamples
from resnet_sizes.evidence.statistics.tests import holm, prediction_interval
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Cell, Increment, Ratio
from resnet_sizes.schemas.evidence.verdicts import Basis, Reason, Verdict, VerdictName


def judge(
    article: Article,
    runs: StudyRuns,
    known_values: Collection[str],
    images: ImageResamples | None = None,
) -> list[Verdict]:
    """A verdict on each claim from each protocol of the study, in the order of both.

    `known_values` are the keys of values.json: a verdict names those that led to it. `images`
    spares drawing the test images again where that was done.
    """
    images = images or ImageResamples(runs.info.test_images)
    verdicts = []
    for protocol in runs.study.protocols:
        sampling = Sampling(runs, protocol, images)
        cases = [Case(article, runs, protocol, claim) for claim in article.claims]
        tests = len({_test_name(case) for case in cases if _is_tested(case)})
        drafts = [_draft(case, sampling, tests) for case in cases]
        for draft in _decide_together(drafts):
            assert draft.answer is not None
            name, reasons = draft.answer
            claim = draft.case.claim
            keys = verdict_values(draft.case)
            verdict = Verdict(
                id=claim.id,
                rule=claim.rule,
                protocol=protocol,
                verdict=name,
                reasons=reasons,
                observed=draft.observed,
                values={role: key for role, key in keys.items() if key in known_values},
                basis=draft.basis,
            )
            verdicts.append(verdict)
    return verdicts


@dataclass(frozen=True)
class _Draft:
    """A verdict that may still wait for the correction of its p-value."""

    case: Case
    observed: bool | None
    answer: Answer | None
    basis: Basis | None = None
    open: OpenDecision | None = None


def _draft(case: Case, sampling: Sampling, tests: int) -> _Draft:
    claim = case.claim
    if claim.needs is None:
        right = _holds_by_construction(case)
        name: VerdictName = "true-by-construction" if right else "contradicted"
        return _Draft(case, right, (name, ["construction"]))
    observed = _observe(case)
    found = obstacles(case, claim.needs)
    if [reason for _, reason in found] == ["few-seeds"]:
        basis, answer = _from_few_seeds(case, sampling, tests)
        return _Draft(case, observed, answer, _with_stability(case, basis))
    if found:
        reasons: list[Reason] = [reason for _, reason in found]
        return _Draft(case, observed, (found[0][0], reasons))
    decision = _open(case, sampling)
    if decision is None:
        return _Draft(case, observed, ("not-comparable", ["no-increment"]))
    return _Draft(case, observed, None, _with_stability(case, decision.basis), decision)


def _with_stability(case: Case, basis: Basis | None) -> Basis | None:
    """Add in how many seeds a rule on an order holds by itself."""
    if basis is None or isinstance(case.claim, Cell | Increment):
        return basis
    tables = seed_tables(case.runs, case.protocol, case.models)
    holding = sum(holds(case.claim, table) for table in tables)
    return basis.model_copy(update={"seeds_holding": holding})


def _open(case: Case, sampling: Sampling) -> OpenDecision | None:
    """The test of a claim; None where an increment over an accuracy of zero is asked for."""
    claim, judging = case.claim, case.article.judging
    if isinstance(claim, Cell | Increment):
        values = _compared_values(case, claim)
        if values is None:
            return None
        within, bounds = wilson(case, claim, values), _bounds(case, claim, sampling)
        return open_number(claim, values, within, bounds, judging)
    if isinstance(claim, Ratio):
        return open_ratio(claim, sampling, case.article)
    return open_order(claim, case.models, sampling, judging)


def _bounds(case: Case, claim: Cell | Increment, sampling: Sampling) -> tuple[float, float] | None:
    return number_bounds(case.article, claim, sampling, case.runs.info.test_images)


def _from_few_seeds(case: Case, sampling: Sampling, tests: int) -> tuple[Basis | None, Answer]:
    claim, fewest = case.claim, case.fewest_seeds
    if not isinstance(claim, Cell | Increment):
        return few_seeds.judge_order(claim, case.models, sampling, case.article, fewest, tests)
    values = _compared_values(case, claim)
    if values is None:
        return None, ("not-comparable", ["no-increment"])
    bounds = _bounds(case, claim, sampling)
    within = wilson(case, claim, values)
    deviation = planned_deviation(case.article, claim, sampling)
    return few_seeds.judge_number(claim, values, bounds, within, deviation, fewest)


def _decide_together(drafts: list[_Draft]) -> list[_Draft]:
    """Correct the p-values of one reading by Holm's method and decide.

    Claims that the same numbers decide are one test, counted once.
    """
    p_values: dict[str, float] = {}
    for draft in drafts:
        if draft.open is not None:
            assert draft.open.basis.p_value is not None
            p_values[_test_name(draft.case)] = draft.open.basis.p_value
    adjusted = holm(p_values)
    decided = []
    for draft in drafts:
        if draft.open is None:
            decided.append(draft)
            continue
        p_adjusted = adjusted[_test_name(draft.case)]
        answer = draft.open.decide(p_adjusted, len(adjusted))
        assert draft.basis is not None
        basis = draft.basis.model_copy(update={"p_adjusted": p_adjusted, "tests": len(adjusted)})
        if answer[0] in ("not-enough-runs", "within-noise"):
            needed = draft.open.settle(answer[1][0], len(adjusted))
            if draft.open.can_plan:
                basis = basis.model_copy(update={"seeds_needed": needed, "needed_from": "observed"})
        decided.append(replace(draft, answer=answer, basis=basis))
    return decided


def _test_name(case: Case) -> str:
    return repr(case.claim.deciding_numbers(case.article.base_model))


def _is_tested(case: Case) -> bool:
    """Whether nothing but a lack of seeds keeps the runs from being a test of the claim."""
    needs = case.claim.needs
    return needs is not None and {why for _, why in obstacles(case, needs)} <= {"few-seeds"}


def _holds_by_construction(case: Case) -> bool:
    table, claim = construction_table(case.models), case.claim
    if isinstance(claim, Cell | Increment):
        ours = compared_value(claim, table, case.article.base_model)
        return ours is not None and prints_as(ours, claim.printed)
    return holds(claim, table)


def _observe(case: Case) -> bool | None:
    """What the runs at hand say, whether or not they are a test of the article."""
    if compares_minutes(case.claim) and not on_one_device(case.finished):
        return None
    if case.prints_computed_minutes:
        return None
    if isinstance(case.claim, Cell | Increment):
        return _observe_interval(case, case.claim)
    tables = seed_tables(case.runs, case.protocol, case.models)
    answers = {holds(case.claim, table) for table in tables}
    return answers.pop() if len(answers) == 1 else None


def _observe_interval(case: Case, claim: Cell | Increment) -> bool | None:
    values = _compared_values(case, claim)
    interval = prediction_interval(values) if values else None
    if interval is None:
        return None
    low, high = interval
    rounding = half_unit(claim.printed)
    if not low - rounding <= float(claim.printed) <= high + rounding:
        return False
    # Else the noisier the runs, the more they would seem to support.
    widest = claim.max_half_width
    return None if widest is not None and (high - low) / 2 > widest else True


def _compared_values(case: Case, claim: Cell | Increment) -> list[float] | None:
    """Our number in each seed; None where one of them cannot be computed, or there is none."""
    tables = seed_tables(case.runs, case.protocol, case.models)
    computed = [compared_value(claim, table, case.article.base_model) for table in tables]
    values = [value for value in computed if value is not None]
    return values if values and len(values) == len(tables) else None
