"""What an article says: each claim with the rule that judges it, one class per rule."""

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, ValidationError

from resnet_sizes.io.messages import did_you_mean, explain, shown, shown_text
from resnet_sizes.schemas.article.claims.base import ClaimBase, Needs, OrderClaim
from resnet_sizes.schemas.article.claims.extreme import (
    Conjunction,
    Extreme,
    FewestResources,
    ParetoFront,
    ParetoKnee,
)
from resnet_sizes.schemas.article.claims.ordering import (
    Decrease,
    Diminishing,
    Factor,
    Ordering,
    Ratio,
)
from resnet_sizes.schemas.article.claims.printed_number import Cell, Increment, PrintedNumber

__all__ = [
    "Cell", "Claim", "ClaimBase", "Conjunction", "Decrease", "Diminishing",
    "Extreme", "Factor", "FewestResources", "Increment", "Needs", "OrderClaim", "Ordering",
    "ParetoFront", "ParetoKnee", "PrintedNumber", "Ratio",
]  # fmt: skip


def _explained(raw: Any) -> Any:
    """A claim as its own rule's record; what is wrong with it is told after its id."""
    if not isinstance(raw, dict):
        return raw
    name = f"({shown_text(str(raw['id']))}): " if "id" in raw else ""
    rule = raw.get("rule")
    kind = CLAIM_KINDS.get(rule) if isinstance(rule, str) else None
    if kind is None:
        names = list(CLAIM_KINDS)
        hint = did_you_mean(rule, names)
        raise ValueError(f"{name}rule: found {shown(rule)}; allowed: {', '.join(names)}.{hint}")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise ValueError(name + " ".join(explain(error, kind).values())) from None


Claim = Annotated[
    Ordering | Ratio | Factor | Extreme | FewestResources | Decrease
    | Increment | Diminishing | ParetoFront | ParetoKnee | Cell | Conjunction,
    Field(discriminator="rule"),
    BeforeValidator(_explained),
]  # fmt: skip
"""A new rule is a class and a name here."""


CLAIM_KINDS: dict[str, type[ClaimBase]] = {
    get_args(kind.model_fields["rule"].annotation)[0]: kind for kind in get_args(get_args(Claim)[0])
}
"""The record of each rule."""
