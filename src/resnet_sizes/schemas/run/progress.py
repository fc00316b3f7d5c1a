"""How far a run under way is, as it tells itself: for people who look at it from outside."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import SCHEMA_VERSION, Record
from resnet_sizes.schemas.run.metrics import Device

Phase = Literal[
    "starting", "waiting for a device", "features", "training", "evaluation", "writing results"
]

Ending = Literal["stopped", "failed"]


class SchedulerJob(Record):
    """The job of a cluster's scheduler in which a process runs."""

    scheduler: str = Field(description="slurm, pbs, lsf, sge or flux.")
    id: str = Field(description="As the scheduler's own commands take it.")


class RunProgress(Record):
    """`work/<run-hash>/progress.json`: of a run under way, or of how its last attempt ended.

    It goes with the checkpoints when the run is done, and decides nothing.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    run: str = Field(description="protocol/model/seed-n")
    run_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    phase: Phase = "starting"
    detail: str | None = Field(None, description="More on the phase, for people.")
    epoch: int | None = Field(None, ge=1, description="The epoch under way.")
    epochs: int = Field(ge=1)
    step: int | None = Field(None, ge=0, description="Steps of that epoch that are done.")
    steps: int | None = Field(None, ge=1, description="Steps of an epoch.")
    loss: float | None = Field(
        None, description="Mean training loss over these steps, in nats; null before the first."
    )
    images: int | None = Field(
        None, ge=0, description="Images whose features are computed, in that phase."
    )
    all_images: int | None = Field(None, ge=1, description="Of how many.")
    remaining_seconds: float | None = Field(
        None, ge=0, description="Estimate for the rest of the phase, when this was written."
    )
    device: Device | None = Field(None, description="Null before one is chosen.")
    host: str
    process: int = Field(ge=1, description="Its number on that host.")
    process_started: float = Field(
        description="Seconds since 1970: tells it from a later process with the same number."
    )
    parent: str | None = Field(
        None, description="The Snakemake that wants the result, as host:process."
    )
    job: SchedulerJob | None = None
    attempt_started: str = Field(description="UTC, ISO 8601.")
    updated: str = Field(description="UTC, ISO 8601.")
    ended: Ending | None = Field(None, description="How the attempt ended; null while it lives.")
    message: str | None = Field(None, description="What it said at its end.")
