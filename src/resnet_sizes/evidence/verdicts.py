"""Judging each statement of the ledger from the runs of a study.

First comes what keeps the runs from being a test of the statement, in the order of
`_obstacles`; only where there is nothing of that kind does the statement's rule decide, from
all seeds together. Nothing is judged from an average.
"""

from collections.abc import Collection
from dataclasses import dataclass

from resnet_sizes.evidence.measurements import (
    SeedTable,
    construction_table,
    seed_tables,
    shallowest,
)
from resnet_sizes.evidence.rules import (
    INTERVAL_RULES,
    compared_value,
    half_unit,
    holds,
    prints_as,
)
from resnet_sizes.evidence.runs import StudyRuns
from resnet_sizes.evidence.statistics import prediction_interval
from resnet_sizes.records.ledger import (
    Cell,
    Conjunction,
    Decrease,
    Diminishing,
    Extreme,
    Increment,
    Ledger,
    Needs,
    Ordering,
    ParetoKnee,
    Statement,
)
from resnet_sizes.records.verdicts import Reason, Verdict, VerdictName


@dataclass(frozen=True)
class _Case:
    """A statement before the runs of one protocol."""

    ledger: Ledger
    runs: StudyRuns
    protocol: str
    statement: Statement

    @property
    def models(self) -> list[str]:
        return self.ledger.models_of(self.statement)


def judge(ledger: Ledger, runs: StudyRuns, known_values: Collection[str]) -> list[Verdict]:
    """A verdict on each statement from each protocol of the study, in the order of both.

    `known_values` are the keys of values.json: a verdict names those that led to it.
    """
    verdicts = []
    for protocol in runs.study.protocols:
        for statement in ledger.statements:
            case = _Case(ledger, runs, protocol, statement)
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


def _judge(case: _Case) -> tuple[VerdictName, list[Reason], bool | None]:
    if case.statement.needs is None:
        right = _holds_by_construction(case)
        return "true-by-construction" if right else "contradicted", ["construction"], right
    observed, reason = _observe(case)
    obstacles = _obstacles(case, case.statement.needs)
    if obstacles:
        return obstacles[0][0], [reason for _, reason in obstacles], observed
    if observed is None:
        return "not-enough-runs", [reason], None
    return "supported" if observed else "contradicted", [reason], observed


def _obstacles(case: _Case, needs: Needs) -> list[tuple[VerdictName, Reason]]:
    """What keeps the runs from being a test, the weightiest first; the first gives the verdict."""
    study, info, setup = case.runs.study, case.runs.info, case.ledger.setup
    training = study.training
    right_data = info.content in needs.data
    # Images that somebody left out before they made the archive are missing all the same.
    other_size = (info.train_images, info.test_images) != (setup.train_images, setup.test_images)
    fewest = max(needs.seeds, 2) if case.statement.rule in INTERVAL_RULES else needs.seeds
    candidates: list[tuple[bool, VerdictName, Reason]] = [
        (not right_data, "not-comparable", "other-data"),
        (not set(case.models) <= set(study.models), "not-enough-runs", "models-missing"),
    ]
    if needs.article_setup:
        epochs, batch_size, learning_rate = setup.epochs, setup.batch_size, setup.learning_rate
        candidates += [
            (info.is_subset or (right_data and other_size), "not-comparable", "subset"),
            (training.epochs != epochs, "not-comparable", "other-epochs"),
            (training.batch_size != batch_size, "not-comparable", "other-batch-size"),
            (training.learning_rate != learning_rate, "not-comparable", "other-learning-rate"),
        ]
    unfinished = case.runs.unfinished(case.protocol, case.models)
    candidates += [
        (needs.article_device, "not-comparable", "other-device"),
        (bool(unfinished), "not-enough-runs", "runs-missing"),
        (len(study.seeds) < fewest, "not-enough-runs", "few-seeds"),
    ]
    return [(verdict, reason) for applies, verdict, reason in candidates if applies]


def _holds_by_construction(case: _Case) -> bool:
    table, statement = construction_table(case.models), case.statement
    if isinstance(statement, Cell | Increment):
        ours = compared_value(statement, table, case.ledger.base_model)
        return ours is not None and prints_as(ours, statement.printed)
    return holds(statement, table)


def _observe(case: _Case) -> tuple[bool | None, Reason]:
    """What the runs at hand say, whether or not they are a test of the article."""
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
    case: _Case, statement: Cell | Increment, tables: list[SeedTable]
) -> tuple[bool | None, Reason]:
    computed = [compared_value(statement, table, case.ledger.base_model) for table in tables]
    values = [value for value in computed if value is not None]
    interval = prediction_interval(values) if len(values) == len(tables) else None
    if interval is None:
        return None, "few-seeds"
    low, high = interval
    # The printed number stands for all that round to it.
    rounding = half_unit(statement.printed)
    inside = low - rounding <= float(statement.printed) <= high + rounding
    return (True, "inside-interval") if inside else (False, "outside-interval")


def _values(case: _Case) -> dict[str, str]:
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


def _printed_values(case: _Case, statement: Cell | Increment) -> dict[str, str]:
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
    # values.json has increments over the study's shallowest model alone.
    if is_increment and base != shallowest(case.runs.study.models):
        return roles
    ours = value_key(case.protocol, statement.model, column)
    bounds = f"{case.protocol}.{statement.model}.{column}.prediction"
    return roles | {"ours": ours, "low": f"{bounds}_low", "high": f"{bounds}_high"}


def value_key(protocol: str, model: str, quantity: str) -> str:
    """The key of a model's number in values.json: a mean where seeds can differ."""
    key = f"{protocol}.{model}.{quantity}"
    single = quantity == "layers" or quantity.endswith("_increment")
    return key if single else f"{key}.mean"
