"""A model is the best trade-off between training time and accuracy."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims.base import (
    Condition,
    Models,
    OrderClaim,
    Outcomes,
    above,
    require_among,
)
from resnet_sizes.schemas.study.protocol import ModelName


class ParetoKnee(OrderClaim):
    """`model` is the knee of the Pareto front of (minutes, accuracy): more accurate than each
    faster model, and of those between the fastest and the slowest the farthest above the line
    from one to the other. The fastest one must be the most accurate."""

    rule: Literal["pareto-knee"]
    model: ModelName
    among: Models = Field(min_length=3)

    takes_times_as_exact: ClassVar[bool] = True

    @model_validator(mode="after")
    def _model_is_among_them(self) -> "ParetoKnee":
        require_among(self.model, self.among)
        return self

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
            return [above("accuracy", own, other) for other in self.among if other != own]
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
        faster = [model for model in self.among if model != own and times[model] <= times[own]]
        return found + [above("accuracy", own, model) for model in faster]


def _height(model: str, cheap: str, dear: str, times: Mapping[str, float]) -> dict[str, float]:
    """The weights of a model's accuracy above the line from the fastest to the slowest."""
    share = (times[model] - times[cheap]) / (times[dear] - times[cheap])
    return {model: 1.0, cheap: share - 1, dear: -share}
