"""Initial weights: which files a study needs, and how each is recognised."""

import hashlib
from dataclasses import dataclass, replace

from pydantic import Field

from resnet_sizes.schemas.base import Record, Sha256, Versioned
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, TrainingRecipe
from resnet_sizes.schemas.study.study import Study


class InitialWeights(Record):
    """What a run records of the file it starts from."""

    name: str
    """torchvision's name, as `ResNet18_Weights.IMAGENET1K_V1`, or `file`."""
    file: str = Field(description="Name of the file, without its folder.")
    sha256: Sha256


class WeightsInfo(Versioned):
    """`weights/<key>.json`: a file of initial weights that lies on this machine, verified."""

    key: str
    model: str
    path: str = Field(description="Where the file lies, seen from the working directory.")
    bytes: int = Field(ge=1)
    source: str | None = Field(None, description="The address it was published at.")
    initial: InitialWeights


def weights_version(model: str, weights: str) -> str:
    """`V1` or `V2` for torchvision's weights of a network, with `default` resolved."""
    return NETWORKS[model].weights[-1] if weights == "default" else weights


def weights_key(model: str, reading: TrainingRecipe) -> str | None:
    """The name under which a run's initial weights are kept, as `resnet50-V2`, or of one's own file
    `resnet50-file-1a2b3c4d`, with a hash of its path; None where they are random."""
    if reading.weights == "none":
        return None
    if reading.weights in TORCHVISION_WEIGHTS:
        return f"{model}-{weights_version(model, reading.weights)}"
    return f"{model}-file-{hashlib.sha256(reading.weights.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class WantedWeights:
    """One file of initial weights that a study needs."""

    key: str
    """As of `weights_key`."""
    model: str
    weights: str
    """The value in the configuration: `V1`, `V2`, `default`, or a path."""
    stems: tuple[str, ...]
    """Stems of the networks that start from it, sorted."""
    asked_by: tuple[str, ...]
    """Keys of the configuration, as `protocol_definitions.mine.weights`."""

    @property
    def own_file(self) -> bool:
        """Whether it is a file of the user's own rather than torchvision's."""
        return self.weights not in TORCHVISION_WEIGHTS


def wanted_weights(study: Study) -> dict[str, WantedWeights]:
    """Every file of initial weights of the listed protocols and models, by its key."""
    wanted: dict[str, WantedWeights] = {}
    for name in study.protocols:
        protocol = study.protocol_definitions[name]
        for model in study.models:
            reading = protocol.recipe_for(model)
            if (key := weights_key(model, reading)) is None:
                continue
            is_own = getattr(protocol.per_model.get(model), "weights", None) is not None
            place = f"{name}.per_model.{model}.weights" if is_own else f"{name}.weights"
            known = wanted.get(key, WantedWeights(key, model, reading.weights, (), ()))
            wanted[key] = replace(
                known,
                stems=tuple(sorted({*known.stems, reading.stem})),
                asked_by=(*known.asked_by, f"protocol_definitions.{place}"),
            )
    return wanted
