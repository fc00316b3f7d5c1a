"""Judging each statement of the ledger from the runs of a study.

First comes what keeps the runs from being a test of the statement (`obstacles`); only where
there is nothing of that kind is the statement tested, from all seeds together. All tests of one
reading are corrected together before any of them decides.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from resnet_sizes.evidence import few_seeds
from resnet_sizes.evidence.decision import Answer, OpenDecision
from resnet_sizes.evidence.measurements import (
    construction_table,
    on_one_device,
    seed_tables,
)
from resnet_sizes.evidence.obstacles import Case, obstacles
from resnet_sizes.evidence.orders import open_order
from resnet_sizes.evidence.printed_numbers import open_number, wilson
from resnet_sizes.evidence.ratios import open_ratio
from resnet_sizes.evidence.resampling import ImageResamples
from resnet_sizes.evidence.rules import (
    compared_value,
    compares_minutes,
    half_unit,
    holds,
    prints_as,
)
from resnet_sizes.evidence.runs import StudyRuns
from resnet_sizes.evidence.sampling import Sampling
from resnet_sizes.evidence.seed_effect import number_bounds, planned_deviation
from resnet_sizes.evidence.sentences import sentence_of
from resnet_sizes.evidence.statistics import holm, prediction_interval
from resnet_sizes.evidence.verdict_values import verdict_values
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.same_test import deciding_numbers
from resnet_sizes.records.statements import Cell, Increment, Ratio
from resnet_sizes.records.verdicts import Basis, Reason, Verdict, VerdictName


def judge(
    ledger: Ledger,
    runs: StudyRuns,
    known_values: Collection[str],
    images: ImageResamples | None = None,
) -> list[Verdict]:
    """A verdict on each statement from each protocol of the study, in the order of both.

    `known_values` are the keys of values.json: a verdict names those that led to it. `images`
    spares drawing the test images again where that was done.
    """
    images = images or ImageResamples(runs.info.test_images)
    verdicts = []
    for protocol in runs.study.protocols:
        sampling = Sampling(runs, protocol, images)
        cases = [Case(ledger, runs, protocol, statement) for statement in ledger.statements]
        tests = len({_test_name(case) for case in cases if _is_tested(case)})
        drafts = [_draft(case, sampling, tests) for case in cases]
        for draft in _decide_together(drafts):
            assert draft.answer is not None
            name, reasons = draft.answer
            statement = draft.case.statement
            keys = verdict_values(draft.case)
            verdict = Verdict(
                id=statement.id,
                rule=statement.rule,
                protocol=protocol,
                verdict=name,
                reasons=reasons,
                sentence=sentence_of(statement, name, reasons, draft.basis, draft.observed),
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
    statement = case.statement
    if statement.needs is None:
        right = _holds_by_construction(case)
        name: VerdictName = "true-by-construction" if right else "contradicted"
        return _Draft(case, right, (name, ["construction"]))
    observed = _observe(case)
    found = obstacles(case, statement.needs)
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
    if basis is None or isinstance(case.statement, Cell | Increment):
        return basis
    tables = seed_tables(case.runs, case.protocol, case.models)
    holding = sum(holds(case.statement, table) for table in tables)
    return basis.model_copy(update={"seeds_holding": holding})


def _open(case: Case, sampling: Sampling) -> OpenDecision | None:
    """The test of a statement; None where an increment over an accuracy of zero is asked for."""
    statement, judging = case.statement, case.ledger.judging
    if isinstance(statement, Cell | Increment):
        values = _compared_values(case, statement)
        if values is None:
            return None
        within, bounds = wilson(case, statement, values), _bounds(case, statement, sampling)
        return open_number(statement, values, within, bounds, judging)
    if isinstance(statement, Ratio):
        return open_ratio(statement, sampling, case.ledger)
    return open_order(statement, case.models, sampling, judging)


def _bounds(
    case: Case, statement: Cell | Increment, sampling: Sampling
) -> tuple[float, float] | None:
    return number_bounds(case.ledger, statement, sampling, case.runs.info.test_images)


def _from_few_seeds(case: Case, sampling: Sampling, tests: int) -> tuple[Basis | None, Answer]:
    statement, fewest = case.statement, case.fewest_seeds
    if not isinstance(statement, Cell | Increment):
        return few_seeds.judge_order(statement, case.models, sampling, case.ledger, fewest, tests)
    values = _compared_values(case, statement)
    if values is None:
        return None, ("not-comparable", ["no-increment"])
    bounds = _bounds(case, statement, sampling)
    within = wilson(case, statement, values)
    deviation = planned_deviation(case.ledger, statement, sampling)
    return few_seeds.judge_number(statement, values, bounds, within, deviation, fewest)


def _decide_together(drafts: list[_Draft]) -> list[_Draft]:
    """Correct the p-values of one reading by Holm's method and decide.

    Statements that the same numbers decide are one test, counted once.
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
    return repr(deciding_numbers(case.statement, case.ledger))


def _is_tested(case: Case) -> bool:
    """Whether nothing but a lack of seeds keeps the runs from being a test of the statement."""
    needs = case.statement.needs
    return needs is not None and {why for _, why in obstacles(case, needs)} <= {"few-seeds"}


def _holds_by_construction(case: Case) -> bool:
    table, statement = construction_table(case.models), case.statement
    if isinstance(statement, Cell | Increment):
        ours = compared_value(statement, table, case.ledger.base_model)
        return ours is not None and prints_as(ours, statement.printed)
    return holds(statement, table)


def _observe(case: Case) -> bool | None:
    """What the runs at hand say, whether or not they are a test of the article."""
    if compares_minutes(case.statement) and not on_one_device(case.finished):
        return None
    if case.prints_computed_minutes:
        return None
    if isinstance(case.statement, Cell | Increment):
        return _observe_interval(case, case.statement)
    tables = seed_tables(case.runs, case.protocol, case.models)
    answers = {holds(case.statement, table) for table in tables}
    return answers.pop() if len(answers) == 1 else None


def _observe_interval(case: Case, statement: Cell | Increment) -> bool | None:
    values = _compared_values(case, statement)
    interval = prediction_interval(values) if values else None
    if interval is None:
        return None
    low, high = interval
    rounding = half_unit(statement.printed)
    if not low - rounding <= float(statement.printed) <= high + rounding:
        return False
    # Else the noisier the runs, the more they would seem to support.
    widest = statement.max_half_width
    return None if widest is not None and (high - low) / 2 > widest else True


def _compared_values(case: Case, statement: Cell | Increment) -> list[float] | None:
    """Our number in each seed; None where one of them cannot be computed, or there is none."""
    tables = seed_tables(case.runs, case.protocol, case.models)
    computed = [compared_value(statement, table, case.ledger.base_model) for table in tables]
    values = [value for value in computed if value is not None]
    return values if values and len(values) == len(tables) else None
