"""What the run files and the metrics add to a reading, in words."""

from resnet_sizes.reporting.sections.colophon import HASH_PART
from resnet_sizes.reporting.sections.readings import Answer, grouped_answer
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import PrintedValues, plain
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.protocol import TORCHVISION_WEIGHTS, TrainingRecipe
from resnet_sizes.schemas.study.study import Study


class RunWords:
    """Answers that a protocol gives for a model, as its runs were made.

    Where a model has no finished run, what the reading asks is said, or that there is none.
    """

    def __init__(self, study: Study, values: PrintedValues, words: Words) -> None:
        self._study = study
        self._values = values
        self._t = words

    def answers(self) -> dict[str, Answer]:
        """By the id of the open choice in the article file, or by the aspect."""
        return {
            "weights-version": self._weights_version,
            "minutes": self._minutes,
            "precision": self._precision,
            "features": self._features,
            "accumulation": self._accumulation,
            "compile": self._compile,
        }

    def aspects(self) -> list[str]:
        """Of what the article does not mention: `precision`, and what this study makes use of."""
        pairs = [(name, model) for name in self._study.protocols for model in self._study.models]
        frozen = any(self._reading(*pair).trainable == "head" for pair in pairs)
        parts = self._study.training.gradient_accumulation > 1
        compiled = any(self._modes(*pair) != ["none"] for pair in pairs)
        optional = {"features": frozen, "accumulation": parts, "compile": compiled}
        return ["precision", *(name for name, used in optional.items() if used)]

    def weights_files(self) -> Safe | None:
        """The files of the initial weights, by network where each has one, else by reading too;
        None where no finished run had any."""
        by_model: dict[str, dict[str, Safe]] = {}
        for protocol in self._study.protocols:
            for model in self._study.models:
                file = self._weights_file(protocol, model)
                if file is not None:
                    by_model.setdefault(model, {}).setdefault(plain(file), file)
        if not by_model:
            return None
        if all(len(files) == 1 for files in by_model.values()):
            items = [
                f"{model_name(model)}: {file}"
                for model, files in by_model.items()
                for file in files.values()
            ]
            return Safe("; ".join(items))

        def answer(protocol: str, model: str) -> Safe:
            return self._weights_file(protocol, model) or self._t("none")

        return grouped_answer(self._study, self._t, answer)

    def _reading(self, protocol: str, model: str) -> TrainingRecipe:
        return self._study.protocol_definitions[protocol].recipe_for(model)

    def _weights_file(self, protocol: str, model: str) -> Safe | None:
        key = f"{protocol}.{model}.initial_weights"
        if not self._values.has(f"{key}.name"):
            return None
        name = self._values.text(f"{key}.name")
        return self._t(
            f"methods.weights-file.{'own' if name == 'file' else 'torchvision'}",
            name=self._values.followed(f"{key}.name", code(name)),
            file=self._values.code(f"{key}.file"),
            digits=self._values.followed(
                f"{key}.sha256", code(self._values.text(f"{key}.sha256")[:HASH_PART])
            ),
        )

    def _weights_version(self, protocol: str, model: str) -> Safe:
        weights = self._reading(protocol, model).weights
        if weights not in TORCHVISION_WEIGHTS:
            key = "none" if weights == "none" else "file"
            return self._t(f"readings.weights_version.{key}")
        version = Safe(weights_version(model, weights))
        key = "default" if weights == "default" else "chosen"
        return self._t(f"readings.weights_version.{key}", version=version)

    def _minutes(self, protocol: str, model: str) -> Safe:
        key = f"{protocol}.{model}.minutes.mean"
        computed = self._values.has(key) and self._values.is_computed_time(key)
        return self._t(f"choices.minutes.{'computed' if computed else 'measured'}")

    def _precision(self, protocol: str, model: str) -> Safe:
        asked = self._reading(protocol, model).precision
        key = f"{protocol}.{model}.precision"
        if not self._values.has(key):
            return self._t(f"readings.precision.{asked}")
        names = self._values.texts(key)
        ours = self._t.listed([self._t(f"readings.precision.{name}") for name in names])
        return self._t("methods.resolved", ours=ours) if asked == "auto" else ours

    def _features(self, protocol: str, model: str) -> Safe:
        reading = self._reading(protocol, model)
        if reading.trainable == "all":
            return self._t("readings.frozen_batch_norm.none")
        if not self._values.has(f"{protocol}.{model}.minutes.mean"):
            return self._t("missing")
        kept = self._values.has(f"{protocol}.{model}.forward_minutes.mean")
        return self._t(f"methods.features.{'kept' if kept else 'anew'}")

    def _accumulation(self, protocol: str, model: str) -> Safe:
        reading = self._reading(protocol, model)
        by_batch = reading.trainable == "all" or reading.frozen_batch_norm == "train"
        return self._t(
            f"methods.accumulation.{'batch-norm' if by_batch else 'exact'}",
            parts=self._values.value("study.gradient_accumulation"),
        )

    def _modes(self, protocol: str, model: str) -> list[str]:
        """The modes of `torch.compile`; `none` where no run is finished."""
        key = f"{protocol}.{model}.compile_mode"
        return self._values.texts(key) if self._values.has(key) else ["none"]

    def _compile(self, protocol: str, model: str) -> Safe:
        modes = self._modes(protocol, model)
        return self._t.listed([self._t(f"methods.compile.{mode}") for mode in modes])
