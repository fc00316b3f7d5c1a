"""A number that the article prints, in its table or in its text."""

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Literal

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims.base import (
    ClaimBase,
    Column,
    Outcomes,
    Printed,
    TableRow,
    increment_percent,
    prediction_keys,
    value_key,
)
from resnet_sizes.schemas.base import Number
from resnet_sizes.schemas.study.protocol import ModelName


class PrintedNumber(ClaimBase):
    """A number of the article, held against the prediction interval of ours."""

    printed: Printed
    max_half_width: Number | None = Field(None, gt=0)
    """Half width, in the unit of the printed number, up to which a prediction interval may speak
    for it. In a wider one almost any number lies. Left out for layer counts."""
    model: ModelName

    @property
    @abstractmethod
    def printed_column(self) -> str:
        """The column of a table that holds such numbers: `accuracy`, `accuracy_increment`."""

    @abstractmethod
    def over(self, base_model: str) -> str | None:
        """The model over which an increment is; None of other numbers."""

    @property
    def measured(self) -> str:
        """The quantity of ours that gives the number, or the increments of it."""
        return self.printed_column.removesuffix("_increment")

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
        base = self.over(base_model)
        if base is not None:
            below: float = getattr(outcomes[base], self.measured)
            return increment_percent(value, below) if below else None
        return value * 100 if self.measured == "accuracy" else value

    def value_keys(self, protocol: str, base_model: str, study_base: str) -> dict[str, str]:
        """The roles `ours`, `article`, `low` and `high`, the ends of the prediction interval."""
        base, column, keys = self.over(base_model), self.printed_column, {}
        if base in (None, base_model):
            keys["article"] = f"article.{self.model}.{column}"
        # values.json has increments over one model alone: of layers that of the article's table, of
        # accuracy the study's shallowest.
        if base in (None, base_model if self.measured == "layers" else study_base):
            keys["ours"] = value_key(protocol, self.model, column)
            if self.measured != "layers":
                keys["low"], keys["high"] = prediction_keys(protocol, self.model, column)
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
        in_table = None if row is None else getattr(row, column)
        # As text: 3 and 3.0 are the same number, but not the same precision.
        if in_table is None or str(in_table) != self.printed:
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
    column: Column

    @property
    def printed_column(self) -> str:
        return self.column

    def over(self, base_model: str) -> str | None:
        return base_model if self.column.endswith("_increment") else None


class Increment(PrintedNumber):
    """`quantity` of `model` is `printed` percent over that of `base` (relative)."""

    rule: Literal["increment"]
    quantity: Literal["accuracy", "layers"]
    base: ModelName

    @property
    def printed_column(self) -> str:
        return f"{self.quantity}_increment"

    def over(self, base_model: str) -> str | None:
        return self.base
