"""The article file: what the article printed, said, and left open."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims import (
    Cell,
    Claim,
    Column,
    Conjunction,
    Decrease,
    Diminishing,
    Extreme,
    Increment,
    Ordering,
    ParetoKnee,
    Printed,
    Ratio,
)
from resnet_sizes.schemas.base import Number, Record
from resnet_sizes.schemas.study.protocol import Description, ModelName, TrainingRecipe
from resnet_sizes.schemas.study.study import DataContent


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
    images: int | None = Field(
        None, ge=1, description="All images, where the article prints no more than their sum."
    )
    train_images: int = Field(ge=1, description="The usual division, where it prints none.")
    test_images: int = Field(ge=1, description="The usual division, where it prints none.")
    batch_size: int = Field(ge=1)
    learning_rate: Number = Field(gt=0)
    epochs: int = Field(ge=1)
    device: str | None = Field(
        None, description="The device's name as torch gives it, where the article names it."
    )


class SeedEffect(Record):
    """How far runs that differ in the seed alone lie apart, from what others have measured.

    It serves where a study has too few seeds to show it.
    """

    largest_difference: Number = Field(
        gt=0,
        description="Percentage points of accuracy by which two such runs may plausibly differ. A "
        "single run decides only what lies farther apart.",
    )
    deviation: Number = Field(
        gt=0,
        description="Standard deviation in percentage points from which the number of seeds is "
        "planned where there is only one.",
    )
    source: Description = Field(
        description="Who measured it, on what; ends with the author's name where there is a "
        "reference."
    )
    reference: str | None = Field(
        None,
        pattern=r"^[A-Za-z][A-Za-z0-9]*$",
        description="The source's key in report/assets/references.bib, cited after the text.",
    )


class Judging(Record):
    """Parameters of the verdicts that hold for all claims."""

    level: Number = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="Probability of one wrong decision or more among the tests of a reading, "
        "which Holm's correction keeps.",
    )
    power: Number = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="Probability with which a planned number of seeds settles a claim.",
    )
    seed_effect: SeedEffect | None = Field(
        None, description="Left out where nobody measured it: a single run then decides nothing."
    )


class Stated(Record):
    """What the article says of one model's training, which a protocol may depart from."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    model: ModelName
    weights: Literal["pretrained", "random"]
    trainable: Literal["head", "all"]
    text: Description = Field(description="In our own words, after `the article says`.")

    def holds_in(self, reading: TrainingRecipe) -> bool:
        """Whether a reading of the model does what the article says."""
        pretrained = reading.weights != "none"
        return pretrained == (self.weights == "pretrained") and (
            reading.trainable == self.trainable
        )


class OpenChoice(Record):
    """Something that the article does not say."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    text: Description


class Bibliography(Record):
    """The article itself."""

    title: str
    authors: list[str] = Field(min_length=1)
    year: int
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")
    """Of the article and its title, so that a screen reader pronounces it: `pt-BR`."""


class Article(Record):
    """`config/article.yaml`."""

    schema_version: Literal[1]
    article: Bibliography
    setup: Setup
    judging: Judging = Field(default_factory=Judging)
    table: list[TableRow] = Field(min_length=1)
    claims: list[Claim] = Field(min_length=1)
    stated: list[Stated] = Field(
        default_factory=list, description="What the article says and a protocol may do otherwise."
    )
    open_choices: list[OpenChoice]

    @property
    def base_model(self) -> str:
        """The model over which the table's increments are: its first row."""
        return self.table[0].model

    def models_of(self, claim: Claim) -> list[str]:
        """The models whose runs a claim needs."""
        match claim:
            case Ordering() | Ratio() | Decrease() | Diminishing():
                return list(claim.models)
            case Extreme() | ParetoKnee():
                return list(claim.among)
            case Increment():
                return [claim.base, claim.model]
            case Cell():
                over = [self.base_model] if claim.column.endswith("_increment") else []
                return [*over, claim.model]
            case Conjunction():
                return list(dict.fromkeys(m for part in claim.parts for m in part.among))

    @model_validator(mode="after")
    def _claims_fit_the_table(self) -> "Article":
        rows = {row.model: row for row in self.table}
        if len(rows) != len(self.table):
            raise ValueError("table: a model stands twice; each has one row")
        seen: set[str] = set()
        for claim in self.claims:
            if claim.id in seen:
                raise ValueError(f"claims: id {claim.id} stands twice")
            seen.add(claim.id)
            if isinstance(claim, Cell):
                _require_printed(claim, rows.get(claim.model), claim.column)
            if isinstance(claim, Ratio):
                _require_minutes(claim, rows)
            if isinstance(claim, Increment) and claim.base == self.base_model:
                column: Column = (
                    "layers_increment" if claim.quantity == "layers" else "accuracy_increment"
                )
                _require_printed(claim, rows.get(claim.model), column)
        return self


def _require_minutes(claim: Ratio, rows: Mapping[Any, TableRow]) -> None:
    for model in claim.models:
        row = rows.get(model)
        if row is None or row.minutes is None or float(row.minutes) <= 0:
            raise ValueError(
                f"claims: {claim.id} compares the training time of {model}, but the table "
                "prints no minutes above 0 for it. Add them there, or use the rule `ordering`"
            )


def _require_printed(claim: Cell | Increment, row: TableRow | None, column: Column) -> None:
    in_table = None if row is None else getattr(row, column)
    # As text: 3 and 3.0 are the same number, but not the same precision.
    if in_table is None or str(in_table) != claim.printed:
        raise ValueError(
            f"claims: {claim.id} prints {claim.printed} for {claim.model} "
            f"{column}, but the table has {in_table}. Make them equal"
        )
