"""What the runs of a study are expected to cost, as `resnet-sizes forecast` measured it."""

from typing import Literal

from pydantic import Field, model_validator

from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import SCHEMA_VERSION, Record
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.schemas.run.run import Precision, RunSettings
from resnet_sizes.schemas.study.study import DatasetSpec, Study


class RunForecast(Record):
    """One kind of run: the runs of a protocol and a model, whose seeds cost the same."""

    protocol: str
    model: str
    settings_hash: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="Of the run's settings without its seed."
    )
    precision: Precision
    seconds: float | None = Field(
        None, ge=0, description="Of one run that has to do everything; null with a problem."
    )
    feature_seconds: float | None = Field(
        None, ge=0, description="Of them, what a later run with the same features saves."
    )
    peak_memory_bytes: int | None = Field(
        None,
        ge=0,
        description="Of the device's allocator on CUDA, which says nothing of the machine's "
        "memory; of the process elsewhere.",
    )
    problem: str | None = Field(None, description="Why it could not be measured.")

    @model_validator(mode="after")
    def _is_measured_or_not(self) -> "RunForecast":
        measured = (self.seconds, self.feature_seconds, self.peak_memory_bytes)
        if any((each is None) != (self.problem is not None) for each in measured):
            raise ValueError("problem: stands where nothing was measured, and only there")
        return self


class Forecast(Record):
    """`forecast.json`: a help for schedulers and people. It decides no result, and no rule has
    it as its input."""

    schema_version: Literal[1] = SCHEMA_VERSION
    dataset: DatasetSpec
    train_images: int = Field(ge=1)
    test_images: int = Field(ge=1)
    device: Device = Field(description="What was measured on.")
    versions: dict[str, str]
    measured: str = Field(description="UTC, ISO 8601.")
    runs: list[RunForecast]

    def of(self, study: Study, settings: RunSettings) -> RunForecast | None:
        """What was measured for a run; None if nothing was, or if the study has changed since."""
        if self.dataset != study.dataset:
            return None
        wanted = kind_hash(settings)
        found = [run for run in self.runs if run.settings_hash == wanted and not run.problem]
        return found[0] if found else None


def kind_hash(settings: RunSettings) -> str:
    """Equal for runs that differ in their seed alone."""
    return content_hash(settings.model_copy(update={"seed": 0}))
