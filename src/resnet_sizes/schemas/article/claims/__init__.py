"""What an article says: each claim with the rule that judges it, one class per rule."""

from typing import Annotated, Any, get_args

from pydantic import Field

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
    "CLAIM_KINDS", "Cell", "Claim", "ClaimBase", "Conjunction", "Decrease", "Diminishing",
    "Extreme", "Factor", "FewestResources", "Increment", "Needs", "OrderClaim", "Ordering",
    "ParetoFront", "ParetoKnee", "PrintedNumber", "Ratio",
]  # fmt: skip

Claim = Annotated[
    Ordering | Ratio | Factor | Extreme | FewestResources | Decrease
    | Increment | Diminishing | ParetoFront | ParetoKnee | Cell | Conjunction,
    Field(discriminator="rule"),
]  # fmt: skip
"""A new rule is a class and a name here."""


def _rule_of(kind: Any) -> str:
    (name,) = get_args(kind.model_fields["rule"].annotation)
    return str(name)


CLAIM_KINDS: dict[str, type[ClaimBase]] = {
    _rule_of(kind): kind for kind in get_args(get_args(Claim)[0])
}
"""The record of each rule."""
