"""Two studies side by side: what agrees, what differs, and what may have caused it."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import Record, Versioned
from resnet_sizes.schemas.evidence.verdicts import VerdictName

Quantity = Literal["accuracy", "minutes", "final_loss"]

Outcome = Literal[
    "identical",  # bit for bit: the same predictions in every common seed
    "differs",
    "equivalent",  # the difference is within the margin, beyond chance
    "undecided",  # neither is shown
    "not-tested",  # too few seeds
]


class QuantityComparison(Record):
    """One quantity of one network under one reading in two studies."""

    protocol: str
    model: str
    quantity: Quantity
    first_seeds: int = Field(ge=1)
    second_seeds: int = Field(ge=1)
    paired: int = Field(ge=0, description="Seeds whose differences were taken one by one.")
    first: float = Field(description="Mean: percent, minutes, or nats.")
    second: float
    difference: float
    """Second less first: percentage points, percent of the first's minutes, or nats."""
    low: float | None = Field(description="95 % interval; null where nothing was tested.")
    high: float | None
    p_value: float | None = Field(ge=0, le=1, description="Two-sided.")
    p_adjusted: float | None = Field(ge=0, le=1, description="After Holm's correction.")
    outcome: Outcome


class Cause(Record):
    """Something that is recorded of the runs and is not the same in both studies."""

    of: Literal["results", "times"] = Field(description="What it may explain.")
    what: str = Field(description="A key of the run's settings, or of its metrics.")
    first: str
    second: str
    differing: int = Field(ge=0)
    """Networks under a reading whose results, or times, differ, of those that it concerns."""
    compared: int = Field(ge=1, description="All that it concerns.")


class ChangedVerdict(Record):
    """A claim on which the two studies do not say the same."""

    id: str
    protocol: str | None = Field(description="Null of all readings together.")
    first: VerdictName
    second: VerdictName


class StudyComparison(Record):
    """Two studies."""

    first: str
    second: str
    quantities: list[QuantityComparison]
    causes: list[Cause] = Field(description="The likeliest first.")
    verdicts: list[ChangedVerdict]
    verdicts_compared: int = Field(ge=0)
    same_runs: int = Field(ge=0, description="Runs that are in both, not trained twice.")
    only_first: list[str] = Field(description="Readings and networks that the second lacks.")
    only_second: list[str]


class Comparison(Versioned):
    """What `resnet-sizes compare` says, also as JSON: the first study with each of the others."""

    margin_points: float = Field(gt=0)
    """Difference of accuracy, in percentage points, that is of no matter."""
    languages: list[str] = Field(description="Those of the first study's report.")
    studies: list[StudyComparison] = Field(min_length=1)
