"""What all claims have, and the numbers by which they are judged.

A claim is a class of its own: its parameters in the article file, and what they ask of results.
Everything here is plain arithmetic; how sure an answer is belongs to the tests of the evidence.
"""

import math
from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

from pydantic import ConfigDict, Field, model_validator

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.article.columns import FROM_DEFINITIONS, check_printed
from resnet_sizes.schemas.base import Distinct, Record
from resnet_sizes.schemas.hardware import NETWORK_COSTS_FILE, shipped_network_costs
from resnet_sizes.schemas.study.networks import ModelName, depth_of
from resnet_sizes.schemas.study.protocol import Description
from resnet_sizes.schemas.study.sources import ArticleContent

T = TypeVar("T", float, Decimal)

Quantity = Literal[
    "accuracy",  # of the last epoch, on the test images
    "error",  # what that lacks of 1
    "train_error",  # the same of the training images, in the last epoch
    "layers",
    "parameters",
    "minutes",  # of training, without evaluation
    "initial_loss",  # mean training loss of the first epoch
    "final_loss",  # of the last
    "loss_drop",  # by which fraction of the first it fell
    "loss_fall",  # by how many nats it fell
    "loss_reduction",  # how far it fell, by both of these yardsticks
]
"""What is compared."""

YARDSTICKS: dict[str, tuple[str, ...]] = {"loss_reduction": ("loss_drop", "loss_fall")}
"""Quantities that may be measured in more than one way, each of which has a say."""

LOSSES = ("initial_loss", "final_loss", "loss_drop", "loss_fall", "loss_reduction")
IN_TRAINING = (*LOSSES, "train_error")
"""Quantities of the training, not of its result."""

MOST_SEEDS = 1000
"""Where a claim needs more, the number of seeds is said to be out of reach."""

LOG_MINUTES = "log_minutes"
"""Times differ by factors, and so does their spread: they are compared by their logarithms."""

Printed = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]
"""A printed number with its digits kept (`80.84`), decimal point, no unit."""

Id = Annotated[str, Field(pattern=r"^[A-Z]{1,3}\d{1,3}$")]
"""What something said is called."""

Place = Literal["introduction", "methods", "table", "results", "figure", "conclusions"]
"""Where in the article something is said."""

ConditionKind = str
"""`difference`, `factor`, `drop`, `gain`, `gain-falls`, `above-chord`, `higher-above-chord`: what
the text of that name under `sentences.comparisons` says. A rule of another package may add one."""


def half_unit(printed: str) -> Decimal:
    """Half a unit of the last printed digit: `80.84` gives 0.005, `41` gives 0.5."""
    return Decimal("0.5").scaleb(-len(printed.partition(".")[2]))


def printed_ends(printed: str) -> tuple[float, float]:
    """The lowest and the highest number that round to a printed one."""
    number, rounding = float(printed), float(half_unit(printed))
    return number - rounding, number + rounding


def overlap(first: tuple[T, T], second: tuple[T, T]) -> bool:
    """Whether two intervals `(low, high)`, both ends included, have a number in common."""
    return first[0] <= second[1] and second[0] <= first[1]


def increment_percent(value: float, base: float) -> float:
    """By how many percent of `base` the `value` exceeds it (relative, not points)."""
    return (value / base - 1) * 100


