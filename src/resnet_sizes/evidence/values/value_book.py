"""Values under construction, each with its sources."""

import re
from collections.abc import Iterator, Sequence
from statistics import mean, stdev
from typing import Any

from resnet_sizes.evidence.runs.measurements import training_time_field
from resnet_sizes.evidence.runs.read import FinishedRun
from resnet_sizes.evidence.statistics.tests import prediction_interval
from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.evidence.values import Kind, Source, Value


class ValueBook:
    """Values under construction. A key that cannot be computed is left out, never null."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}

    def add(self, key: str, value: int | float | str, kind: Kind, *sources: Source) -> None:
        if key in self.values:
            raise ValueError(f"the value {key} is added twice")
        unique = list(dict.fromkeys((source.file, source.field) for source in sources))
        self.values[key] = Value(
            value=value,
            kind=kind,
            sources=[Source(file=file, field=field) for file, field in unique],
        )

    def add_leaves(self, prefix: str, record: Record, file: str, *within: str | int) -> None:
        """Every number of a record, and every text that is one, by its place: `pairs.0.z`; the
        record's own place in the file is `within`."""
        for place, leaf in _leaves(record.model_dump(mode="json"), ()):
            key = ".".join([prefix, *map(str, place)])
            whole = "".join(f"[{n}]" if isinstance(n, int) else f".{n}" for n in (*within, *place))
            self.add(key, leaf, "number", Source(file=file, field=whole.removeprefix(".")))

    def add_spread(
        self, key: str, values: Sequence[float], kind: Kind, sources: Sequence[Source]
    ) -> None:
        """Mean, and from two values on their standard deviation and prediction interval."""
        self.add(f"{key}.mean", mean(values), kind, *sources)
        if len(values) > 1:
            self.add(f"{key}.sd", stdev(values), kind, *sources)
        self.add_interval(key, values, kind, sources)

    def add_interval(
        self, key: str, values: Sequence[float], kind: Kind, sources: Sequence[Source]
    ) -> None:
        """Bounds for one further run, from two values on."""
        interval = prediction_interval(values)
        if interval is not None:
            low, high = interval
            # No run can be outside of these.
            low, high = max(low, 0.0) if kind != "percent" else low, high
            high = min(high, 1.0) if kind == "fraction" else high
            self.add(f"{key}.prediction_low", low, kind, *sources)
            self.add(f"{key}.prediction_high", high, kind, *sources)


Place = tuple[str | int, ...]


def _leaves(data: Any, place: Place) -> Iterator[tuple[Place, int | float]]:
    if isinstance(data, dict):
        for name, part in data.items():
            yield from _leaves(part, (*place, name))
    elif isinstance(data, list):
        for number, part in enumerate(data):
            yield from _leaves(part, (*place, number))
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield place, data
    elif isinstance(data, str) and _NUMBER.fullmatch(data):
        yield place, float(data)


_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def run_sources(runs: Sequence[FinishedRun], *fields: str) -> list[Source]:
    """The same fields in the metrics of several runs."""
    return [Source(file=run.file, field=field) for run in runs for field in fields]


def time_sources(runs: Sequence[FinishedRun]) -> list[Source]:
    """The training times of several runs."""
    return [Source(file=run.file, field=training_time_field(run.metrics)) for run in runs]
