"""Which files of initial weights a study needs, and which of its keys ask for them."""

from dataclasses import dataclass

from resnet_sizes.schemas.run.weights import weights_key
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, ModelName
from resnet_sizes.schemas.study.study import Study


@dataclass(frozen=True)
class WantedWeights:
    """One file of initial weights that a study needs."""

    key: str
    """As of `weights_key`."""
    model: ModelName
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
            reading = protocol.reading_for(model)
            key = weights_key(model, reading)
            if key is None:
                continue
            changes = protocol.per_model.get(model)
            own = changes is not None and getattr(changes, "weights", None) is not None
            place = f"{name}.per_model.{model}.weights" if own else f"{name}.weights"
            earlier = wanted.get(key)
            stems = {reading.stem, *(earlier.stems if earlier else ())}
            wanted[key] = WantedWeights(
                key=key,
                model=model,
                weights=earlier.weights if earlier else reading.weights,
                stems=tuple(sorted(stems)),
                asked_by=(*(earlier.asked_by if earlier else ()), f"protocol_definitions.{place}"),
            )
    return wanted
