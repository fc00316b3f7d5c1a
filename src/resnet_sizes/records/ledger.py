"""The ledger: what the article printed, said, and left open."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from resnet_sizes.records.base import Number, Record
from resnet_sizes.records.protocol import Description, ModelName
from resnet_sizes.records.study import DataContent

Quantity = Literal["accuracy", "layers", "minutes", "initial_loss", "final_loss", "loss_drop"]
"""What is compared: final test accuracy, depth, training time without evaluation, training
loss of the first and of the last epoch, and the fraction by which the loss fell."""

Column = Literal["accuracy", "layers", "minutes", "layers_increment", "accuracy_increment"]

Printed = Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?$")]
"""A printed number with its digits kept (`80.84`), decimal point, no unit."""


class Needs(Record):
    """What a statement accepts as a test of itself. A run that misses any of it is not
    comparable; fewer seeds are not enough runs."""

    data: list[DataContent] = Field(min_length=1, description="Contents of the dataset.")
    seeds: int = Field(3, ge=1, description="Runs a model from which a verdict is given.")
    article_setup: bool = Field(
        True,
        description="Whether epochs, batch size, learning rate and number of images must be "
        "the article's.",
    )
    article_device: bool = Field(
        False, description="Whether the device must be the article's, which it does not name."
    )


class StatementBase(Record):
    """What all statements have."""

    id: str = Field(pattern=r"^[ST]\d+$")
    place: Literal["table", "results", "figure", "conclusions"]
    text: Description = Field(description="The statement in our own words.")
    needs: Needs | None = Field(
        None, description="Left out for what is true by construction and needs no data."
    )


class Ordering(StatementBase):
    """`quantity` rises strictly from the first model to the last."""

    rule: Literal["ordering"]
    quantity: Quantity
    models: list[ModelName] = Field(min_length=2)


class Extreme(StatementBase):
    """`model` has the `highest` or `lowest` quantity of `among`."""

    rule: Literal["extreme"]
    quantity: Quantity
    model: ModelName
    extreme: Literal["highest", "lowest"]
    among: list[ModelName] = Field(min_length=2)


class Decrease(StatementBase):
    """The loss of every model falls by the fraction `at_least` from first to last epoch."""

    rule: Literal["decrease"]
    models: list[ModelName] = Field(min_length=1)
    at_least: Number = Field(gt=0, lt=1)


class Increment(StatementBase):
    """`quantity` of `model` is `printed` percent over that of `base` (relative), within the
    rounding of the print."""

    rule: Literal["increment"]
    quantity: Literal["accuracy", "layers"]
    base: ModelName
    model: ModelName
    printed: Printed


class Diminishing(StatementBase):
    """Accuracy gained per added layer falls from each step of depth to the next."""

    rule: Literal["diminishing"]
    models: list[ModelName] = Field(min_length=3)


class ParetoKnee(StatementBase):
    """`model` is on the Pareto front of (minutes, accuracy) and is its knee: the largest
    distance above the chord between the cheapest and the most accurate model."""

    rule: Literal["pareto-knee"]
    model: ModelName
    among: list[ModelName] = Field(min_length=3)


class Cell(StatementBase):
    """A cell of the table, at its printed precision."""

    rule: Literal["cell"]
    model: ModelName
    column: Column
    printed: Printed


class Part(Record):
    """One condition of a conjunction: as in `extreme`."""

    quantity: Quantity
    model: ModelName
    extreme: Literal["highest", "lowest"]
    among: list[ModelName] = Field(min_length=2)


class Conjunction(StatementBase):
    """All parts hold together."""

    rule: Literal["conjunction"]
    parts: list[Part] = Field(min_length=2)


Statement = Annotated[
    Ordering | Extreme | Decrease | Increment | Diminishing | ParetoKnee | Cell | Conjunction,
    Field(discriminator="rule"),
]


class TableRow(Record):
    """One row of the article's table; increments are empty in the first row."""

    model: ModelName
    accuracy: Printed = Field(description="Percent.")
    layers: int = Field(ge=1)
    minutes: Printed
    layers_increment: Printed | None = Field(description="Percent.")
    accuracy_increment: Printed | None = Field(description="Percent.")


class Setup(Record):
    """What the article states of its set-up."""

    data: DataContent
    train_images: int = Field(ge=1)
    test_images: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: Number = Field(gt=0)
    epochs: int = Field(ge=1)


class OpenChoice(Record):
    """Something that the article does not say."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    text: Description


class Bibliography(Record):
    """The article itself."""

    title: str
    authors: list[str] = Field(min_length=1)
    year: int


class Ledger(Record):
    """`config/article.yaml`."""

    schema_version: Literal[1]
    article: Bibliography
    setup: Setup
    table: list[TableRow] = Field(min_length=1)
    statements: list[Statement] = Field(min_length=1)
    open_choices: list[OpenChoice]

    @model_validator(mode="after")
    def _statements_fit_the_table(self) -> "Ledger":
        rows = {row.model: row for row in self.table}
        seen: set[str] = set()
        for statement in self.statements:
            if statement.id in seen:
                raise ValueError(f"statements: id {statement.id} stands twice")
            seen.add(statement.id)
            if isinstance(statement, Cell):
                row = rows.get(statement.model)
                printed = None if row is None else getattr(row, statement.column)
                if printed is None or Decimal(str(printed)) != Decimal(statement.printed):
                    raise ValueError(
                        f"statements: {statement.id} prints {statement.printed} for "
                        f"{statement.model} {statement.column}, but the table has {printed}"
                    )
        return self
