"""The audit: what the article's own numbers say of each other, without any training."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import Record, Versioned
from resnet_sizes.schemas.hardware import Assumptions, Mode

IncrementKind = Literal["relative", "points", "both", "neither"]
YardstickName = Literal["points-per-layer", "points-per-minute", "error-reduction"]
Compatibility = Literal[
    "survives",
    "time",  # predicted and printed minutes are too far apart
    "memory",  # a whole batch does not fit
    "time-and-memory",
    "not-in-table",  # an input size that network_costs.json does not have
    "no-minutes",  # the article prints no minutes to compare with
]


class IncrementReading(Record):
    """A printed increment over the first row, and what the table gives for it.

    Ranges follow from the rounding of the printed values that enter. `points` are percentage
    points of accuracy, or layers.
    """

    column: str
    model: str
    base: str
    printed: str
    relative: float | None = Field(description="Percent; null over a base of zero.")
    relative_range: tuple[float, float] | None
    points: float
    points_range: tuple[float, float]
    fits: IncrementKind


class ColumnReading(Record):
    """The readings that fit all increments of a column."""

    column: str
    fits: IncrementKind


class AccuracyInterval(Record):
    """An accuracy with its sampling error alone, all in percent; an error where the audit's
    `measure` is that."""

    model: str
    accuracy: float
    standard_error: float
    low: float = Field(description="Wilson, 95 %.")
    high: float


class DeviationEffect(Record):
    """z of a difference where runs also vary by the seed."""

    deviation: float = Field(description="Percentage points.")
    z: float


class AccuracyPair(Record):
    """Two accuracies, or errors, as independent proportions of the same number of images."""

    first: str
    second: str
    difference: float = Field(description="Percentage points, second minus first.")
    z: float | None = Field(description="Null where neither accuracy has a sampling error.")
    p: float
    vanishing_deviation: float | None
    """Between-seed deviation in points from which the difference is no longer significant at 5
    %; null where it never is."""
    with_deviations: list[DeviationEffect]


class Yardstick(Record):
    """One way to measure the return of further layers."""

    name: YardstickName
    values: list[float | None] = Field(description="One a step; null where it has none.")
    falls: bool | None
    """Whether each is below the last; null where one is unknown, or is no gain."""


class Returns(Record):
    """The returns of each network of the table over the one above it."""

    steps: list[tuple[str, str]]
    yardsticks: list[Yardstick]


class DeviceRate(Record):
    """Multiply-accumulates a second of a device."""

    device: str
    name: str
    training: float
    inference: float
    basis: Literal["measured", "peak"]
    measured_modes: list[Mode]
    memory_bytes: int


class ModelNeed(Record):
    """What one network needs under a protocol."""

    model: str
    input_size: int
    stem: str
    trainable: str
    macs_per_image: int | None
    memory_bytes: int | None = Field(description="For one whole batch, with the allowance.")
    printed_minutes: float | None


class Prediction(Record):
    """Minutes of one network on one device."""

    model: str
    minutes: float = Field(description="With an evaluation on all test images every epoch.")
    minutes_without_evaluation: float
    ratio: float | None = Field(description="Predicted over printed minutes.")
    memory_fits: bool


class ProtocolOnDevice(Record):
    """One protocol on one device."""

    device: str
    outcome: Compatibility
    predictions: list[Prediction]


class ProtocolCosts(Record):
    """One protocol: needs by network, outcomes by device."""

    protocol: str
    needs: list[ModelNeed]
    missing: list[str] = Field(description="Networks and sizes that the table lacks.")
    devices: list[ProtocolOnDevice]


class Audit(Versioned):
    """`audit.json`."""

    article_hash: str
    test_images: int
    epochs: int | None = Field(description="Null where the article counts iterations alone.")
    batch_size: int | None
    assumptions: Assumptions
    increments: list[IncrementReading]
    columns: list[ColumnReading]
    measure: Literal["accuracy", "error"] = Field(
        "accuracy", exclude_if=lambda it: it == "accuracy"
    )
    """What the article prints, and `accuracies` and `pairs` are."""
    accuracies: list[AccuracyInterval]
    pairs: list[AccuracyPair]
    unusable: list[str] = Field(description="Networks whose accuracy is not within 0 and 100 %.")
    returns: Returns
    devices: list[DeviceRate]
    protocols: list[ProtocolCosts] = Field(description="Empty where no minutes are printed.")

    @property
    def shown_device(self) -> int:
        """The place of the device on which most readings survive, whose minutes are printed."""

        def surviving(place: int) -> int:
            return sum(each.devices[place].outcome == "survives" for each in self.protocols)

        return max(range(len(self.devices)), key=surviving)
