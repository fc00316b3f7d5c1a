"""Values under construction, each with its sources."""

from collections.abc import Mapping, Sequence
from statistics import mean, stdev

from resnet_sizes.evidence.runs.measurements import (
    has_computed_time,
    has_shared_time,
    training_time_field,
)
from resnet_sizes.evidence.runs.read import FinishedRun
from resnet_sizes.evidence.statistics.tests import prediction_interval
from resnet_sizes.schemas.evidence.values import Kind, Source, Value


class ValueBook:
    """Values under construction. A key that cannot be computed is left out, never null."""

    def __init__(self) -> None:
        self.values: dict[str, Value] = {}

    def add(
        self,
        key: str,
        value: int | float | str | list[str],
        kind: Kind,
        *sources: Source,
        times_of: Sequence[FinishedRun] = (),
    ) -> None:
        """A value with its sources, each once; a training time also has the runs that took it."""
        if key in self.values:
            raise ValueError(f"the value {key} is added twice")
        unique = {(source.file, source.field): source for source in sources}
        self.values[key] = Value(
            value=value,
            kind=kind,
            sources=list(unique.values()),
            computed=any(has_computed_time(run) for run in times_of),
            shared=any(has_shared_time(run) for run in times_of),
        )

    def add_field(
        self, key: str, value: int | float | str, kind: Kind, file: str, field: str | None = None
    ) -> None:
        """A value from one field of a file, of the same name unless another is given."""
        self.add(key, value, kind, Source(file=file, field=field or key))

    def add_distinct(self, key: str, found: Mapping[str, str | None], field: str) -> None:
        """The different texts of a field of several files, by file; nothing where there is none."""
        known = {file: text for file, text in found.items() if text is not None}
        if known:
            sources = [Source(file=file, field=field) for file in known]
            self.add(key, list(dict.fromkeys(known.values())), "list", *sources)

    def add_spread(
        self,
        key: str,
        values: Sequence[float],
        kind: Kind,
        sources: Sequence[Source],
        times_of: Sequence[FinishedRun] = (),
    ) -> None:
        """Mean, and from two values on their standard deviation and prediction interval."""
        self.add(f"{key}.mean", mean(values), kind, *sources, times_of=times_of)
        if len(values) > 1:
            self.add(f"{key}.sd", stdev(values), kind, *sources, times_of=times_of)
        self.add_interval(key, values, kind, sources, times_of)

    def add_interval(
        self,
        key: str,
        values: Sequence[float],
        kind: Kind,
        sources: Sequence[Source],
        times_of: Sequence[FinishedRun] = (),
    ) -> None:
        """Bounds for one further run, from two values on."""
        interval = prediction_interval(values)
        if interval is None:
            return
        low, high = interval
        # No run can be outside of these; an increment may be negative.
        low = low if kind == "percent" else max(low, 0.0)
        high = min(high, 1.0) if kind == "fraction" else high
        self.add(f"{key}.prediction_low", low, kind, *sources, times_of=times_of)
        self.add(f"{key}.prediction_high", high, kind, *sources, times_of=times_of)


def run_sources(runs: Sequence[FinishedRun], *fields: str) -> list[Source]:
    """The same fields in the metrics of several runs."""
    return [Source(file=run.file, field=field) for run in runs for field in fields]


def time_sources(runs: Sequence[FinishedRun]) -> list[Source]:
    """The training times of several runs."""
    return [Source(file=run.file, field=training_time_field(run.metrics)) for run in runs]
