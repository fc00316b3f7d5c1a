"""The loss falls."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.article.claims.base import Condition, Models, OrderClaim, Outcomes
from resnet_sizes.schemas.base import Number


class Decrease(OrderClaim):
    """The loss of every model falls by the fraction `at_least` from first to last epoch."""

    rule: Literal["decrease"]
    models: Models = Field(min_length=1)
    at_least: Number = Field(gt=0, lt=1)

    def compared(self) -> list[tuple[str, str]]:
        return [(model, "loss_drop") for model in self.models]

    def holds(self, outcomes: Outcomes) -> bool:
        return all(outcomes[model].loss_drop >= self.at_least for model in self.models)

    def conditions(self, mean_minutes: Mapping[str, float]) -> list[Condition]:
        return [
            Condition("drop", "loss_drop", (model,), {str(model): 1.0}, self.at_least)
            for model in self.models
        ]
