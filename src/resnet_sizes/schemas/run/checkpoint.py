"""What a checkpoint says of itself; its tensors lie in the same file."""

from typing import Literal

from pydantic import Field

from resnet_sizes.schemas.base import Record
from resnet_sizes.schemas.run.metrics import Device, EpochMetrics, FeatureCache, Resumption, Sharing


class CheckpointRecord(Record):
    """Where a run stood, and all of it that is no tensor."""

    schema_version: Literal[1] = 1
    run_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    training_hash: str = Field(description="Of the training code that wrote it.")
    versions: dict[str, str]
    device: Device
    epoch: int = Field(ge=1, description="The epoch under way; one more than the run's at its end.")
    step: int = Field(ge=0, description="Steps of that epoch that are done.")
    seconds: float = Field(ge=0, description="Training time of that epoch so far.")
    history: list[EpochMetrics]
    learning_rates: list[float] = Field(description="One a parameter group.")
    schedule: dict[str, float | int | list[float]] | None = None
    scaler: dict[str, float | int] | None = None
    feature_cache: FeatureCache | None = None
    resumptions: list[Resumption]
    sharing: Sharing | None = Field(None, description="As far as it has been seen.")
    peak_memory_bytes: int = Field(0, ge=0, description="The most of all attempts so far.")
    started: str = Field(description="UTC, ISO 8601: of the first attempt.")
