"""The numbers that the figures of a report show."""

from pydantic import Field

from resnet_sizes.schemas.base import Record, Versioned
from resnet_sizes.schemas.study.sources import DataContent

FIGURE_NAMES = ("loss", "accuracy", "pareto", "confusion", "forest")
"""In the order of the report; a file is `figure-<name>.<format>`. The first is the one that is set
beside the article's, where the article file names no other."""


class ModelCurves(Record):
    """One network by epoch: a list for each seed, with a number for each epoch."""

    model: str
    train_loss: list[list[float]] = Field(min_length=1, description="Cross-entropies in nats.")
    train_accuracy: list[list[float]] = Field(min_length=1, description="Fractions.")
    test_accuracy: list[list[float]] = Field(min_length=1, description="Fractions.")


class ModelPoints(Record):
    """One network's times and accuracies, a number for each seed."""

    model: str
    minutes: list[float] = Field(min_length=1, description="Training, without evaluation.")
    accuracies: list[float] = Field(min_length=1)
    """Fractions of the test images, after the last epoch."""
    computed: bool = Field(description="Whether the minutes of a run are computed, not measured.")


class ConfusionCell(Record):
    """One entry of a confusion matrix: images of class `true` that are taken for `predicted`."""

    true: int = Field(ge=0)
    predicted: int = Field(ge=0)
    share: float = Field(ge=0, le=1, description="Fraction of the images of class `true`.")
    key: str | None = None
    """In values.json; null where the figure does not write the number."""


class ConfusionMatrix(Record):
    """One network's predictions on the test images, over all seeds."""

    model: str
    cells: list[ConfusionCell] = Field(description="Row by row; the others are zero.")
    empty_classes: list[int] = Field(description="Classes without test images.")
    largest: ConfusionCell | None = Field(description="The most frequent mistake, if there is one.")


class PrintedAccuracy(Record):
    """An accuracy or increment that the article prints beside ours, all in percent."""

    model: str
    column: str
    printed: str
    ours: float
    interval: tuple[float, float] | None
    """In which one further run is expected; null of a single run."""
    keys: list[str] = Field(description="Of these numbers in values.json.")


class Figures(Versioned):
    """`figures.json`: the study's first protocol, its networks from shallow to deep.

    A network without a finished run is left out.
    """

    study: str
    protocol: str
    content: DataContent
    class_names: list[str]
    curves: list[ModelCurves]
    points: list[ModelPoints]
    front: list[str] | None
    """Networks on the Pareto front, from fast to slow; null where the times of several devices
    do not compare."""
    confusion: list[ConfusionMatrix]
    printed: list[PrintedAccuracy] = Field(description="Accuracies, then increments.")
    confidence: float = Field(description="Of the intervals; `method.confidence` in values.json.")
