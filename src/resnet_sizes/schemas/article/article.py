"""The article file: what the article printed, said, and left open. Errors name the claim."""

import logging
from collections.abc import Iterator
from operator import not_
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, Field, model_validator

from resnet_sizes.io.messages import did_you_mean, shown
from resnet_sizes.io.plugins import offered
from resnet_sizes.io.shipped import shipped
from resnet_sizes.io.yaml import read_yaml_record
from resnet_sizes.schemas.article.claims import Claim
from resnet_sizes.schemas.article.claims.base import Id, Place, TableRow
from resnet_sizes.schemas.article.columns import COLUMNS
from resnet_sizes.schemas.base import Distinct, Number, Record, all_different, one_of, where_now
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.protocol import Description, Language, ModelName, TrainingRecipe
from resnet_sizes.schemas.study.sources import DataContent

log = logging.getLogger("resnet_sizes")

OWN_FIGURES = offered("figures")
FigureName = Annotated[str, AfterValidator(lambda it: one_of(it, ["loss", "error", *OWN_FIGURES]))]

CitationKey = Annotated[str, Field(pattern=r"^\w+([:./+-]\w+)*$")]
"""A key of a bibliography: `doe2020`, `doe-2020`, `DBLP:conf/cvpr/HeZRS16`."""

T = TypeVar("T")
Said = Annotated[T | None, Field(None, exclude_if=lambda said: said is None)]
"""What an article may say; files without it have the hash that they had before it could."""


class Setup(Record):
    """What the article states of its set-up."""

    data: str = Field(pattern=r"^\S.{0,79}$")
    """`cifar10`, `cifar10-reencoded` or `digits`, else the name that the report calls them by."""
    images: int | None = Field(None, ge=1)
    """All images, where the article prints no more than their sum."""
    train_images: int = Field(ge=1, description="The usual division, where it prints none.")
    test_images: int = Field(ge=1, description="The usual division, where it prints none.")
    batch_size: int | None = Field(None, ge=1, description="Images a step.")
    learning_rate: Number | None = Field(None, gt=0)
    """The first, where it changes."""
    epochs: int | None = Field(None, ge=1, description="Passes over the training images.")
    iterations: int | None = Field(None, ge=1, exclude_if=lambda it: it is None)
    """Steps of the optimiser, where the article counts these."""
    device: str | None = Field(None, pattern=r"\S")
    """The device's name as torch gives it, where the article names it."""
    optimiser: Said[Description]
    """In our own words, as all texts here; the report sets each beside what was done."""
    momentum: Said[Annotated[Number, Field(ge=0, lt=1)]] = Field(description="Of the optimiser.")
    weight_decay: Said[Annotated[Number, Field(ge=0)]] = Field(description="Of the optimiser.")
    schedule: Said[Description] = Field(description="How the learning rate changes.")
    normalisation: Said[Description] = Field(description="Of the pixels.")
    augmentation: Said[Description] = Field(description="How images are changed at random.")
    validation: Said[Annotated[int, Field(ge=0)]]
    """Training images that were held out, 0 where it says that none were."""

    @property
    def named_data(self) -> str | None:
        """The name of its images, where the report has none of its own for them."""
        return None if self.data in get_args(DataContent) else self.data

    def is_of(self, content: DataContent) -> bool:
        """Whether a dataset with this content is the article's: declared to be, where the program
        cannot know its images."""
        known = self.data in get_args(DataContent) and self.data != "other"
        return content == (self.data if known else "article")


class SeedDeviation(Record):
    """How far runs that differ in the seed alone lie apart, from what others have measured.

    It serves to plan where a study has too few seeds to show it, and decides nothing.
    """

    points: Number = Field(gt=0)
    """Standard deviation of the accuracy, in percentage points."""
    source: Description
    """Who measured it, on what; ends with the author's name where there is a reference."""
    reference: CitationKey | None = None
    """The source's key in the bibliography, cited after the text."""


