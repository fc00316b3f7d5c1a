"""The results of one run."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import Record, Sealed, Sha256, Utc, Versioned
from resnet_sizes.schemas.run.run import RunFile, RunSettings

FIRST_STEPS = 20
"""Steps whose losses are kept, at most."""


# Bounds that no training reaches, so that nothing computed from these numbers overflows.
# A cross-entropy is not negative, and a float32 not larger.
Loss = Annotated[float, Field(ge=0, le=3.41e38)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
Count = Annotated[int, Field(ge=0, le=2**63)]


class EpochMetrics(Record):
    """One epoch: losses are mean cross-entropies in nats, accuracies fractions."""

    epoch: int = Field(ge=1)
    train_loss: Loss
    train_accuracy: float = Field(ge=0, le=1)
    test_loss: Loss
    test_accuracy: float = Field(ge=0, le=1)
    validation_accuracy: float | None = Field(None, ge=0, le=1, exclude_if=lambda it: it is None)
    """On the training images that are held out, where there are any."""
    training_seconds: Seconds = Field(description="Synchronised, without evaluation.")
    evaluation_seconds: Seconds


class Device(Record):
    """Where the run was made."""

    kind: Literal["cpu", "cuda", "mps"]
    name: str
    index: int | None = Field(None, description="The machine's own number, as nvidia-smi counts.")
    uuid: str | None = Field(None, description="Of a GPU, or of an instance of one (MIG).")
    memory_bytes: Count | None = Field(None, description="The device's own, or the machine's.")
    threads: Count = Field(ge=1, description="CPU threads of torch.")


class Sharing(Record):
    """What else was seen on the run's device: other processes on a GPU, other runs on the CPU."""

    looks: int = Field(ge=1, description="When it began, at ends of epochs, and at its end.")
    shared: int = Field(ge=0, description="Looks at which there was something else.")
    others: list[str] = Field(description="Names of programs or runs, each once.")

    @model_validator(mode="after")
    def _fits_together(self) -> "Sharing":
        if self.shared > self.looks or bool(self.shared) != bool(self.others):
            raise ValueError("shared: does not fit looks and others")
        return self


class Resumption(Record):
    """A run went on from a checkpoint after it had been stopped or killed."""

    epoch: int = Field(ge=1, description="The epoch in which it went on.")
    step: int = Field(ge=0, description="Steps of that epoch that had been kept.")
    device: str = Field(description="The device on which it went on.")
    before: Device | None = None
    """The device on which the checkpoint was written; null in older results."""
    versions_before: dict[str, str] = Field(default_factory=dict)
    """Of what had another version when it was written."""
    at: Utc


class FeatureCache(Record):
    """How a run used the features of its frozen backbone."""

    key: Sha256
    reused: bool = Field(description="Whether an earlier run had computed them.")
    forward_seconds: Seconds
    """Of one pass over the training images, as this run measured it."""
    timed_images: int = Field(ge=1)
    """Training images in a pass that was timed: all of them by the run that computed the features,
    some, scaled up, by one that reused them."""
    timed_passes: int = Field(1, ge=1)
    """Such passes, of which the median counts; 1 in older results."""
    batch: int | None = Field(None, ge=1)
    """Images of a batch of the pass, at most; null in older results."""


class Energy(Record):
    """What a run's device took while the run was at work on it, all else on the device included."""

    joules: float = Field(ge=0)
    source: Literal["nvml", "rapl"]
    """NVIDIA's library, of a GPU; Linux's counters of the processor's packages."""


class Code(Record):
    """Which code made the results."""

    training_hash: str
    git_commit: str | None
    git_dirty: bool | None


class Metrics(Versioned, Sealed):
    """`metrics.json`: written last, so that a run without it is not finished."""

    run: RunFile
    run_hash: Sha256
    epochs: list[EpochMetrics] = Field(min_length=1)
    first_losses: list[Loss] = Field(default_factory=list, max_length=FIRST_STEPS)
    """Mean training losses of the first steps, in nats, before each step changed the weights: what
    `resnet-sizes verify --replay` compares. Empty in older results."""
    final_test_accuracy: float = Field(ge=0, le=1)
    best_test_accuracy: float = Field(ge=0, le=1)
    best_epoch: int = Field(ge=1)
    training_seconds: Seconds
    """Measured: the sum over the epochs, without evaluation, and the pass that computed the
    features, if this run made it."""
    preparation_seconds: Seconds | None = None
    """Compiling the network, or recording its step as a CUDA graph, in all attempts: left out of
    all other times. Null in older results, whose times contain it."""
    equivalent_training_seconds: Seconds | None = None
    """Computed, of a run with a feature cache: what it would have taken without, one forward
    pass in each epoch besides the steps of the head."""
    feature_cache: FeatureCache | None = None
    """Null where every epoch went through the whole network."""
    resumed: int = Field(0, ge=0, description="How often it went on from a checkpoint.")
    resumptions: list[Resumption] = Field(default_factory=list)
    parameters: Count = Field(ge=1)
    trainable_parameters: Count = Field(ge=1)
    macs_per_image: Count = Field(ge=1, description="Multiply-accumulates of one forward pass.")
    peak_memory_bytes: Count
    """Of the device allocator on CUDA, of the process elsewhere."""
    energy: Energy | None = None
    """Of all attempts; null where nobody could read it, and in older results."""
    device: Device
    sharing: Sharing | None = None
    """Null where nobody could look, and in older results."""
    versions: dict[str, str]
    dataset_identity: Sha256
    code: Code
    started: Utc
    finished: Utc
    predictions_sha256: Sha256 | None = None
    """Of logits and labels in predictions.safetensors; null in older results."""

    @property
    def shared_device(self) -> bool:
        """Whether something else was seen on the run's device, which makes its times longer."""
        return self.sharing is not None and self.sharing.shared > 0

    def other_than(self, run: RunSettings, code: str) -> str | None:
        """What these would have to be of to be the results of this run under the training code of
        this hash; None where they are. Settings alone say nothing of data and initial weights."""
        if fields := self.run.differing(run):
            return f"settings ({', '.join(fields)})"
        if isinstance(run, RunFile) and self.run != run:
            other_data = self.dataset_identity != run.dataset_identity
            return "data" if other_data else "settings or initial weights"
        return None if self.code.training_hash == code else "training code"

    @model_validator(mode="after")
    def _is_whole(self) -> "Metrics":
        numbers = [epoch.epoch for epoch in self.epochs]
        # Lengths first: a file may claim a number of epochs that no list can have.
        if len(numbers) != self.run.epochs or numbers != list(range(1, self.run.epochs + 1)):
            raise ValueError(
                f"epochs: holds {len(numbers)} epochs, but the run has {self.run.epochs}"
            )
        if self.run_hash != content_hash(self.run):
            raise ValueError("run_hash: is not the hash of the run in the same file")
        if self.final_test_accuracy != self.epochs[-1].test_accuracy:
            raise ValueError("final_test_accuracy: differs from the last epoch's test_accuracy")
        if self.resumed != len(self.resumptions):
            raise ValueError(f"resumed: is {self.resumed}, of {len(self.resumptions)} resumptions")
        if (self.feature_cache is None) != (self.equivalent_training_seconds is None):
            raise ValueError("equivalent_training_seconds: is for runs with feature_cache alone")
        if self.dataset_identity != self.run.dataset_identity:
            raise ValueError("dataset_identity: differs from the run's")
        return self
