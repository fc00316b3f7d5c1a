"""A model has the highest or the lowest quantity, or several such things at once."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims.base import (
    LOSSES,
    Condition,
    Models,
    OrderClaim,
    Outcomes,
    Quantity,
    above,
    require_among,
    values_of,
)
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.study.protocol import ModelName


class Part(Record):
    """`model` has the `highest` or `lowest` quantity of `among`, and no other has the same."""

    quantity: Quantity
    model: ModelName
    extreme: Literal["highest", "lowest"]
    among: Models = Field(min_length=2)

    @model_validator(mode="after")
    def _model_is_among_them(self) -> "Part":
        require_among(self.model, self.among)
        return self

    def compared(self) -> list[tuple[str, str]]:
        """Each model with the quantity."""
        return [(model, self.quantity) for model in self.among]

    def holds(self, outcomes: Outcomes) -> bool:
        """Whether it holds in one seed, or on the means. Ties count against it."""
        own = getattr(outcomes[self.model], self.quantity)
        others = values_of(outcomes, self._others, self.quantity)
        beaten = own > max(others) if self.extreme == "highest" else own < min(others)
        return bool(beaten)

    def conditions(self, mean_minutes: Mapping[str, float]) -> list[Condition]:
        """One for each of the other models."""
        if self.extreme == "highest":
            return [above(self.quantity, self.model, other) for other in self._others]
        return [above(self.quantity, other, self.model) for other in self._others]

    @property
    def _others(self) -> list[str]:
        return [model for model in self.among if model != self.model]


class Extreme(Part, OrderClaim):
    """As a part of a conjunction, standing alone."""

    rule: Literal["extreme"]

    @property
    def subject(self) -> dict[str, str]:
        return {"quantity": self.quantity, "extreme": self.extreme}

    @property
    def is_order_of_losses(self) -> bool:
        return self.quantity in LOSSES


class Conjunction(OrderClaim):
    """All parts hold together."""

    rule: Literal["conjunction"]
    parts: list[Part] = Field(min_length=2)

    @property
    def subject(self) -> dict[str, str]:
        return {"model": self.parts[0].model}

    def compared(self) -> list[tuple[str, str]]:
        return [pair for part in self.parts for pair in part.compared()]

    def holds(self, outcomes: Outcomes) -> bool:
        return all(part.holds(outcomes) for part in self.parts)

    def conditions(self, mean_minutes: Mapping[str, float]) -> list[Condition]:
        return [condition for part in self.parts for condition in part.conditions(mean_minutes)]

    @model_validator(mode="after")
    def _layer_counts_stand_apart(self) -> "Conjunction":
        if len({part.quantity == "layers" for part in self.parts}) > 1:
            raise ValueError(
                "parts: some compare layer counts, which need no data, and some do not. Make "
                "two claims of them"
            )
        return self