class Judging(Record):
    """Parameters of the verdicts that hold for all claims."""

    level: Number = Field(0.05, gt=0, lt=0.5)
    """Probability of one wrong decision or more among the tests of a study, which Holm's
    correction keeps."""
    power: Number = Field(0.8, gt=0.5, lt=1)
    """Probability with which a planned number of seeds settles a claim."""
    seed_deviation: SeedDeviation | None = None
    """Left out where nobody measured it: seeds are then not planned from one."""


class Stated(Record):
    """What the article says of one model's training, which a protocol may depart from."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="Small letters and hyphens.")
    model: ModelName = Field(description="Name of the network.")
    weights: Literal["pretrained", "random"] = Field(description="At the beginning.")
    trainable: Literal["head", "all"] = Field(description="The last layer alone, or all of it.")
    text: Description = Field(description="In our own words, after `the article says`.")

    def holds_in(self, reading: TrainingRecipe) -> bool:
        """Whether a reading of the model does what the article says."""
        weights = "random" if reading.weights == "none" else "pretrained"
        return (weights, reading.trainable) == (self.weights, self.trainable)


ANSWERED = (
    "accumulation", "augmentation", "compile", "epoch", "features", "frozen-batch-norm", "gpu",
    "initial-weights", "input-size", "loss", "minutes", "normalisation", "optimiser", "precision",
    "stem", "validation", "weights-version",
)  # fmt: skip
"""What a study itself says of an open choice: `answers` in `report/shared/recipes.j2`."""


class OpenChoice(Record):
    """Something that the article does not say."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="Small letters and hyphens.")
    text: Description = Field(description="In our own words, after `the article does not say`.")
    aspect: Said[Description] = Field(description="Heads its row, of an id of one's own.")
    answer: Said[Description] = Field(description="What was done, of an id of one's own.")

    @model_validator(mode="after")
    def _has_an_answer(self) -> "OpenChoice":
        if self.id not in ANSWERED and not (self.aspect and self.answer):
            raise ValueError(
                f"id: found {shown(self.id)}; the report answers {', '.join(ANSWERED)}."
                f"{did_you_mean(self.id, list(ANSWERED))} Another needs aspect and answer here"
            )
        return self


class Untestable(Record):
    """Something that the article says and no data of such a study can test. It has no verdict."""

    id: Id = Field(description="One to three capitals and a number: `S12`.")
    place: Place = Field(description="Where in the article.")
    text: Description = Field(description="In our own words.")
    reason: Description = Field(description="Why not: whole sentences.")


