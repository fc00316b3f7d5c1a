"""What an article says, each claim with the rule that judges it."""

from collections.abc import Hashable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from resnet_sizes.schemas.base import Number, Record
from resnet_sizes.schemas.study.protocol import LAYERS, Description, ModelName
from resnet_sizes.schemas.study.study import DataContent

Quantity = Literal["accuracy", "layers", "minutes", "initial_loss", "final_loss", "loss_drop"]
"""What is compared: final test accuracy, depth, training time without evaluation, training
loss of the first and of the last epoch, and the fraction of the first loss by which it fell."""

Column = Literal["accuracy", "layers", "minutes", "layers_increment", "accuracy_increment"]

Printed = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]
"""A printed number with its digits kept (`80.84`), decimal point, no unit."""


def _all_different(models: list[ModelName]) -> list[ModelName]:
    if len(set(models)) != len(models):
        raise ValueError("a model stands twice; each may stand once")
    return models


Models = Annotated[list[ModelName], AfterValidator(_all_different)]


def _require_among(model: str, among: list[ModelName]) -> None:
    if model not in among:
        raise ValueError(f"model: {model} is not in among ({', '.join(among)}). Add it there")


class Needs(Record):
    """What a claim accepts as a test of itself. A run that misses any of it is not
    comparable; fewer seeds are not enough runs."""

    data: list[DataContent] = Field(min_length=1, description="Contents of the dataset.")
    protocols: Literal["any"] | list[str] = Field(
        "any",
        description="Names of the protocols that are readings of the article for this claim; "
        "`any` where it is said of whatever the article did.",
    )
    seeds: int = Field(
        3,
        ge=2,
        description="Runs a model from which a verdict is given; two at least, since one run "
        "shows no spread between seeds.",
    )
    article_setup: bool = Field(
        True,
        description="Whether epochs, batch size, learning rate and number of images must be "
        "the article's.",
    )
    article_device: bool = Field(
        False, description="Whether the device must be the article's, which it does not name."
    )


class ClaimBase(Record):
    """What all claims have."""

    id: str = Field(pattern=r"^[ST]\d+$")
    place: Literal["table", "results", "figure", "conclusions"]
    text: Description = Field(description="The claim in our own words.")
    criterion: Description | None = Field(
        None, description="How it is judged, where the article leaves that to us."
    )
    needs: Needs | None = Field(
        None, description="Left out for what is true by construction and needs no data."
    )

    @property
    def true_by_construction(self) -> bool:
        """Whether it speaks of nothing but layer counts, which no training can change."""
        return False

    def deciding_numbers(self, base_model: str) -> Hashable:
        """The rule with its parameters: equal for claims that the same numbers decide, so that
        they are one test. `base_model` is the one over which the table's increments are."""
        own = type(self).model_fields.keys() - ClaimBase.model_fields.keys()
        return tuple(sorted((name, repr(getattr(self, name))) for name in own))

    @model_validator(mode="after")
    def _needs_are_given_where_data_decide(self) -> "ClaimBase":
        if self.true_by_construction and self.needs is not None:
            raise ValueError("needs: layer counts need no data. Leave needs out")
        if not self.true_by_construction and self.needs is None:
            raise ValueError("needs: is missing; only layer counts need no data")
        return self


class Ordering(ClaimBase):
    """`quantity` rises strictly from the first model to the last."""

    rule: Literal["ordering"]
    quantity: Quantity
    models: Models = Field(min_length=2)

    @property
    def true_by_construction(self) -> bool:
        return self.quantity == "layers"


class Part(Record):
    """`model` has the `highest` or `lowest` quantity of `among`, and no other has the same."""

    quantity: Quantity
    model: ModelName
    extreme: Literal["highest", "lowest"]
    among: Models = Field(min_length=2)

    @model_validator(mode="after")
    def _model_is_among_them(self) -> "Part":
        _require_among(self.model, self.among)
        return self


class Extreme(ClaimBase, Part):
    """As a part of a conjunction, standing alone."""

    rule: Literal["extreme"]

    @property
    def true_by_construction(self) -> bool:
        return self.quantity == "layers"


class Decrease(ClaimBase):
    """The loss of every model falls by the fraction `at_least` from first to last epoch."""

    rule: Literal["decrease"]
    models: Models = Field(min_length=1)
    at_least: Number = Field(gt=0, lt=1)


