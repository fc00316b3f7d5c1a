"""Further layers bring less and less."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims.base import Condition, Models, OrderClaim, Outcomes
from resnet_sizes.schemas.study.protocol import LAYERS, by_depth


class Diminishing(OrderClaim):
    """Accuracy gained per added layer is positive at the first step of depth and falls from
    each step to the next; `models` go from shallow to deep."""

    rule: Literal["diminishing"]
    models: Models = Field(min_length=3)

    @model_validator(mode="after")
    def _models_go_deeper(self) -> "Diminishing":
        if by_depth(self.models) != self.models:
            raise ValueError("models: must go from shallow to deep")
        return self

    def compared(self) -> list[tuple[str, str]]:
        return [(model, what) for model in self.models for what in ("accuracy", "layers")]

    def holds(self, outcomes: Outcomes) -> bool:
        steps = pairwise(outcomes[model] for model in self.models)
        gains = [
            (deeper.accuracy - shallower.accuracy) / (deeper.layers - shallower.layers)
            for shallower, deeper in steps
        ]
        falls = all(later < earlier for earlier, later in pairwise(gains))
        return gains[0] > 0 and falls

    def conditions(self, mean_minutes: Mapping[str, float]) -> list[Condition]:
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
    per_layer = 1 / (LAYERS[deeper] - LAYERS[shallower])
    return {deeper: per_layer, shallower: -per_layer}
