"""Judging each statement of the ledger from the runs of a study.

First comes what keeps the runs from being a test of the statement (`obstacles`); only where
there is nothing of that kind does the statement's rule decide, from all seeds together. Nothing
is judged from an average.
"""

from collections.abc import Collection

from resnet_sizes.evidence.measurements import (
    SeedTable,
    construction_table,
    on_one_device,
    seed_tables,
    shallowest,
)
from resnet_sizes.evidence.obstacles import Case, obstacles
from resnet_sizes.evidence.rules import (
    compared_value,
    compares_minutes,
    half_unit,
    holds,
    prints_as,
)
from resnet_sizes.evidence.runs import StudyRuns
from resnet_sizes.evidence.statistics import prediction_interval
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.statements import (
    Cell,
    Conjunction,
    Decrease,
    Diminishing,
    Extreme,
    Increment,
    Ordering,
    ParetoKnee,
)
from resnet_sizes.records.verdicts import Reason, Verdict, VerdictName


def judge(ledger: Ledger, runs: StudyRuns, known_values: Collection[str]) -> list[Verdict]:
    """A verdict on each statement from each protocol of the study, in the order of both.

    `known_values` are the keys of values.json: a verdict names those that led to it.
    """
    verdicts = []
    for protocol in runs.study.protocols:
        for statement in ledger.statements:
            case = Case(ledger, runs, protocol, statement)
            name, reasons, observed = _judge(case)
            verdicts.append(
                Verdict(
                    id=statement.id,
                    rule=statement.rule,
                    protocol=protocol,
                    verdict=name,
                    reasons=reasons,
                    observed=observed,
                    values={
                        role: key for role, key in _values(case).items() if key in known_values
                    },
                )
            )
    return verdicts


def _judge(case: Case) -> tuple[VerdictName, list[Reason], bool | None]:
    if case.statement.needs is None:
        right = _holds_by_construction(case)
        return "true-by-construction" if right else "contradicted", ["construction"], right
    observed, reason = _observe(case)
    found = obstacles(case, case.statement.needs)
    if found:
        return found[0][0], [reason for _, reason in found], observed
    if observed is None:
        return "not-enough-runs", [reason], None
    return "supported" if observed else "contradicted", [reason], observed


def _holds_by_construction(case: Case) -> bool:
    table, statement = construction_table(case.models), case.statement
    if isinstance(statement, Cell | Increment):
        ours = compared_value(statement, table, case.ledger.base_model)
        return ours is not None and prints_as(ours, statement.printed)
    return holds(statement, table)


def _observe(case: Case) -> tuple[bool | None, Reason]:
    """What the runs at hand say, whether or not they are a test of the article."""
    if compares_minutes(case.statement) and not on_one_device(case.finished):
        return None, "mixed-devices"
    if case.prints_computed_minutes:
        return None, "other-device"
    tables = seed_tables(case.runs, case.protocol, case.models)
    if isinstance(case.statement, Cell | Increment):
        return _observe_interval(case, case.statement, tables)
    answers = {holds(case.statement, table) for table in tables}
    if not answers:
        return None, "runs-missing"
    if len(answers) > 1:
        return None, "seeds-disagree"
    return (True, "rule-holds") if True in answers else (False, "rule-fails")


def _observe_interval(
    case: Case, statement: Cell | Increment, tables: list[SeedTable]
) -> tuple[bool | None, Reason]:
    computed = [compared_value(statement, table, case.ledger.base_model) for table in tables]
    values = [value for value in computed if value is not None]
    interval = prediction_interval(values) if len(values) == len(tables) else None
    if interval is None:
        return None, "few-seeds"
    low, high = interval
    # The printed number stands for all that round to it.
    rounding = half_unit(statement.printed)
    if not low - rounding <= float(statement.printed) <= high + rounding:
        return False, "outside-interval"
    # Else the noisier the runs, the more they would seem to support.
    widest = statement.max_half_width
    if widest is not None and (high - low) / 2 > widest:
        return None, "interval-too-wide"
    return True, "inside-interval"


def _values(case: Case) -> dict[str, str]:
    """The numbers behind a verdict, role → key.

    A printed number has the roles `ours`, `article`, `low` and `high`; every other rule has
    `<model>.<quantity>` for each number that it compares.
    """
    statement = case.statement
    pairs: list[tuple[str, str]]
    match statement:
        case Cell() | Increment():
            return _printed_values(case, statement)
        case Conjunction():
            pairs = [(model, part.quantity) for part in statement.parts for model in part.among]
        case Ordering() | Extreme():
            pairs = [(model, statement.quantity) for model in case.models]
        case Decrease():
            pairs = [(model, "loss_drop") for model in statement.models]
        case Diminishing():
            pairs = [(model, what) for model in case.models for what in ("accuracy", "layers")]
        case ParetoKnee():
            pairs = [(model, what) for model in case.models for what in ("minutes", "accuracy")]
    return {
        f"{model}.{quantity}": value_key(case.protocol, model, quantity)
        for model, quantity in pairs
    }


def _printed_values(case: Case, statement: Cell | Increment) -> dict[str, str]:
    column: str
    base: str
    if isinstance(statement, Increment):
        column, base = f"{statement.quantity}_increment", statement.base
    else:
        column, base = statement.column, case.ledger.base_model
    is_increment = column.endswith("_increment")
    roles = {}
    if not is_increment or base == case.ledger.base_model:
        roles["article"] = f"article.{statement.model}.{column}"
    if column == "layers":
        return roles | {"ours": f"layers.{statement.model}"}
    if column == "layers_increment":
        ours = f"layers.{statement.model}.increment"
        return roles | {"ours": ours} if base == case.ledger.base_model else roles
    # values.json has increments of accuracy over the study's shallowest model alone.
    if is_increment and base != shallowest(case.runs.study.models):
        return roles
    ours = value_key(case.protocol, statement.model, column)
    bounds = f"{case.protocol}.{statement.model}.{column}.prediction"
    return roles | {"ours": ours, "low": f"{bounds}_low", "high": f"{bounds}_high"}


def value_key(protocol: str, model: str, quantity: str) -> str:
    """The key of a model's number in values.json: a mean where seeds can differ."""
    if quantity == "layers":
        return f"layers.{model}"
    key = f"{protocol}.{model}.{quantity}"
    return key if quantity.endswith("_increment") else f"{key}.mean"
