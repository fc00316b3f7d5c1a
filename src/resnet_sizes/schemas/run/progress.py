"""How far a run is: what it tells people while it lasts, and what its checkpoints say."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import Record, Sha256, Versioned
from resnet_sizes.schemas.run.metrics import (
    Device,
    Energy,
    EpochMetrics,
    FeatureCache,
    Resumption,
    Sharing,
)

Phase = Literal[
    "starting", "waiting for a device", "features", "training", "evaluation", "writing results"
]

Ending = Literal["stopped", "failed"]


class SchedulerJob(Record):
    """The job of a cluster's scheduler in which a process runs."""

    scheduler: str = Field(description="slurm, pbs, lsf, sge or flux.")
    id: str = Field(description="As the scheduler's own commands take it.")


class RunProgress(Versioned):
    """`work/<run-hash>/progress.json`: of a run under way, or of how its last attempt ended.

    It goes with the checkpoints when the run is done, and decides nothing.
    """

    run: str = Field(description="protocol/model/seed-n")
    phase: Phase = "starting"
    detail: str | None = Field(None, description="More on the phase, for people.")
    epoch: int | None = Field(None, ge=1, description="The epoch under way.")
    epochs: int = Field(ge=1)
    step: int | None = Field(None, ge=0, description="Steps of that epoch that are done.")
    steps: int | None = Field(None, ge=1, description="Steps of an epoch.")
    loss: float | None = None
    """Mean training loss over these steps, in nats; null before the first."""
    images: int | None = Field(None, ge=0)
    """Images whose features are computed, in that phase."""
    all_images: int | None = Field(None, ge=1, description="Of how many.")
    remaining_seconds: float | None = Field(None, ge=0)
    """Estimate for the rest of the phase, when this was written."""
    device: Device | None = Field(None, description="Null before one is chosen.")
    host: str
    process: int = Field(ge=1, description="Its number on that host.")
    process_started: float
    """Seconds since 1970: tells it from a later process with the same number."""
    job: SchedulerJob | None = None
    updated: str = Field(description="UTC, ISO 8601.")
    ended: Ending | None = Field(None, description="How the attempt ended; null while it lives.")
    message: str | None = Field(None, description="What it said at its end.")


class CheckpointRecord(Versioned):
    """Where a run stood, and all of it that is no tensor; the tensors lie in the same file."""

    run_hash: Sha256
    training_hash: str = Field(description="Of the training code that wrote it.")
    versions: dict[str, str]
    device: Device
    epoch: int = Field(ge=1, description="The epoch under way; one more than the run's at its end.")
    step: int = Field(ge=0, description="Steps of that epoch that are done.")
    seconds: float = Field(ge=0, description="Training time of that epoch so far.")
    preparation_seconds: float = Field(0, ge=0, description="As in the metrics, so far.")
    history: list[EpochMetrics]
    first_losses: list[float] = Field(default_factory=list, description="As in the metrics.")
    learning_rates: list[float] = Field(description="One a parameter group.")
    scaler: dict[str, float | int] | None = None
    feature_cache: FeatureCache | None = None
    resumptions: list[Resumption]
    sharing: Sharing | None = Field(None, description="As far as it has been seen.")
    energy: Energy | None = Field(None, description="As in the metrics, so far.")
    peak_memory_bytes: int = Field(0, ge=0, description="The most of all attempts so far.")
    started: str = Field(description="UTC, ISO 8601: of the first attempt.")
