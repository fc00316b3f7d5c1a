"""Every value that a report may print, each with the file and the field it came from."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import SCHEMA_VERSION, Record

Kind = Literal[
    "count",  # a whole number
    "fraction",  # 0…1, printed in percent
    "percent",  # already in percent (increments)
    "minutes",
    "seconds",
    "bytes",
    "loss",  # mean cross-entropy in nats
    "number",  # anything else numeric
    "text",
    "datetime",  # UTC, ISO 8601
]


class Source(Record):
    """Where a value came from: a file below the study's folder (or a configuration file)
    and the field in it."""

    file: str
    field: str


class Value(Record):
    """One value, at full precision; how it is printed is the report's matter."""

    value: int | float | str
    kind: Kind
    sources: list[Source] = Field(min_length=1)


class RunOrigin(Record):
    """What a value that comes from a run's `metrics.json` rests on, beside the file itself."""

    protocol: str
    model: str
    seed: int
    device: str
    others: list[str] = Field(
        default_factory=list, description="What else was seen on its device while it was trained."
    )
    dataset_identity: str = Field(description="SHA-256 of the decoded pixels and labels.")
    training_hash: str = Field(description="SHA-256 of the training's code.")
    git_commit: str | None
    finished: str = Field(description="UTC, ISO 8601.")


class Values(Record):
    """`values.json`: keys as `study.epochs` or `scratch-32.resnet18.accuracy.mean`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    study: str
    values: dict[str, Value]
    runs: dict[str, RunOrigin] = Field(
        default_factory=dict, description="By the file that sources name."
    )
