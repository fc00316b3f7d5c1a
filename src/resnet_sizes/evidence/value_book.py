"""Values under construction, each with its sources."""

from collections.abc import Sequence
from statistics import mean, stdev

from resnet_sizes.evidence.measurements import training_time_field
from resnet_sizes.evidence.runs import FinishedRun
from resnet_sizes.evidence.statistics import prediction_interval
from resnet_sizes.records.values import Kind, Source, Value


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


def run_sources(runs: Sequence[FinishedRun], *fields: str) -> list[Source]:
    """The same fields in the metrics of several runs."""
    return [Source(file=run.file, field=field) for run in runs for field in fields]


def time_sources(runs: Sequence[FinishedRun]) -> list[Source]:
    """The training times of several runs."""
    return [Source(file=run.file, field=training_time_field(run.metrics)) for run in runs]
