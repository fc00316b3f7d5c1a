"""Training recipes in words: what each protocol does where the article leaves choices open."""

from collections.abc import Callable, Sequence
from pathlib import PurePath

from resnet_sizes.i18n.numbers import plain as plain_number
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import HASH_PART, plain
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, TrainingRecipe, display_name

Answer = Callable[[str, str], Safe]
"""The answer of a protocol for a model, both by name."""


class RecipeWords:
    """Answers of the study's protocols, as configured and as the runs were made.

    Where a model has no finished run, what the recipe asks is said, or that there is no result.
    """

    def __init__(self, report: ReportContext) -> None:
        self._report = report
        self._values = report.values
        self._words = report.words

    def answers(self) -> dict[str, Answer]:
        """By the id of the open choice in the article file, or by the aspect."""
        return {
            "optimiser": self._optimiser,
            "initial-weights": self.initial_weights,
            "input-size": self._input_size,
            "stem": self._named("stem"),
            "normalisation": self._named("normalisation"),
            "augmentation": self._named("augmentation"),
            "frozen-batch-norm": self._frozen_batch_norm,
            "weights-version": self._weights_version,
            "minutes": self._minutes,
            "precision": self._precision,
            "features": self._features,
            "accumulation": self._accumulation,
            "compile": self._compile,
        }

    def unmentioned(self) -> list[str]:
        """Aspects of which the article says nothing: `precision`, and what this study uses."""
        pairs = [(name, model) for name in self._report.protocols for model in self._report.models]
        frozen = any(self._report.recipe(*pair).trainable == "head" for pair in pairs)
        parts = self._report.study.training.gradient_accumulation > 1
        compiled = any(self._compile_modes(*pair) != ["none"] for pair in pairs)
        optional = {"features": frozen, "accumulation": parts, "compile": compiled}
        return ["precision", *(name for name, used in optional.items() if used)]

    def weights_files(self) -> Safe | None:
        """The files of the initial weights, by network where each has one, else by reading too;
        None where no finished run had any."""
        by_model: dict[str, dict[str, Safe]] = {}
        for protocol in self._report.protocols:
            for model in self._report.study.models:
                file = self._weights_file(protocol, model)
                if file is not None:
                    by_model.setdefault(model, {}).setdefault(plain(file), file)
        if not by_model:
            return None
        if all(len(files) == 1 for files in by_model.values()):
            items = [
                f"{display_name(model)}: {file}"
                for model, files in by_model.items()
                for file in files.values()
            ]
            return Safe("; ".join(items))
        return self.grouped(lambda *run: self._weights_file(*run) or self._words("none"))

    def grouped(self, answer: Answer, models: Sequence[str] | None = None) -> Safe:
        """One answer where all runs have the same, else each answer after those that give it.

        Readings are named only where there are several, networks only where they differ within
        a reading. `models` are those of the study, unless others are given.
        """
        models = models or self._report.study.models
        # By answer: for each group of networks (None: all of them) the readings that give it.
        # Equal answers may print values of several readings; the first one's stands for all.
        firsts: dict[str, Safe] = {}
        found: dict[Safe, dict[Safe | None, list[Safe]]] = {}
        for protocol in self._report.protocols:
            by_text: dict[Safe, list[str]] = {}
            for model in models:
                text = answer(protocol, model)
                text = firsts.setdefault(plain(text), text)
                by_text.setdefault(text, []).append(display_name(model))
            for text, names in by_text.items():
                group = self._words.listed(names) if len(by_text) > 1 else None
                found.setdefault(text, {}).setdefault(group, []).append(code(protocol))
        if len(found) == 1:
            return next(iter(found))
        parts = []
        for text, groups in found.items():
            labels = ", ".join(self._label(group, names) for group, names in groups.items())
            parts.append(f"{labels}: {text}")
        return Safe("; ".join(parts))

    def _label(self, models: Safe | None, protocols: list[Safe]) -> str:
        if len(self._report.protocols) == 1:
            return str(models)
        return f"{self._words.listed(protocols)}{f' ({models})' if models else ''}"

    def initial_weights(self, protocol: str, model: str) -> Safe:
        """What training starts from, and which layers it changes."""
        recipe = self._report.recipe(protocol, model)
        key = recipe.weights if recipe.weights in ("none", *TORCHVISION_WEIGHTS) else "file"
        file = code(PurePath(recipe.weights).name)
        weights = self._words(f"readings.weights.{key}", file=file)
        return Safe(f"{weights}; {self._words(f'readings.trainable.{recipe.trainable}')}")

    def _named(self, field: str) -> Answer:
        """The answer that names the recipe's choice in one field."""

        def answer(protocol: str, model: str) -> Safe:
            choice = getattr(self._report.recipe(protocol, model), field)
            return self._words(f"readings.{field}.{choice}")

        return answer

    def _frozen_batch_norm(self, protocol: str, model: str) -> Safe:
        recipe = self._report.recipe(protocol, model)
        key = "none" if recipe.trainable == "all" else recipe.frozen_batch_norm
        return self._words(f"readings.frozen_batch_norm.{key}")

    def _input_size(self, protocol: str, model: str) -> Safe:
        recipe = self._report.recipe(protocol, model)
        return self._words("readings.input_size", size=self._setting(recipe, "input_size"))

    def _setting(self, recipe: TrainingRecipe, name: str) -> Safe:
        """A number of a recipe, as the value of the first network that has the recipe."""
        protocol, model = next(
            (protocol, model)
            for protocol in self._report.protocols
            for model in self._report.study.models
            if self._report.recipe(protocol, model) == recipe
        )
        text = Safe(plain_number(getattr(recipe, name), self._report.language))
        return self._values.followed(f"reading.{protocol}.{model}.{name}", text)

    def _optimiser(self, protocol: str, model: str) -> Safe:
        recipe = self._report.recipe(protocol, model)
        momentum = self._setting(recipe, "momentum")
        parts = [self._words(f"readings.optimizer.{recipe.optimizer}", momentum=momentum)]
        if recipe.weight_decay:
            decay = self._setting(recipe, "weight_decay")
            parts.append(self._words("readings.weight_decay", decay=decay))
        parts.append(self._words(f"readings.schedule.{recipe.schedule}"))
        return Safe(", ".join(parts))

    def _weights_file(self, protocol: str, model: str) -> Safe | None:
        key = f"{protocol}.{model}.initial_weights"
        if not self._values.has(f"{key}.name"):
            return None
        name = self._values.text(f"{key}.name")
        digits = code(self._values.text(f"{key}.sha256")[:HASH_PART])
        return self._words(
            f"methods.weights-file.{'own' if name == 'file' else 'torchvision'}",
            name=self._values.followed(f"{key}.name", code(name)),
            file=self._values.code(f"{key}.file"),
            digits=self._values.followed(f"{key}.sha256", digits),
        )

    def _weights_version(self, protocol: str, model: str) -> Safe:
        weights = self._report.recipe(protocol, model).weights
        if weights not in TORCHVISION_WEIGHTS:
            key = "none" if weights == "none" else "file"
            return self._words(f"readings.weights_version.{key}")
        version = Safe(weights_version(model, weights))
        key = "default" if weights == "default" else "chosen"
        return self._words(f"readings.weights_version.{key}", version=version)

    def _minutes(self, protocol: str, model: str) -> Safe:
        key = f"{protocol}.{model}.minutes.mean"
        computed = self._values.has(key) and self._values.is_computed_time(key)
        return self._words(f"choices.minutes.{'computed' if computed else 'measured'}")

    def _precision(self, protocol: str, model: str) -> Safe:
        asked = self._report.recipe(protocol, model).precision
        key = f"{protocol}.{model}.precision"
        if not self._values.has(key):
            return self._words(f"readings.precision.{asked}")
        names = self._values.texts(key)
        ours = self._words.listed([self._words(f"readings.precision.{name}") for name in names])
        return self._words("methods.resolved", ours=ours) if asked == "auto" else ours

    def _features(self, protocol: str, model: str) -> Safe:
        if self._report.recipe(protocol, model).trainable == "all":
            return self._words("readings.frozen_batch_norm.none")
        if not self._values.has(f"{protocol}.{model}.minutes.mean"):
            return self._words("missing")
        kept = self._values.has(f"{protocol}.{model}.forward_minutes.mean")
        return self._words(f"methods.features.{'kept' if kept else 'computed'}")

    def _accumulation(self, protocol: str, model: str) -> Safe:
        recipe = self._report.recipe(protocol, model)
        by_batch = recipe.trainable == "all" or recipe.frozen_batch_norm == "train"
        return self._words(
            f"methods.accumulation.{'batch-norm' if by_batch else 'exact'}",
            parts=self._values.value("study.gradient_accumulation"),
        )

    def _compile_modes(self, protocol: str, model: str) -> list[str]:
        """The modes of `training.compile`; `none` where no run is finished."""
        key = f"{protocol}.{model}.compile_mode"
        return self._values.texts(key) if self._values.has(key) else ["none"]

    def _compile(self, protocol: str, model: str) -> Safe:
        modes = self._compile_modes(protocol, model)
        return self._words.listed([self._words(f"methods.compile.{mode}") for mode in modes])