class TableRow(Record):
    """One row of the article's table: a network, and what stands in the article's columns.

    Percent, minutes, layers, millions of parameters; null is a cell without a number.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Printed | int | None] = Field(init=False)

    model: ModelName = Field(description="Name of the network.")

    @property
    def cells(self) -> dict[str, str | None]:
        """What is printed, by column; what is counted may be a number in the file."""
        found = self.__pydantic_extra__
        return {name: text if text is None else str(text) for name, text in found.items()}

    @property
    def percent_right(self) -> float:
        """The printed accuracy, or what a printed error leaves of 100 %; NaN without either."""
        error = self.cells.get("error")
        return float(100 - Decimal(error) if error else self.cells.get("accuracy") or math.nan)

    @model_validator(mode="after")
    def _columns_are_known(self) -> Self:
        for name, printed in self.cells.items():
            check_printed(name, printed or "0")
        return self


@dataclass(frozen=True)
class Outcome:
    """The results of one run, or means over several, in numbers."""

    model: str
    accuracy: float
    """Fraction of the test images, after the last epoch."""
    minutes: float
    """Training, without evaluation; computed where the run had a feature cache."""
    initial_loss: float
    """Mean training loss of the first epoch, in nats."""
    final_loss: float
    """Mean training loss of the last epoch, in nats."""
    train_error: float = math.nan
    """Fraction of the training images that are classified wrongly, in the last epoch."""
    metrics: Any = field(default=None, compare=False, repr=False)
    """Those of the run, for columns that are on another of its numbers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.metrics, name)

    @property
    def error(self) -> float:
        """Fraction of the test images that are classified wrongly."""
        return 1 - self.accuracy

    @property
    def layers(self) -> int:
        """Of the network's definition."""
        return depth_of(self.model)

    @property
    def parameters(self) -> int:
        """As a run counted them; else of the network's definition for ten classes, if need be with
        the first layers that are for ImageNet. Raises UserError where no table has them."""
        if self.metrics:
            return int(self.metrics.parameters)
        for each in shipped_network_costs().networks:
            if each.model == self.model:
                return each.parameters
        remedy = "and no run of it is finished. Train it, or leave its parameters out"
        raise UserError(f"{NETWORK_COSTS_FILE}: has no {self.model}, {remedy}")

    @property
    def loss_drop(self) -> float:
        """Fraction of the initial loss that is gone at the end; 0 where there was none."""
        return 1 - self.final_loss / self.initial_loss if self.initial_loss else 0.0

    @property
    def loss_fall(self) -> float:
        """By how much the loss is lower at the end, in nats."""
        return self.initial_loss - self.final_loss

    @property
    def log_minutes(self) -> float:
        """The natural logarithm; of a time that the clock shows as zero that of a nanominute."""
        return math.log(max(self.minutes, 1e-9))


Outcomes = Mapping[str, Outcome]
"""The outcomes of one seed, or their means, by model."""


class Condition(NamedTuple):
    """Σ weight · quantity(model) > threshold: a part of a claim that can be tested."""

    kind: ConditionKind
    quantity: str
    models: tuple[str, ...]
    weights: Mapping[str, float]
    threshold: float = 0.0
    minute_weights: Mapping[str, float] = MappingProxyType({})
    """By how much the sum changes with a minute more of a model, where times place what the
    quantity is compared with."""

    def is_met(self, outcomes: Outcomes) -> bool:
        """Whether it holds in one seed, or on the means. Ties count against it."""
        parts = [w * getattr(outcomes[m], self.quantity) for m, w in self.weights.items()]
        return bool(sum(parts) > self.threshold)


def above(quantity: str, more: str, less: str) -> Condition:
    """The first model's quantity is above the second's; of errors, its accuracy is below."""
    if quantity == "error":
        return above("accuracy", less, more)
    of_log = LOG_MINUTES if quantity == "minutes" else quantity
    return Condition("difference", of_log, (more, less), {more: 1.0, less: -1.0})


def longer(more: str, less: str, log_ratio: float = 0.0) -> Condition:
    """The first model's time is above so many times the second's, by the ratio's logarithm."""
    return above("minutes", more, less)._replace(kind="factor", threshold=log_ratio)


Models = Distinct[ModelName]


class Needs(Record):
    """What a claim accepts as a test of itself. A run that misses any of it is not
    comparable; fewer seeds are not enough runs."""

    data: list[ArticleContent] = Field(min_length=1, description="Contents of the dataset.")
    protocols: Literal["any"] | list[str] = "any"
    """Names of the protocols that are readings of the article for this claim; `any` where it is
    said of whatever the article did."""
    seeds: int = Field(3, ge=2, le=MOST_SEEDS)
    """Runs a model from which a verdict is given; two at least, since one run shows no spread
    between seeds."""
    article_setup: bool = True
    """Whether epochs or iterations, batch size, learning rate and number of images must be the
    article's, as far as it states them."""
    article_device: bool = False
    """Whether the device must be the article's, which it does not name."""


