"""What runs are expected to cost, what they are doing, and what a device can do: no rule's output,
and no result."""

from typing import Literal, get_args

from pydantic import Field

from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import Record, Sha256, Versioned
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.schemas.run.progress import RunProgress, SchedulerJob
from resnet_sizes.schemas.run.run import Precision, RunSettings
from resnet_sizes.schemas.study.sources import DatasetSpec
from resnet_sizes.schemas.study.study import Study


class RunForecast(Record):
    """One kind of run: the runs of a protocol and a model, whose seeds cost the same."""

    protocol: str
    model: str
    settings_hash: Sha256 = Field(description="Of the run's settings without its seed.")
    precision: Precision
    seconds: float | None = Field(None, ge=0)
    """Of one run that has to do everything; null with a problem."""
    feature_seconds: float | None = Field(None, ge=0)
    """Of them, what a later run with the same features saves."""
    peak_memory_bytes: int | None = Field(None, ge=0)
    """Of the device's allocator on CUDA, which says nothing of the machine's memory; of the
    process elsewhere."""
    problem: str | None = Field(None, description="Why it could not be measured.")


class Forecast(Versioned):
    """`forecast.json`: a help for schedulers and people. It decides no result, and no rule has
    it as its input."""

    dataset: DatasetSpec
    device: Device = Field(description="What was measured on.")
    measured: str = Field(description="UTC, ISO 8601.")
    runs: list[RunForecast]
    study_seconds: float | None = Field(None, ge=0)
    """All runs that could be measured, in turn on one such device, with the data, the evidence and
    the report."""

    def of(self, study: Study, settings: RunSettings) -> RunForecast | None:
        """What was measured for a run; None if nothing was, or if the study has changed since."""
        if self.dataset != study.dataset:
            return None
        wanted = kind_hash(settings)
        found = (run for run in self.runs if run.settings_hash == wanted and not run.problem)
        return next(found, None)


def kind_hash(settings: RunSettings) -> str:
    """Equal for runs that differ in their seed alone."""
    return content_hash(settings.model_copy(update={"seed": 0}))


RunStage = Literal[
    "waiting",  # nothing is under way; it may have been stopped, and then goes on
    "queued",  # a scheduler holds a job for it
    "running",
    "done",  # results that fit the study and the present training code
    "failed",  # the last attempt ended with an error
    "stale",  # the last attempt ended without a word: killed, or its machine went down
    "outdated",  # results of other settings, data or training code: it is trained again
    "invalid",  # results that cannot be used; Snakemake does not know that
]

STAGES: tuple[RunStage, ...] = get_args(RunStage)


class QueuedJob(SchedulerJob):
    """A job that a scheduler holds for a run."""

    state: str = Field(description="In the scheduler's words: PENDING, RUNNING, …")
    reason: str | None = Field(None, description="Why it is pending.")


class KeptPlace(Record):
    """Where a run goes on from, as the name of its newest checkpoint says."""

    epoch: int = Field(ge=1)
    step: int = Field(ge=0, description="Steps of that epoch that are done.")


class RunStatus(Record):
    """One run of the study."""

    run: str = Field(description="protocol/model/seed-n")
    protocol: str
    model: str
    seed: int
    state: RunStage
    note: str = Field(description="More on the state, for people; may be empty.")
    progress: RunProgress | None = None
    """What the run under way, or the last attempt, reports."""
    remaining_seconds: float | None = Field(None, ge=0, description="Of a running one, from now.")
    goes_on_from: KeptPlace | None = Field(None, description="Of one that is not done.")
    job: QueuedJob | None = None
    test_accuracy: float | None = Field(None, ge=0, le=1, description="Of a finished run.")
    training_seconds: float | None = Field(None, ge=0, description="Of a finished run.")
    log: str | None = Field(None, description="What the run said, where Snakemake started it.")
    last_lines: list[str] = Field(default_factory=list)
    """Of this log, of a failed or stale run."""


class SnakemakeStatus(Record):
    """Whether a Snakemake of this machine works in the study's working directory."""

    state: Literal["running", "away"]
    process: int | None = Field(None, description="On this machine.")
    note: str


class StudyStatus(Versioned):
    """All of it, at one moment."""

    study: str = Field(description="Its name.")
    file: str = Field(description="Its study.json.")
    looked: str = Field(description="UTC, ISO 8601.")
    summary: str
    counts: dict[RunStage, int] = Field(description="Runs by state; all states are named.")
    remaining_seconds: float | None = Field(None, ge=0)
    """Until the last run is done, where that can be estimated."""
    snakemake: SnakemakeStatus
    warnings: list[str] = Field(description="What could not be found out.")
    runs: list[RunStatus] = Field(description="In the study's order.")