class PrintedNumber(ClaimBase):
    """A number of the article, held against the prediction interval of ours."""

    printed: Printed
    max_half_width: Number | None = Field(
        None,
        gt=0,
        description="Half width, in the unit of the printed number, up to which a prediction "
        "interval may speak for it. In a wider one almost any number lies. Left out for layer "
        "counts.",
    )

    @model_validator(mode="after")
    def _width_is_limited_where_data_decide(self) -> "PrintedNumber":
        if self.true_by_construction and self.max_half_width is not None:
            raise ValueError("max_half_width: layer counts have no interval. Leave it out")
        if not self.true_by_construction and self.max_half_width is None:
            raise ValueError(
                "max_half_width: is missing. Give the half width, in the unit of the printed "
                "number, up to which a prediction interval may support it"
            )
        return self


class Increment(PrintedNumber):
    """`quantity` of `model` is `printed` percent over that of `base` (relative)."""

    rule: Literal["increment"]
    quantity: Literal["accuracy", "layers"]
    base: ModelName
    model: ModelName

    @property
    def true_by_construction(self) -> bool:
        return self.quantity == "layers"

    def deciding_numbers(self, base_model: str) -> Hashable:
        if self.base != base_model:
            return super().deciding_numbers(base_model)
        # Over the table's first row it is a cell in words.
        return self.model, f"{self.quantity}_increment", self.printed, self.max_half_width


class Ratio(ClaimBase):
    """Training times rise from the first model to the last, each in the ratio to the first that
    the table's minutes have."""

    rule: Literal["ratio"]
    quantity: Literal["minutes"]
    models: Models = Field(min_length=2)
    tolerance: Number = Field(
        gt=0,
        lt=1,
        description="Fraction by which a ratio may differ from the printed one and still be the "
        "same: ratios of the same networks differ from device to device.",
    )


class Diminishing(ClaimBase):
    """Accuracy gained per added layer is positive at the first step of depth and falls from
    each step to the next; `models` go from shallow to deep."""

    rule: Literal["diminishing"]
    models: Models = Field(min_length=3)

    @model_validator(mode="after")
    def _models_go_deeper(self) -> "Diminishing":
        depths = [LAYERS[model] for model in self.models]
        if depths != sorted(depths):
            raise ValueError("models: must go from shallow to deep")
        return self


class ParetoKnee(ClaimBase):
    """`model` is the knee of the Pareto front of (minutes, accuracy): more accurate than each
    faster model, and of those between the fastest and the slowest the farthest above the line
    from one to the other. The fastest one must be the most accurate."""

    rule: Literal["pareto-knee"]
    model: ModelName
    among: Models = Field(min_length=3)

    @model_validator(mode="after")
    def _model_is_among_them(self) -> "ParetoKnee":
        _require_among(self.model, self.among)
        return self


class Cell(PrintedNumber):
    """A cell of the table, at its printed precision; increments are over the first row."""

    rule: Literal["cell"]
    model: ModelName
    column: Column

    @property
    def true_by_construction(self) -> bool:
        return self.column in ("layers", "layers_increment")

    def deciding_numbers(self, base_model: str) -> Hashable:
        return self.model, self.column, self.printed, self.max_half_width


class Conjunction(ClaimBase):
    """All parts hold together."""

    rule: Literal["conjunction"]
    parts: list[Part] = Field(min_length=2)

    @property
    def true_by_construction(self) -> bool:
        return all(part.quantity == "layers" for part in self.parts)

    @model_validator(mode="after")
    def _layer_counts_stand_apart(self) -> "Conjunction":
        if len({part.quantity == "layers" for part in self.parts}) > 1:
            raise ValueError(
                "parts: some compare layer counts, which need no data, and some do not. Make "
                "two claims of them"
            )
        return self


Claim = Annotated[
    Ordering
    | Ratio
    | Extreme
    | Decrease
    | Increment
    | Diminishing
    | ParetoKnee
    | Cell
    | Conjunction,
    Field(discriminator="rule"),
]

CLAIM_KINDS: dict[str, type[ClaimBase]] = {
    "ordering": Ordering,
    "ratio": Ratio,
    "extreme": Extreme,
    "decrease": Decrease,
    "increment": Increment,
    "diminishing": Diminishing,
    "pareto-knee": ParetoKnee,
    "cell": Cell,
    "conjunction": Conjunction,
}
"""The record of each rule."""
