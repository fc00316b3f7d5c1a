"""What an article says: each claim with the rule that judges it, one class per rule."""

from inspect import isabstract
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args

from pydantic import BeforeValidator, Field, ValidationError

from resnet_sizes.io.messages import explain, shown_text
from resnet_sizes.io.plugins import plugins
from resnet_sizes.schemas.article.claims import orders as order_rules
from resnet_sizes.schemas.article.claims import printed_number as number_rules
from resnet_sizes.schemas.article.claims.base import ClaimBase, OrderClaim, Outcome
from resnet_sizes.schemas.article.claims.printed_number import PrintedNumber
from resnet_sizes.schemas.article.columns import COLUMNS, Column
from resnet_sizes.schemas.base import one_of

__all__ = ["Claim", "ClaimBase", "OrderClaim", "PrintedNumber"]

# Here, where what a package may import of ours is there.
_QUANTITIES = {*dir(Outcome), *Outcome.__dataclass_fields__}
COLUMNS |= plugins(
    "columns",
    COLUMNS,
    lambda _, it: isinstance(it, Column) and (it.quantity in _QUANTITIES or it.field != ""),
)

_RULES: list[type[ClaimBase]] = [
    order_rules.Ordering, order_rules.Ratio, order_rules.Factor, order_rules.Extreme,
    order_rules.FewestResources, order_rules.Decrease, number_rules.Increment,
    order_rules.Diminishing, order_rules.ParetoFront, order_rules.ParetoKnee,
    number_rules.Cell, number_rules.PrintedMean, order_rules.Conjunction,
]  # fmt: skip
"""A new rule is a class and a name here, or in another package."""

CLAIM_KINDS = {get_args(kind.model_fields["rule"].annotation)[0]: kind for kind in _RULES}
"""The record of each rule."""


def _is_rule(name: str, it: type[ClaimBase]) -> bool:
    rules = get_args(it.model_fields["rule"].annotation)
    return issubclass(it, ClaimBase) and not isabstract(it) and rules == (name,)


CLAIM_KINDS |= plugins("rules", CLAIM_KINDS, _is_rule)


def _explained(raw: Any) -> Any:
    """A claim as its own rule's record; what is wrong with it is told after its id."""
    if not isinstance(raw, dict):
        return raw
    name = f"({shown_text(str(raw['id']))}): " if "id" in raw else ""
    rule: Any = raw.get("rule")
    try:
        kind = CLAIM_KINDS[one_of(rule, CLAIM_KINDS)]
    except ValueError as error:
        raise ValueError(f"{name}rule: {error}") from None
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise ValueError(name + " ".join(explain(error, kind).values())) from None


if TYPE_CHECKING:
    Claim = ClaimBase
else:
    Claim = Annotated[
        Union[tuple(CLAIM_KINDS.values())],  # noqa: UP007
        Field(discriminator="rule"),
        BeforeValidator(_explained),
    ]