class ClaimBase(Record):
    """What all claims have. A rule is a subclass: its fields are the parameters in the article
    file, and the abstract members say what it compares."""

    id: Id = Field(description="One to three capitals and a number: `S12`.")
    rule: str
    place: Place = Field(description="Where in the article.")
    text: Description = Field(description="The claim in our own words.")
    criterion: Description | None = None
    """How it is judged, where the article leaves that to us."""
    needs: Needs | None = None
    """Left out for what is true by construction and needs no data."""

    @property
    @abstractmethod
    def quantities(self) -> tuple[str, ...]:
        """What is compared, of whichever model."""

    @abstractmethod
    def models_compared(self, base_model: str) -> list[str]:
        """The models whose runs it needs. `base_model` is the one over which the increments of
        the article's table are: its first row."""

    @abstractmethod
    def value_keys(self, protocol: str, base_model: str, study_base: str) -> dict[str, str]:
        """The numbers behind a verdict in values.json, role → key; not every one need be there.
        `study_base` is the model over which the study's increments are."""

    @property
    def subject(self) -> dict[str, str]:
        """Those of its parameters that name what it is about."""
        names = ("quantity", "extreme", "column", "model", "base")
        return {name: str(getattr(self, name)) for name in names if hasattr(self, name)}

    @property
    def true_by_construction(self) -> bool:
        """Whether it speaks of nothing but what the networks' definitions decide."""
        return FROM_DEFINITIONS.issuperset(self.quantities)

    @property
    def question(self) -> Hashable | None:
        """What the claim answers by naming a model, so that it is known which others answer the
        same; None of claims that name none."""
        return None

    def deciding_numbers(self, base_model: str) -> Hashable:
        """The rule with its parameters: equal for claims that are one test of the same numbers."""
        if self.question is not None:
            return self.question, self.subject["model"]
        own = {"rule"} | type(self).model_fields.keys() - ClaimBase.model_fields.keys()
        return tuple(sorted((name, repr(getattr(self, name))) for name in own))

    def check_against(self, rows: Mapping[str, TableRow], base_model: str) -> None:
        """Raises ValueError where the article's table says otherwise, or lacks what it needs.
        `rows` are those of the table, by model."""

    @model_validator(mode="after")
    def _needs_are_given_where_data_decide(self) -> "ClaimBase":
        if self.true_by_construction and self.needs is not None:
            raise ValueError("needs: layer counts need no data, nor do parameters. Leave needs out")
        if not self.true_by_construction and self.needs is None:
            raise ValueError("needs: is missing; only layer counts and parameters need no data")
        return self


class OfQuantity(Record):
    """Something said of one quantity of several models."""

    quantity: Quantity = Field(description="What is compared.")

    def by_yardstick(self) -> Sequence[Self]:
        """By each quantity by which its own is measured: itself, unless it has `YARDSTICKS`."""
        measures = YARDSTICKS.get(self.quantity, (self.quantity,))
        return [self.model_copy(update={"quantity": each}) for each in measures]

    def _measured_of(self, models: Sequence[str]) -> list[tuple[str, str]]:
        return [(model, each.quantity) for each in self.by_yardstick() for model in models]


class OrderClaim(ClaimBase):
    """Something that holds in a table of outcomes where all of its conditions do, each of which
    can be tested."""

    def by_yardstick(self) -> "Sequence[OrderClaim]":
        """The claim by each yardstick that its quantities have; of most there is one."""
        return [self]

    def holds(self, outcomes: Outcomes) -> bool:
        """Whether it holds in one seed, or on the means, by every yardstick."""
        for each in self.by_yardstick():
            conditions = each.conditions(outcomes)
            both = [*each.premises(outcomes), *conditions]
            if not conditions or not all(condition.is_met(outcomes) for condition in both):
                return False
        return True

    @abstractmethod
    def conditions(self, means: Outcomes) -> list[Condition]:
        """The same by its only yardstick, as linear conditions near the `means`; empty where it
        fails whatever else is measured, given its premises."""

    def premises(self, means: Outcomes) -> list[Condition]:
        """What has to be established for its conditions to be the right ones."""
        return []

    @abstractmethod
    def compared(self) -> list[tuple[str, str]]:
        """Each model with each quantity of it that is compared."""

    @property
    def quantities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(quantity for _, quantity in self.compared()))

    def models_compared(self, base_model: str) -> list[str]:
        return list(dict.fromkeys(model for model, _ in self.compared()))

    def value_keys(self, protocol: str, base_model: str, study_base: str) -> dict[str, str]:
        """`<model>.<quantity>` for each number that is compared; a mean where seeds can differ."""
        ends = {"parameters": "parameters", "macs": "macs_per_image"}
        keys = {}
        for model, quantity in self.compared():
            own = f"{protocol}.{model}.{ends.get(quantity, f'{quantity}.mean')}"
            keys[f"{model}.{quantity}"] = f"layers.{model}" if quantity == "layers" else own
        return keys
