"""Every value that a report may print, each with the file and the field it came from."""

from typing import Literal

from pydantic import Field

from resnet_sizes.records.base import SCHEMA_VERSION, Record

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


class Values(Record):
    """`values.json`: keys as `study.epochs` or `scratch-32.resnet18.accuracy.mean`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    study: str
    values: dict[str, Value]