class Bibliography(Record):
    """The article itself."""

    title: str = Field(pattern=r"\S", description="In its own language.")
    authors: list[Annotated[str, Field(pattern=r"\S")]] = Field(
        min_length=1, description="As printed."
    )
    year: int = Field(ge=1900, le=2999, description="Of its publication.")
    language: str | None = Field(default=None, pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")
    """The language of the article and its title, so that a screen reader pronounces it: `pt-BR`."""
    reference: CitationKey | None = Field(None, exclude_if=not_)
    """Its key in the bibliography, by which the report cites it."""
    quoted: Said[Description]
    """How far what this file says of it was compared with it: whole sentences, for the limits."""


class Article(Record):
    """`articles/<article>/article.yaml`."""

    schema_version: Literal[1] = Field(description="Of such files.")
    article: Bibliography = Field(description="By what it is cited.")
    languages: Distinct[Language] = Field(
        ["pt", "en"], min_length=1, exclude_if=lambda found: found == ["pt", "en"]
    )
    """Those in which all of its texts are, so that a report can be in them."""
    setup: Setup = Field(description="What it states of its experiment.")
    judging: Judging = Field(default_factory=Judging, description="How sure verdicts are.")
    figure: FigureName = Field("loss", exclude_if=lambda name: name == "loss")
    """Which figure of ours is set beside the article's: `loss`, of training against epochs;
    `error`, on training and test images against iterations; or one of an installed package."""
    table: list[TableRow] = Field(min_length=1)
    """All rows have the same columns, in the order of the first."""
    claims: list[Claim] = Field(min_length=1, description="What it says and data can test.")
    untestable: list[Untestable] = Field(default_factory=list)
    """What it says and no data of such a study can test."""
    headline: Distinct[str] = Field(default_factory=list)
    """Ids of the claims that the first page names, in this order; the conclusions where there
    are none."""
    stated: list[Stated] = Field(default_factory=list)
    """What the article says and a protocol may do otherwise."""
    open_choices: list[OpenChoice] = Field(description="What it does not say.")

    @property
    def ids(self) -> list[str]:
        """Those of all that it says."""
        return [*(claim.id for claim in self.claims), *(each.id for each in self.untestable)]

    @property
    def columns(self) -> list[str]:
        """The names of its table's columns."""
        return list(self.table[0].cells)

    @property
    def measure(self) -> Literal["accuracy", "error"]:
        """By what it compares its networks."""
        return "error" if "error" in self.columns else "accuracy"

    @property
    def base_model(self) -> str:
        """The model over which the table's increments are: its first row."""
        return self.table[0].model

    @model_validator(mode="before")
    @classmethod
    def _networks_are_known(cls, data: Any) -> Any:
        own = " One of your own comes with its study: resnet-sizes audit ARTICLE.yaml STUDY.yaml"
        for name in _models_in(data):  # told once for the whole file
            one_of(name, NETWORKS, own)
        return data

    @model_validator(mode="after")
    def _claims_fit_the_table(self) -> "Article":
        rows: dict[str, TableRow] = {row.model: row for row in self.table}
        if len(rows) != len(self.table):
            raise ValueError("table: a model stands twice; each has one row")
        for row in self.table:
            if not row.cells:
                raise ValueError(f"table: {row.model} has no column; allowed: {', '.join(COLUMNS)}")
            if {*row.cells} != {*self.columns}:
                raise ValueError(
                    f"table: {row.model} has other columns than {self.base_model}, which has "
                    f"{', '.join(self.columns)}. Give all the same; null is an empty cell"
                )
        all_different([f"open_choices.{choice.id}" for choice in self.open_choices])
        for claim in self.claims:
            claim.check_against(rows, self.base_model)
        all_different(self.ids)
        if unknown := {*self.headline} - {claim.id for claim in self.claims}:
            raise ValueError(
                f"headline: {min(unknown)} is no id of a claim; these alone are judged"
            )
        return self

    @model_validator(mode="after")
    def _texts_are_in_its_languages(self) -> "Article":
        for place, text in texts_in(self):
            for language in self.languages:
                if getattr(text, language) is None:
                    raise ValueError(
                        f"{place}: has no text in {language}. Add it, or, where all texts of the "
                        f"file are in another, write languages: [{'enpt'.replace(language, '')}]"
                    )
        return self


def _models_in(data: Any, key: object = None) -> Iterator[str]:
    """Networks that the raw content of an article file names."""
    if isinstance(data, dict | list):
        for name, part in data.items() if isinstance(data, dict) else ((key, it) for it in data):
            yield from _models_in(part, name)
    elif key in ("model", "models", "than", "among", "base") and isinstance(data, str):
        yield data


def texts_in(data: Any, place: str = "") -> Iterator[tuple[str, Description]]:
    """Every text of a record that is there by language, with its place: `claims.S1.criterion`."""
    if isinstance(data, Description):
        yield place, data
    elif isinstance(data, Record | list):
        for name, part in enumerate(data) if isinstance(data, list) else data:
            inner = str(getattr(part, "id", name))
            yield from texts_in(part, f"{place}.{inner}".removeprefix("."))


def load_article(path: Path) -> Article:
    """Read and check an article file (YAML), as `shipped` finds it. A `study.json` of an older
    version may name a file by where it was: it is read where it is now. Raises UserError with the
    file's name and every problem: unknown rule, unknown key, a number that is not the table's."""
    if (now := where_now(path)) != path:
        log.warning("warning: %s has been moved to %s, and is read there", path, now)
        path = now
    remedy = f"Correct {path}, or name another one under the key `article` of the configuration."
    return read_yaml_record(shipped(path), Article, "article file", remedy)
