"""Values under construction, each with its sources."""

import re
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from resnet_sizes.evidence.runs.validate import FinishedRun
from resnet_sizes.evidence.statistics.tests import prediction_interval
from resnet_sizes.schemas.article.columns import Kind
from resnet_sizes.schemas.evidence.values import Source, Value


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
        measured: bool = False,
    ) -> None:
        """A value with its sources, each once; a training time also has the runs that took it,
        and whether it is what the clock showed of each."""
        if key in self.values:
            raise ValueError(f"the value {key} is added twice")
        self.values[key] = Value(
            value=value,
            kind=kind,
            sources=list(dict.fromkeys(sources)),
            computed=not measured and any(run.has_computed_time for run in times_of),
            shared=any(run.metrics.shared_device for run in times_of),
        )

    def add_of_runs(
        self, key: str, value: float, kind: Kind, runs: Sequence[FinishedRun], *fields: str
    ) -> None:
        """What is computed from these fields of the runs' metrics."""
        self.add(key, value, kind, *run_sources(runs, *fields))

    def add_fields(self, prefix: str, kind: Kind, file: str, record: object, *fields: str) -> None:
        """What `record`, which is in `file`, has in these fields, as `<prefix>.<last part of the
        field>`; nothing where that is null."""
        for field in fields:
            if (value := _field_of(record, field)) is not None:
                key = f"{prefix}.{field.rpartition('.')[2]}"
                self.add(key, value, kind, Source(file=file, field=field))

    def add_mean(self, key: str, kind: Kind, runs: Sequence[FinishedRun], field: str) -> None:
        """The mean of a field of the runs' metrics; of losses the standard deviation too."""
        values = [_field_of(run.metrics, field) for run in runs]
        self.add_of_runs(f"{key}.mean", mean(values), kind, runs, field)
        if kind == "loss" and len(values) > 1:
            self.add_of_runs(f"{key}.sd", stdev(values), kind, runs, field)

    def add_distinct(self, key: str, runs: Sequence[FinishedRun], field: str) -> None:
        """The different texts of a field of the runs' metrics; nothing where there is none."""
        found = {run.file: _field_of(run.metrics, field) for run in runs}
        if known := {file: text for file, text in found.items() if text is not None}:
            sources = [Source(file=file, field=field) for file in known]
            self.add(key, list(dict.fromkeys(known.values())), "list", *sources)

    def add_spread(
        self,
        key: str,
        values: Sequence[float],
        kind: Kind,
        sources: Sequence[Source],
        times_of: Sequence[FinishedRun] = (),
        counts: Sequence[int] = (),
    ) -> None:
        """Mean, and from two values on their standard deviation and prediction interval; `counts`
        says how many come from each origin."""
        numbers = {"mean": mean(values)}
        if len(values) > 1:
            numbers["sd"] = stdev(values)
        for name, number in (numbers | prediction_ends(values, kind, counts)).items():
            if f"{key}.{name}" not in self.values:  # of a loss there may be a mean already
                self.add(f"{key}.{name}", number, kind, *sources, times_of=times_of)


def prediction_ends(values: Sequence[float], kind: Kind, counts: Sequence[int]) -> dict[str, float]:
    """Those of the interval for one further run by the ends of their keys, from two values on."""
    if (interval := prediction_interval(values, counts)) is None:
        return {}
    low, high = interval
    # No run can be outside of these; an increment may be negative.
    low = low if kind == "percent" else max(low, 0.0)
    high = min(high, 1.0) if kind == "fraction" else high
    return {"prediction_low": low, "prediction_high": high}


def run_sources(runs: Sequence[FinishedRun], *fields: str) -> list[Source]:
    """The same fields in the metrics of several runs."""
    return [Source(file=run.file, field=field) for run in runs for field in fields]


def in_percent(value: Value) -> float:
    """The number as a table has it: fractions in percent."""
    return float(value.number) * (100 if value.kind == "fraction" else 1)


def _field_of(record: Any, field: str) -> Any:
    """The value of a field such as `epochs[-1].train_loss`; None below one that is null."""
    for name in re.findall(r"[\w-]+", field):
        if isinstance(record, list):
            record = record[int(name)]
        elif isinstance(record, dict):
            record = record.get(name)
        elif record is not None:
            record = getattr(record, name)
    return record
