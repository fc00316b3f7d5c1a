"""Every value that a report may print, each with the file and the field it came from."""

import re
from typing import Any

from pydantic import Field

from resnet_sizes.schemas.article.columns import Kind
from resnet_sizes.schemas.base import Record, Versioned
from resnet_sizes.schemas.study.study import Study


class Source(Record):
    """Where a value came from: a file below the study's folder (or a configuration file)
    and the field in it."""

    file: str
    field: str


class Value(Record):
    """One value, at full precision; how it is printed is the report's matter."""

    value: int | float | str | list[str]
    kind: Kind
    sources: list[Source] = Field(min_length=1)
    computed: bool = False
    """Of a training time: whether it is what runs that kept features would have taken without."""
    shared: bool = False
    """Of a training time: whether a run, among others, had no device to itself."""

    @property
    def number(self) -> int | float | str:
        """What is no list. Raises TypeError for a list."""
        if isinstance(self.value, list):
            raise TypeError("a list of texts is no number")
        return self.value

    @property
    def as_text(self) -> str:
        """As it stands in the file; the texts of a list with commas."""
        return ", ".join(self.value) if isinstance(self.value, list) else str(self.value)


class RunOrigin(Record):
    """What a value that comes from a run's `metrics.json` rests on, beside the file itself."""

    protocol: str
    model: str
    seed: int
    device: str
    others: list[str] = Field(default_factory=list)
    """What else was seen on its device while it was trained."""
    dataset_identity: str = Field(description="SHA-256 of the decoded pixels and labels.")
    training_hash: str = Field(description="SHA-256 of the training's code.")
    git_commit: str | None
    finished: str = Field(description="UTC, ISO 8601.")


class Values(Versioned):
    """`values.json`: keys as `study.epochs` or `scratch-32.resnet18.accuracy.mean`."""

    study: str
    values: dict[str, Value]
    runs: dict[str, RunOrigin] = Field(default_factory=dict)
    """By the file that sources name."""


def seed_keys(study: Study, protocol: str) -> tuple[str, list[str]]:
    """The keys of the number of a protocol's seeds, and of each of them."""
    count, end = "study.seeds", ""
    if not study.has_same_seeds:
        count, end = f"study.seeds.count.{protocol}", f".{protocol}"
    numbers = range(len(study.seeds_of(protocol)))
    return count, [f"study.seeds.{number}{end}" for number in numbers]


def values_by_place(key: str, data: Any, file: str, field: str = "") -> dict[str, Value]:
    """Every number of `data`, which is in a field of `file`, and every text that is one, by its
    place after the key: `pairs.0.z`."""
    if isinstance(data, dict | list):
        found: dict[str, Value] = {}
        for name, part in data.items() if isinstance(data, dict) else enumerate(data):
            inner = f"{field}[{name}]" if isinstance(data, list) else f"{field}.{name}"
            found |= values_by_place(f"{key}.{name}", part, file, inner.removeprefix("."))
        return found
    if isinstance(data, str) and re.fullmatch(r"-?\d+(\.\d+)?", data):
        data = float(data)
    if isinstance(data, bool) or not isinstance(data, int | float):
        return {}
    return {key: Value(value=data, kind="number", sources=[Source(file=file, field=field)])}
