"""A number that the article prints, in its table or in its text."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from resnet_sizes.schemas.article import columns
from resnet_sizes.schemas.article.claims.base import (
    ClaimBase,
    Outcomes,
    Printed,
    TableRow,
    increment_percent,
)
from resnet_sizes.schemas.base import Number
from resnet_sizes.schemas.study.protocol import ModelName


class PrintedNumber(ClaimBase):
    """A number of the article, held against the prediction interval of ours."""

    printed: Printed = Field(description="As text, with its digits, and no unit.")
    max_half_width: Number | None = Field(None, gt=0)
    """Half width, in the unit of the printed number, up to which a prediction interval may speak
    for it. In a wider one almost any number lies. Left out for layer counts."""
    model: ModelName = Field(description="Name of the network.")

    @property
    @abstractmethod
    def printed_column(self) -> str:
        """The column of a table that holds such numbers: `accuracy`, `accuracy_increment`."""

    @abstractmethod
    def over(self, base_model: str) -> str | None:
        """The model over which an increment is; None of other numbers."""

    @property
    def held(self) -> columns.Column:
        """What such a column holds."""
        return columns.COLUMNS[self.printed_column]

    @property
    def measured(self) -> str:
        """The quantity of ours that gives the number, or the increments of it."""
        return self.held.quantity

    @property
    def quantities(self) -> tuple[str, ...]:
        return (self.measured,)

    def models_compared(self, base_model: str) -> list[str]:
        base = self.over(base_model)
        return [self.model] if base is None else [base, self.model]

    def compared_value(self, outcomes: Outcomes, base_model: str) -> float | None:
        """Our number beside the printed one, in its unit (percent, minutes, layers); None where
        an increment cannot be computed, since the base's accuracy is zero."""
        value: float = getattr(outcomes[self.model], self.measured)
        if (base := self.over(base_model)) is not None:
            below: float = getattr(outcomes[base], self.measured)
            return increment_percent(value, below) if below else None
        return value * self.held.scale

    def value_keys(self, protocol: str, base_model: str, study_base: str) -> dict[str, str]:
        """The roles `ours`, `article`, `low` and `high`, the ends of the prediction interval."""
        base, column, keys = self.over(base_model), self.printed_column, {}
        if base in (None, base_model):
            keys["article"] = f"article.{self.model}.{column}"
        # values.json has increments over one model alone: by definition that of the article's
        # table, of accuracy the study's shallowest.
        fixed = self.held.by_definition
        if base in (None, base_model if fixed else study_base):
            keys["ours"] = columns.own_key(column, protocol, self.model)
            if not fixed:
                keys["low"], keys["high"] = columns.prediction_keys(column, protocol, self.model)
        return keys

    def deciding_numbers(self, base_model: str) -> Hashable:
        """An increment over the table's first row is a cell in words."""
        if self.over(base_model) not in (None, base_model):
            return super().deciding_numbers(base_model)
        return self.model, self.printed_column, self.printed, self.max_half_width

    def check_against(self, rows: Mapping[str, TableRow], base_model: str) -> None:
        if self.over(base_model) not in (None, base_model):
            return
        row, column = rows.get(self.model), self.printed_column
        in_table = row and row.cells.get(column)
        # As text: 3 and 3.0 are the same number, but not the same precision.
        if in_table != self.printed:
            raise ValueError(
                f"claims: {self.id} prints {self.printed} for {self.model} "
                f"{column}, but the table has {in_table}. Make them equal"
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


class Cell(PrintedNumber):
    """A cell of the table, at its printed precision; increments are over the first row."""

    rule: Literal["cell"]
    column: Annotated[str, AfterValidator(columns.known_column)] = Field(description="Its name.")

    @property
    def printed_column(self) -> str:
        return self.column

    def over(self, base_model: str) -> str | None:
        return base_model if self.held.over_base else None


class PrintedMean(Cell):
    """The mean over several runs of the article's, of which the table may print one: what so many
    further runs of ours would have as theirs."""

    rule: Literal["mean"]  # type: ignore[assignment]
    runs: int = Field(ge=2, description="How many it is the mean of.")
    deviation: Printed | None = None
    """The standard deviation that is printed beside it; that of our runs is what decides."""

    def deciding_numbers(self, base_model: str) -> Hashable:
        return super().deciding_numbers(base_model), self.runs

    def check_against(self, rows: Mapping[str, TableRow], base_model: str) -> None:
        """Nothing in the table is it, but it is one that could be."""
        columns.check_printed(self.column, self.printed)


class Increment(PrintedNumber):
    """`quantity` of `model` is `printed` percent over that of `base` (relative)."""

    rule: Literal["increment"]
    quantity: Literal["accuracy", "layers"] = Field(description="What is compared.")
    base: ModelName = Field(description="The network over which it is.")

    @property
    def printed_column(self) -> str:
        return f"{self.quantity}_increment"

    def over(self, base_model: str) -> str | None:
        return self.base
