"""Training recipes in words: what was done where the article says something of the method, or
leaves it open. The table is in `report/shared/methods.j2`."""

from collections.abc import Callable, Sequence
from pathlib import PurePath

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import HASH_PART, plain
from resnet_sizes.schemas.article.article import Stated
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.networks import NETWORKS, display_name
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, TrainingRecipe

Answer = Callable[[str, str], Safe]
"""The answer of a protocol for a model, both by name."""


class RecipeWords:
    """Answers of the study's protocols, as configured and as the runs were made."""

    def __init__(self, report: ReportContext) -> None:
        self._report = report
        self._values = report.values
        self._words = report.words

    def answers(self, protocol: str, model: str) -> dict[str, Safe]:
        """What a protocol does with a model, by the id of the open choice in the article file, or
        by the aspect. Where it has no finished run, what the recipe asks is said, or that there
        is no result."""
        words, value = self._words, self._values.value
        recipe, own = self._report.recipe(protocol, model), f"{protocol}.{model}"
        frozen, weights = recipe.trainable == "head", recipe.weights
        batch_norm = recipe.frozen_batch_norm if frozen else "none"
        by_batch = not frozen or batch_norm == "train"
        version, form = "", "none" if weights == "none" else "file"
        if weights in TORCHVISION_WEIGHTS:
            version = Safe(weights_version(model, weights))
            form = "default" if weights == "default" else "chosen"
        computed = self._values.is_computed_time(f"{own}.minutes.mean")
        return {
            "optimiser": self._optimiser(protocol, model),
            "initial-weights": self.initial_weights(protocol, model),
            "input-size": words("readings.input_size", size=value(f"reading.{own}.input_size")),
            "stem": words(f"readings.stem.{recipe.stem if NETWORKS[model].stems else 'own'}"),
            "normalisation": words(f"readings.normalisation.{recipe.normalisation}"),
            "augmentation": words(f"readings.augmentation.{recipe.augmentation}"),
            "frozen-batch-norm": words(f"readings.frozen_batch_norm.{batch_norm}"),
            "weights-version": words(f"readings.weights_version.{form}", version=version),
            "minutes": words(f"choices.minutes.{'computed' if computed else 'measured'}"),
            "precision": self._precision(protocol, model),
            "features": self._features(protocol, model),
            "accumulation": words(
                f"methods.accumulation.{'batch-norm' if by_batch else 'exact'}",
                parts=value("study.gradient_accumulation"),
            ),
            "compile": words.listed(
                words(f"methods.compile.{mode}") for mode in self._compile_modes(protocol, model)
            ),
            "gpu": self._report.cell("hardware.device", without="missing"),
            "epoch": words("choices.epoch"),
            "loss": words("choices.loss"),
        }

    def initial_weights(self, protocol: str, model: str) -> Safe:
        """What training starts from, and which layers it changes."""
        recipe = self._report.recipe(protocol, model)
        key = recipe.weights if recipe.weights in ("none", *TORCHVISION_WEIGHTS) else "file"
        file = code(PurePath(recipe.weights).name)
        weights = self._words(f"readings.weights.{key}", file=file)
        return Safe(f"{weights}; {self._words(f'readings.trainable.{recipe.trainable}')}")

    def _optimiser(self, protocol: str, model: str) -> Safe:
        recipe, own = self._report.recipe(protocol, model), f"reading.{protocol}.{model}"
        momentum = self._values.value(f"{own}.momentum")
        parts = [self._words(f"readings.optimizer.{recipe.optimizer}", momentum=momentum)]
        if recipe.weight_decay:
            decay = self._values.value(f"{own}.weight_decay")
            parts.append(self._words("readings.weight_decay", decay=decay))
        parts.append(self._schedule(recipe, own))
        if recipe.warmup:
            end = "steps" if recipe.warmup.steps else "until_train_error"
            rate = self._values.value(f"{own}.warmup.learning_rate")
            until = self._values.value(f"{own}.warmup.{end}")
            parts.append(self._words(f"readings.warmup.{end}", rate=rate, until=until))
        return Safe(", ".join(parts))

    def _schedule(self, recipe: TrainingRecipe, own: str) -> Safe:
        words, value, key = self._words, self._values.value, f"readings.schedule.{recipe.schedule}"
        if not words.raw(key):  # one that was added has its name
            return words("readings.schedule.other", name=code(recipe.schedule))
        if recipe.schedule != "steps":
            return words(key)
        unit = "iterations" if self._report.study.training.iterations else "epochs"
        places = [value(f"{own}.milestone.{number}") for number in range(len(recipe.milestones))]
        at = {"milestones": words.listed(places), "unit": words(f"readings.unit.{unit}")}
        return words(key, factor=value(f"{own}.factor"), **at)

    def _precision(self, protocol: str, model: str) -> Safe:
        asked, key = self._report.recipe(protocol, model).precision, f"{protocol}.{model}.precision"
        if not self._values.has(key):
            return self._words(f"readings.precision.{asked}")
        names = self._values.texts(key)
        ours = self._words.listed(self._words(f"readings.precision.{name}") for name in names)
        return self._words("methods.resolved", ours=ours) if asked == "auto" else ours

    def _features(self, protocol: str, model: str) -> Safe:
        if self._report.recipe(protocol, model).trainable == "all":
            return self._words("readings.frozen_batch_norm.none")
        if not self._values.has(f"{protocol}.{model}.minutes.mean"):
            return self._words("missing")
        kept = self._values.has(f"{protocol}.{model}.forward_minutes.mean")
        return self._words(f"methods.features.{'kept' if kept else 'computed'}")

    def _compile_modes(self, protocol: str, model: str) -> list[str]:
        """The modes of `training.compile`; `none` where no run is finished."""
        key = f"{protocol}.{model}.compile_mode"
        return self._values.texts(key) if self._values.has(key) else ["none"]

    def of_stated(self, item: Stated) -> Safe:
        """How a model is trained of which the article says something; says who deviates."""
        report, words = self._report, self._words
        deviates = "deviates" if len(report.protocols) == 1 else "one-deviates"

        def answer(protocol: str, model: str) -> Safe:
            form = "as-stated" if item.holds_in(report.recipe(protocol, model)) else deviates
            return words(f"methods.{form}", ours=self.initial_weights(protocol, model))

        if item.model not in report.study.models:
            return words("methods.not-studied")
        return self._grouped(answer, [item.model])

    def of_open(self, choice: str) -> Safe:
        """What is chosen where the article leaves it open. Raises UserError for an unknown id."""

        def answer(protocol: str, model: str) -> Safe:
            answers = self.answers(protocol, model)
            if choice not in answers:
                raise UserError(
                    f"{self._report.study.article}: open_choices: the report has no answer to "
                    f"{choice!r}; it knows {', '.join(sorted(answers))}. Use one of these ids, or "
                    "add an answer in src/resnet_sizes/reporting/"
                )
            return answers[choice]

        return self._grouped(answer, self._report.study.models)

    def unmentioned(self) -> list[str]:
        """Aspects of which the article says nothing: `precision`, and what this study uses."""
        report = self._report
        pairs = [(name, model) for name in report.protocols for model in report.models]
        used = {
            "precision": True,
            "features": any(report.recipe(*pair).trainable == "head" for pair in pairs),
            "accumulation": report.study.training.gradient_accumulation > 1,
            "compile": any(self._compile_modes(*pair) != ["none"] for pair in pairs),
        }
        covered = {choice.id for choice in report.article.open_choices}
        return [aspect for aspect in used if used[aspect] and aspect not in covered]

    def weights_files(self) -> Safe:
        """The files of the initial weights, by network where each has one, else by reading too;
        empty where no finished run had any."""
        by_model: dict[str, dict[str, Safe]] = {}
        for protocol in self._report.protocols:
            for model in self._report.study.models:
                if file := self._weights_file(protocol, model):
                    by_model.setdefault(model, {}).setdefault(plain(file), file)
        if any(len(files) > 1 for files in by_model.values()):
            none, models = self._words("none"), self._report.study.models
            return self._grouped(lambda *run: self._weights_file(*run) or none, models)
        items = [f"{display_name(m)}: {file}" for m in by_model for file in by_model[m].values()]
        return Safe("; ".join(items))

    def _weights_file(self, protocol: str, model: str) -> Safe | None:
        key = f"{protocol}.{model}.initial_weights"
        if not self._values.has(f"{key}.name"):
            return None
        own = self._values.text(f"{key}.name") == "file"
        digits = code(self._values.text(f"{key}.sha256")[:HASH_PART])
        return self._words(
            f"methods.weights-file.{'own' if own else 'torchvision'}",
            name=self._values.code(f"{key}.name"),
            file=self._values.code(f"{key}.file"),
            digits=self._values.followed(f"{key}.sha256", digits),
        )

    def _grouped(self, answer: Answer, models: Sequence[str]) -> Safe:
        """One answer where all runs have the same, else each answer after those that give it.

        Readings are named only where there are several, networks only where they differ within
        a reading.
        """
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
