"""A run: model × protocol × seed, with all that decides its result."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.messages import run_command
from resnet_sizes.schemas.base import Number, Sha256, Versioned
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.schemas.study.networks import NETWORKS, Network, NetworkName
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.schemas.study.study import Study

Precision = Literal["fp32", "tf32", "bf16", "fp16"]
CompileMode = Literal["none", "cuda-graph", "default", "reduce-overhead"]

RUN_NAME = "{protocol}/{model}/seed-{seed}"
"""How a run is named, also in folders. The braces are Snakemake's wildcards, too."""

Problem = Literal[
    "truncated",  # epochs are missing, or a file is cut off, damaged, or gone
    "other-schema",  # written by another version of this program
    "other-configuration",  # not the run that the study asks for
    "other-data",
    "inconsistent",  # the files of the run, or parts of one, contradict each other
    "not-finite",  # a loss or a logit is no finite number: the training has diverged
    "out-of-schema",  # a value is of a kind, or outside the bounds, that no result has
    "duplicated",  # another run has the same predictions, bit for bit
]


class RunProblem(UserError):
    """A file that is not used, with the kind of what is wrong with it."""

    def __init__(self, kind: Problem, message: str) -> None:
        super().__init__(message)
        self.kind: Problem = kind


def batches_per_epoch(images: int, batch_size: int) -> int:
    """Batches over a random order of all images; a last one of a single image is left out."""
    full, rest = divmod(images, batch_size)
    return full + (rest > 1)


class RunSettings(Versioned):
    """What the study decides of one run, known before any data are read."""

    protocol: str
    model: NetworkName
    network: Network | None = Field(None, exclude_if=lambda own: own is None)
    """Of a network of the user's own all that decides a result."""
    seed: int = Field(ge=0)
    reading: TrainingRecipe
    epochs: int | None = Field(ge=1, description="Null where iterations count.")
    iterations: int | None = Field(None, ge=1, exclude_if=lambda given: given is None)
    validation: int = Field(0, ge=0, exclude_if=lambda images: images == 0)
    subset_seed: int | None = Field(None, ge=0, exclude_if=lambda given: given is None)
    batch_size: int = Field(ge=2)
    learning_rate: Number = Field(gt=0)
    evaluation_batch_size: int = Field(ge=1)
    gradient_accumulation: int = Field(1, ge=1)
    feature_cache: bool = True
    compile: CompileMode | Literal["auto"] = "none"
    deterministic: bool
    threads: int | Literal["auto"]

    @property
    def name(self) -> str:
        """As `RUN_NAME`."""
        return RUN_NAME.format(protocol=self.protocol, model=self.model, seed=self.seed)

    @property
    def entry(self) -> Network:
        """What is known of its network, also where no study is."""
        return self.network or NETWORKS[self.model]

    @model_validator(mode="after")
    def _network_is_known(self) -> "RunSettings":
        if self.network is None and self.model not in NETWORKS:
            raise ValueError(f"model: is {self.model!r}, which is no network and has no `network`")
        return self

    @property
    def cache_obstacle(self) -> str | None:
        """Why the features of a frozen backbone cannot be computed once; None if they can."""
        recipe = self.reading
        if recipe.frozen_batch_norm == "train":
            return (
                "the batch normalisation of the frozen backbone is in train mode, so an image's "
                "features depend on the batch it is in"
            )
        if recipe.augmentation != "none":
            return f"augmentation is {recipe.augmentation}, so each epoch sees other images"
        return None if self.feature_cache else "feature_cache is false"

    @property
    def keeps_features(self) -> bool:
        """Whether the last layer is trained on features that are computed once."""
        return self.reading.trainable == "head" and self.cache_obstacle is None


class RunFile(RunSettings):
    """`run.json`: the settings, what `auto` means in them, and the identities of data and
    initial weights. Its hash is the run's hash."""

    epochs: int = Field(ge=1, description="Begun epochs, where iterations count.")
    dataset_identity: Sha256
    precision: Precision = "fp32"
    """The reading's precision, with `auto` resolved for the device."""
    compile_mode: CompileMode = "none"
    """`compile`, with `auto` resolved for reading and device."""
    initial_weights: InitialWeights | None = None
    """The file of the initial weights; null where they are random."""

    @model_validator(mode="after")
    def _is_resolved(self) -> "RunFile":
        asked = {"precision": self.reading.precision, "compile_mode": self.compile}
        for name, wanted in asked.items():
            if wanted not in ("auto", found := getattr(self, name)):
                raise ValueError(f"{name}: is {found!r}, but {wanted!r} is asked for")
        weights = self.reading.weights
        if (self.initial_weights is None) != (weights == "none"):
            raise ValueError(f"initial_weights: do not fit the reading's weights, {weights!r}")
        return self

    def differing(self, settings: RunSettings) -> list[str]:
        """The settings in which it is not the run that a study asks for."""
        names = [name for name in RunSettings.model_fields if name != "epochs" or settings.epochs]
        return [name for name in names if getattr(self, name) != getattr(settings, name)]

    def steps(self, images: int) -> int:
        """Steps in all, with so many training images in the dataset."""
        in_epoch = batches_per_epoch(images - self.validation, self.batch_size)
        return self.iterations or self.epochs * in_epoch

    def images_of(self, epoch: int, images: int) -> int:
        """Images that an epoch trains on, with so many training images in the dataset."""
        trained = images - self.validation
        in_epoch = batches_per_epoch(trained, self.batch_size)
        left = self.steps(images) - (epoch - 1) * in_epoch
        return min(left * self.batch_size, trained - (trained % self.batch_size == 1))

    def images_seen(self, images: int) -> int:
        """The same of all epochs."""
        whole, last = (self.images_of(epoch, images) for epoch in (1, self.epochs))
        return (self.epochs - 1) * whole + last


def run_settings(study: Study, protocol: str, model: str, seed: int) -> RunSettings:
    """The settings of one run of a study."""
    own = study.networks.get(model)
    return RunSettings(
        protocol=protocol,
        model=model,
        network=own and own.model_copy(update={"label": model, "depth": 1}),
        seed=seed,
        reading=study.protocol_definitions[protocol].recipe_for(model),
        subset_seed=study.dataset.subset_seed if study.training.validation else None,
        **study.training.model_dump(include=set(RunSettings.model_fields)),
    )


def all_run_settings(study: Study) -> list[RunSettings]:
    """Every run of a study: protocols, then models, then seeds, in the study's order."""
    return [
        run_settings(study, protocol, model, seed)
        for protocol in study.protocols
        for model in study.models
        for seed in study.seeds_of(protocol)
    ]


class StudyFile(Versioned):
    """`study.json`: the resolved configuration with its hash."""

    study_hash: Sha256
    study: Study

    @model_validator(mode="after")
    def _hash_is_of_the_study(self) -> "StudyFile":
        # A file from before a key was added has the hash of a study without it.
        as_written = self.study.model_dump(mode="json", exclude_unset=True)
        if self.study_hash not in (content_hash(self.study), content_hash(as_written)):
            raise ValueError("study_hash: is not that of the study: the file has been changed")
        return self


def read_study(path: Path) -> StudyFile:
    """Read `study.json`. Raises UserError if it is missing or not valid."""
    return read_record(path, StudyFile, run_command("study write CONFIG.yaml"))
