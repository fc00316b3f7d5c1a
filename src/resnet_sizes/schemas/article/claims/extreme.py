"""One model among several has the most or the least of a quantity, or is the best choice."""

from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims.base import (
    LOSSES,
    Condition,
    Models,
    OrderClaim,
    Outcomes,
    Quantity,
    above,
    values_of,
)
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.study.protocol import ModelName


class OneAmong(Record):
    """A model that is set against others."""

    model: ModelName
    among: Models

    @model_validator(mode="after")
    def _model_is_among_them(self) -> Self:
        if self.model not in self.among:
            raise ValueError(
                f"model: {self.model} is not in among ({', '.join(self.among)}). Add it there"
            )
        return self

    @property
    def _others(self) -> list[str]:
        return [model for model in self.among if model != self.model]


class Part(OneAmong):
    """`model` has the `highest` or `lowest` quantity of `among`, and no other has the same."""

    quantity: Quantity
    extreme: Literal["highest", "lowest"]
    among: Models = Field(min_length=2)

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


class ParetoKnee(OneAmong, OrderClaim):
    """`model` is the knee of the Pareto front of (minutes, accuracy): more accurate than each
    faster model, and of those between the fastest and the slowest the farthest above the line
    from one to the other. The fastest one must be the most accurate."""

    rule: Literal["pareto-knee"]
    among: Models = Field(min_length=3)

    takes_times_as_exact: ClassVar[bool] = True

    def compared(self) -> list[tuple[str, str]]:
        return [(model, what) for model in self.among for what in ("minutes", "accuracy")]

    def holds(self, outcomes: Outcomes) -> bool:
        """No faster model is as accurate, and none between the ends is as far above the line.

        The line goes from the fastest to the slowest model; that is the knee of Satopää et al.
        ("Finding a 'Kneedle' in a haystack", ICDCS Workshops 2011), whatever the scales of the
        axes. A knee that is also more accurate than the slowest model has beaten it outright, and
        the fastest model is the best choice where it is the most accurate as well.
        """
        found = {model: outcomes[model] for model in self.among}
        points = {model: (one.minutes, one.accuracy) for model, one in found.items()}
        own_minutes, own = points.pop(self.model)
        cheap, dear = min(points.values()), max(points.values())
        if own_minutes <= cheap[0]:
            return own > max(accuracy for _, accuracy in points.values())
        if own_minutes >= dear[0]:
            return False
        slope = (dear[1] - cheap[1]) / (dear[0] - cheap[0])

        def height(minutes: float, accuracy: float) -> float:
            return accuracy - cheap[1] - slope * (minutes - cheap[0])

        faster = [accuracy for minutes, accuracy in points.values() if minutes <= own_minutes]
        between = [height(*point) for point in points.values() if point not in (cheap, dear)]
        return own > max(faster) and height(own_minutes, own) > max([0.0, *between])

    def conditions(self, mean_minutes: Mapping[str, float]) -> list[Condition]:
        """The times place the line, which is linear in the accuracies once they are known."""
        times, own = mean_minutes, str(self.model)
        cheap, *middle, dear = sorted(self.among, key=times.__getitem__)
        if times[own] <= times[cheap]:
            return [above("accuracy", own, other) for other in self._others]
        if times[own] >= times[dear]:
            return []  # the slowest, which is no knee whatever the accuracies are
        at_own = _height(own, cheap, dear, times)
        found = [Condition("above-chord", "accuracy", (own, cheap, dear), at_own)]
        for other in middle:
            if other != own:
                at_other = _height(other, cheap, dear, times)
                higher = {
                    model: at_own.get(model, 0.0) - at_other.get(model, 0.0)
                    for model in (own, other, cheap, dear)
                }
                found.append(Condition("higher-above-chord", "accuracy", (own, other), higher))
        faster = [model for model in self._others if times[model] <= times[own]]
        return found + [above("accuracy", own, model) for model in faster]


def _height(model: str, cheap: str, dear: str, times: Mapping[str, float]) -> dict[str, float]:
    """The weights of a model's accuracy above the line from the fastest to the slowest."""
    share = (times[model] - times[cheap]) / (times[dear] - times[cheap])
    return {model: 1.0, cheap: share - 1, dear: -share}
