"""The readings of a study in words: what each answers to what the article leaves open."""

from collections.abc import Callable, Sequence
from pathlib import PurePath

from resnet_sizes.i18n.numbers import plain as plain_number
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import PrintedValues, plain
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, TrainingRecipe
from resnet_sizes.schemas.study.study import Study

Answer = Callable[[str, str], Safe]
"""The answer of a protocol for a model, both by name."""


class ReadingWords:
    """The answers that a reading gives by itself, before any run."""

    def __init__(self, study: Study, values: PrintedValues, words: Words, language: str) -> None:
        self._study = study
        self._values = values
        self._t = words
        self._language = language

    def answers(self) -> dict[str, Callable[[TrainingRecipe], Safe]]:
        """By the id of the open choice in the article file."""
        return {
            "optimiser": self._optimiser,
            "initial-weights": self._initial_weights,
            "input-size": self._input_size,
            "stem": lambda reading: self._t(f"readings.stem.{reading.stem}"),
            "normalisation": lambda r: self._t(f"readings.normalisation.{r.normalisation}"),
            "augmentation": lambda r: self._t(f"readings.augmentation.{r.augmentation}"),
            "frozen-batch-norm": self._frozen_batch_norm,
        }

    def _initial_weights(self, reading: TrainingRecipe) -> Safe:
        key = reading.weights if reading.weights in ("none", *TORCHVISION_WEIGHTS) else "file"
        file = code(PurePath(reading.weights).name)
        weights = self._t(f"readings.weights.{key}", file=file)
        return Safe(f"{weights}; {self._t(f'readings.trainable.{reading.trainable}')}")

    def _frozen_batch_norm(self, reading: TrainingRecipe) -> Safe:
        key = "none" if reading.trainable == "all" else reading.frozen_batch_norm
        return self._t(f"readings.frozen_batch_norm.{key}")

    def _input_size(self, reading: TrainingRecipe) -> Safe:
        return self._t("readings.input_size", size=self._setting(reading, "input_size"))

    def _setting(self, reading: TrainingRecipe, name: str) -> Safe:
        """A number of a reading, as the value of the first network that has the reading."""
        text = Safe(plain_number(getattr(reading, name), self._language))
        for protocol in self._study.protocols:
            for model in self._study.models:
                if self._study.protocol_definitions[protocol].recipe_for(model) == reading:
                    return self._values.followed(f"reading.{protocol}.{model}.{name}", text)
        return text

    def _optimiser(self, reading: TrainingRecipe) -> Safe:
        momentum = self._setting(reading, "momentum")
        parts = [self._t(f"readings.optimizer.{reading.optimizer}", momentum=momentum)]
        if reading.weight_decay:
            decay = self._setting(reading, "weight_decay")
            parts.append(self._t("readings.weight_decay", decay=decay))
        parts.append(self._t(f"readings.schedule.{reading.schedule}"))
        return Safe(", ".join(parts))


def of_reading(study: Study, answer: Callable[[TrainingRecipe], Safe]) -> Answer:
    """An answer that the reading alone decides."""
    return lambda protocol, model: answer(study.protocol_definitions[protocol].recipe_for(model))


def grouped_answer(
    study: Study, words: Words, answer: Answer, models: Sequence[str] | None = None
) -> Safe:
    """One answer where all runs have the same, else each answer after those that give it.

    Readings are named only where there are several, networks only where they differ within a
    reading. `models` are those of the study, unless others are given.
    """
    models = models or study.models
    # By answer: for each group of networks (None: all of them) the readings that give it. Equal
    # answers may print values of several readings; the first one's stands for all.
    firsts: dict[str, Safe] = {}
    found: dict[Safe, dict[Safe | None, list[Safe]]] = {}
    for protocol in study.protocols:
        by_text: dict[Safe, list[Safe]] = {}
        for model in models:
            text = answer(protocol, model)
            text = firsts.setdefault(plain(text), text)
            by_text.setdefault(text, []).append(model_name(model))
        for text, names in by_text.items():
            group = words.listed(names) if len(by_text) > 1 else None
            found.setdefault(text, {}).setdefault(group, []).append(code(protocol))
    if len(found) == 1:
        return next(iter(found))
    several = len(study.protocols) > 1
    parts = []
    for text, groups in found.items():
        labels = [_label(words, group, names, several) for group, names in groups.items()]
        parts.append(f"{', '.join(labels)}: {text}")
    return Safe("; ".join(parts))


def _label(words: Words, models: Safe | None, protocols: list[Safe], several: bool) -> str:
    if not several:
        return str(models)
    return f"{words.listed(protocols)}{f' ({models})' if models else ''}"
