"""Which statements are one test, though an article says them twice."""

from collections.abc import Hashable

from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.statements import Cell, Increment, Statement, StatementBase


def deciding_numbers(statement: Statement, ledger: Ledger) -> Hashable:
    """The rule with its parameters: equal for statements that the same numbers decide.

    An increment over the table's first row is a cell in words.
    """
    if isinstance(statement, Increment) and statement.base == ledger.base_model:
        column: str = f"{statement.quantity}_increment"
    elif isinstance(statement, Cell):
        column = statement.column
    else:
        own = type(statement).model_fields.keys() - StatementBase.model_fields.keys()
        return tuple(sorted((name, repr(getattr(statement, name))) for name in own))
    return statement.model, column, statement.printed, statement.max_half_width
