"""A run: model × protocol × seed, with all that decides its result."""

from typing import Literal

from pydantic import Field

from resnet_sizes.records.base import SCHEMA_VERSION, Number, Record
from resnet_sizes.records.protocol import ModelName, Reading
from resnet_sizes.records.study import Study


class RunSettings(Record):
    """What the study decides of one run, known before any data are read."""

    schema_version: Literal[1] = SCHEMA_VERSION
    protocol: str
    model: ModelName
    seed: int = Field(ge=0)
    reading: Reading
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    learning_rate: Number = Field(gt=0)
    evaluation_batch_size: int = Field(ge=1)
    deterministic: bool
    threads: int | Literal["auto"]

    @property
    def name(self) -> str:
        """`protocol/model/seed-n`, as in the folders."""
        return f"{self.protocol}/{self.model}/seed-{self.seed}"


class RunFile(RunSettings):
    """`run.json`: the settings and the identity of the data. Its hash is the run's hash."""

    dataset_identity: str = Field(pattern=r"^[0-9a-f]{64}$")


def run_settings(study: Study, protocol: str, model: str, seed: int) -> RunSettings:
    """The settings of one run of a study."""
    training = study.training
    return RunSettings(
        protocol=protocol,
        model=model,  # type: ignore[arg-type]
        seed=seed,
        reading=study.protocol_definitions[protocol].reading_for(model),
        epochs=training.epochs,
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        evaluation_batch_size=training.evaluation_batch_size,
        deterministic=training.deterministic,
        threads=training.threads,
    )


def all_run_settings(study: Study) -> list[RunSettings]:
    """Every run of a study: protocols, then models, then seeds, in the study's order."""
    return [
        run_settings(study, protocol, model, seed)
        for protocol in study.protocols
        for model in study.models
        for seed in study.seeds
    ]


class StudyFile(Record):
    """`study.json`: the resolved configuration with its hash."""

    schema_version: Literal[1] = SCHEMA_VERSION
    study_hash: str = Field(pattern=r"^[0-9a-f]{64}$")
    study: Study
