"""How the learning rate goes over a training: one function for each schedule, and the warm-up."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from resnet_sizes.schemas.base import Number, Record, one_of


@dataclass(frozen=True)
class Moment:
    """Where a training is when a step begins."""

    epoch: int
    """The epoch under way, from 1."""
    epochs: int
    done: int
    """Epochs that are done; or steps, if the training's length is given in them."""
    milestones: Sequence[int]
    factor: float


def _cosine(moment: Moment) -> float:
    """Loshchilov and Hutter (2017), without restarts: constant within an epoch."""
    return (1 + math.cos(math.pi * (moment.epoch - 1) / moment.epochs)) / 2


def _steps(moment: Moment) -> float:
    return math.prod(moment.factor for each in moment.milestones if moment.done >= each)


SCHEDULES: dict[str, Callable[[Moment], float]] = {
    "constant": lambda moment: 1.0,
    "cosine": _cosine,
    "steps": _steps,
}
"""By its name what a schedule multiplies the learning rate by."""

ScheduleName = Annotated[str, AfterValidator(lambda name: one_of(name, SCHEDULES))]


class WarmUp(Record):
    """Another learning rate at the beginning, as He et al. (2015) give their 110 layers. The
    schedule goes on beneath it."""

    learning_rate: Number = Field(gt=0, description="The learning rate until then.")
    steps: int | None = Field(None, ge=1, description="It ends after so many steps.")
    until_train_error: Number | None = Field(None, gt=0, lt=1)
    """It ends after the first epoch in which a smaller fraction of the training images than this
    was classified wrongly, each when its own batch came."""

    @model_validator(mode="after")
    def _has_one_end(self) -> "WarmUp":
        if (self.steps is None) == (self.until_train_error is None):
            raise ValueError("has one end: give steps or until_train_error, and not both")
        return self

    def is_on(self, steps: int, errors: Sequence[float]) -> bool:
        """Whether it lasts, after so many steps and epochs with these training errors."""
        if self.steps is not None:
            return steps < self.steps
        return all(error >= (self.until_train_error or 0) for error in errors)
