"""A quantity rises or falls from one model to the next, in each model, or ever more slowly."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims.base import (
    LOG_MINUTES,
    Condition,
    Models,
    OfQuantity,
    OrderClaim,
    Outcomes,
    TableRow,
    above,
)
from resnet_sizes.schemas.base import Number
from resnet_sizes.schemas.study.networks import ModelName, depth_of


class Ordering(OfQuantity, OrderClaim):
    """`quantity` rises strictly from the first model to the last."""

    models: Models = Field(min_length=2)
    rule: Literal["ordering"]

    def compared(self) -> list[tuple[str, str]]:
        return self._measured_of(self.models)

    def conditions(self, means: Outcomes) -> list[Condition]:
        return [above(self.quantity, more, less) for less, more in pairwise(self.models)]


class Ratio(Ordering):
    """Training times rise from the first model to the last, each in the ratio to the first that
    the table's minutes have.

    It holds where they rise: how far the ratios are from the printed ones is a matter of degree,
    which the test decides.
    """

    rule: Literal["ratio"]  # type: ignore[assignment]
    quantity: Literal["minutes"]
    tolerance: Number = Field(gt=0, lt=1)
    """Fraction by which a ratio may differ from the printed one and still be the same: ratios of
    the same networks differ from device to device."""

    def check_against(self, rows: Mapping[str, TableRow], base_model: str) -> None:
        for model in self.models:
            row = rows.get(model)
            if row is None or float(row.cells.get("minutes") or 0) <= 0:
                raise ValueError(
                    f"claims: {self.id} compares the training time of {model}, but the table "
                    "prints no minutes above 0 for it. Add them there, or use the rule `ordering`"
                )


class Factor(OrderClaim):
    """The training time of `model` is at least `at_least` times that of `than`."""

    rule: Literal["factor"]
    quantity: Literal["minutes"]
    model: ModelName
    than: ModelName
    at_least: Number = Field(gt=1)

    @property
    def base(self) -> str:
        """As other rules name it."""
        return self.than

    @model_validator(mode="after")
    def _models_differ(self) -> "Factor":
        if self.model == self.than:
            raise ValueError(f"than: is {self.than} like model. Name another one")
        return self

    def compared(self) -> list[tuple[str, str]]:
        return [(self.model, self.quantity), (self.than, self.quantity)]

    def holds(self, outcomes: Outcomes) -> bool:
        return outcomes[self.model].minutes >= self.at_least * outcomes[self.than].minutes

    def conditions(self, means: Outcomes) -> list[Condition]:
        """A factor of times is a difference of their logarithms."""
        weights: dict[str, float] = {self.model: 1.0, self.than: -1.0}
        models, threshold = (self.model, self.than), math.log(self.at_least)
        return [Condition("factor", LOG_MINUTES, models, weights, threshold)]


class Decrease(OrderClaim):
    """The loss of every model falls by the fraction `at_least` from first to last epoch."""

    rule: Literal["decrease"]
    models: Models = Field(min_length=1)
    at_least: Number = Field(gt=0, lt=1)

    def compared(self) -> list[tuple[str, str]]:
        return [(model, "loss_drop") for model in self.models]

    def holds(self, outcomes: Outcomes) -> bool:
        return all(outcomes[model].loss_drop >= self.at_least for model in self.models)

    def conditions(self, means: Outcomes) -> list[Condition]:
        return [
            Condition("drop", "loss_drop", (model,), {str(model): 1.0}, self.at_least)
            for model in self.models
        ]


class Diminishing(OrderClaim):
    """Accuracy gained per added layer is positive at the first step of depth and falls from
    each step to the next; `models` go from shallow to deep."""

    rule: Literal["diminishing"]
    models: Models = Field(min_length=3)

    @model_validator(mode="after")
    def _models_go_deeper(self) -> "Diminishing":
        for shallower, deeper in pairwise(self.models):
            if depth_of(shallower) >= depth_of(deeper):
                raise ValueError(
                    f"models: must go from shallow to deep, but {deeper} has no more layers than "
                    f"{shallower}, so that there is no gain per layer"
                )
        return self

    def compared(self) -> list[tuple[str, str]]:
        return [(model, what) for model in self.models for what in ("accuracy", "layers")]

    def conditions(self, means: Outcomes) -> list[Condition]:
        steps = list(pairwise(self.models))
        gains = [_gain(*step) for step in steps]
        found = [Condition("gain", "accuracy", steps[0], gains[0])]
        for (step, following), (gain, later) in zip(pairwise(steps), pairwise(gains), strict=True):
            models = (*step, following[1])
            weights: dict[str, float] = {
                model: gain.get(model, 0.0) - later.get(model, 0.0) for model in models
            }
            found.append(Condition("gain-falls", "accuracy", models, weights))
        return found


def _gain(shallower: str, deeper: str) -> dict[str, float]:
    per_layer = 1 / (depth_of(deeper) - depth_of(shallower))
    return {deeper: per_layer, shallower: -per_layer}
