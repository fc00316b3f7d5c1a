"""What varies with depth in a reading, so that a difference has more than one explanation."""

from collections.abc import Callable
from dataclasses import dataclass

from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, TrainingRecipe
from resnet_sizes.schemas.study.study import Study

OTHERS = (
    "trainable",
    "input_size",
    "stem",
    "normalisation",
    "augmentation",
    "optimizer",
    "schedule",
    "precision",
)
"""Keys of a reading that its networks may not share, besides the weights."""


@dataclass(frozen=True)
class Confounds:
    """Sentences on what varies with depth, and the readings in which something does."""

    sentences: list[Safe]
    names: Safe
    count: int


def confounds(study: Study, words: Words) -> Confounds | None:
    """Readings that say the same are told together; None where depth alone varies."""
    readings: dict[tuple[Safe, ...], list[str]] = {}
    for protocol in study.protocols:
        found = tuple(_of_protocol(study, words, protocol))
        if found:
            readings.setdefault(found, []).append(protocol)
    if not readings:
        return None
    sentences = []
    for clauses, protocols in readings.items():
        form = "sole" if len(study.protocols) == 1 else "one" if len(protocols) == 1 else "other"
        begin = words(f"confounds.begin.{form}", names=words.listed([code(n) for n in protocols]))
        told = words("confounds.separator").join(clauses)
        sentences.append(Safe(f"{begin} {told}."))
    named = [code(protocol) for protocols in readings.values() for protocol in protocols]
    return Confounds(sentences, words.listed(named), len(named))


def _of_protocol(study: Study, words: Words, protocol: str) -> list[Safe]:
    readings = {
        str(model): study.protocol_definitions[protocol].recipe_for(model) for model in study.models
    }
    clauses = []
    trained = _grouped(readings, lambda model, reading: str(reading.weights != "none"))
    if len(trained) > 1:
        models = _names(words, trained["True"])
        form = "one" if len(trained["True"]) == 1 else "other"
        clauses.append(words(f"confounds.pretrained.{form}", models=models))
    pretrained = {
        model: reading for model, reading in readings.items() if reading.weights != "none"
    }
    origins = _grouped(pretrained, _origin)
    if len(origins) > 1:
        items = [
            words(
                "confounds.origin-item",
                models=_names(words, models),
                origin=words(f"confounds.origins.{origin}"),
            )
            for origin, models in origins.items()
        ]
        clauses.append(words("confounds.origins.differ", items=Safe("; ".join(items))))
    others = [
        words(f"confounds.others.{key}")
        for key in OTHERS
        if len({getattr(reading, key) for reading in readings.values()}) > 1
    ]
    if others:
        clauses.append(words("confounds.vary", items=words.listed(others)))
    return clauses


def _origin(model: str, reading: TrainingRecipe) -> str:
    if reading.weights in TORCHVISION_WEIGHTS:
        return weights_version(model, reading.weights)
    return "file"


def _grouped(
    readings: dict[str, TrainingRecipe], key: Callable[[str, TrainingRecipe], str]
) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for model, reading in readings.items():
        groups.setdefault(key(model, reading), []).append(model)
    return groups


def _names(words: Words, models: list[str]) -> Safe:
    return words.listed([model_name(model) for model in models])
