"""What the sections of a report are written from."""

from collections import Counter
from dataclasses import dataclass
from itertools import product, starmap
from typing import Literal

from resnet_sizes.i18n.numbers import LOCALES, Form, exact, moment
from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import COMPUTED_MARK, PrintedValues, from_article, named
from resnet_sizes.reporting.text.verdict_sentences import sentence_values
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.article.article import Stated
from resnet_sizes.schemas.evidence.values import seed_keys
from resnet_sizes.schemas.evidence.verdicts import RunState, VerdictName
from resnet_sizes.schemas.run.weights import weights_version
from resnet_sizes.schemas.study.protocol import (
    TORCHVISION_WEIGHTS,
    Description,
    TrainingRecipe,
    by_depth,
)

CONFOUNDING_FIELDS = (
    "trainable", "input_size", "stem", "normalisation", "augmentation", "optimizer", "schedule",
    "milestones", "factor", "warmup", "precision",
)  # fmt: skip
"""What may vary between the networks of one protocol, besides the weights."""


@dataclass(frozen=True)
class ReportContext(Inputs):
    """The records of one study, with the words and the printed values of one language."""

    values: PrintedValues
    words: Words

    @property
    def language(self) -> str:
        """`pt` or `en`."""
        return self.words.language

    @property
    def locale(self) -> str:
        """As HTML writes the language: `pt-BR`."""
        return LOCALES[self.language].replace("_", "-")

    @property
    def models(self) -> list[str]:
        """The models of the study, from shallow to deep."""
        return by_depth(self.study.models)

    @property
    def protocols(self) -> list[str]:
        """The names of the study's protocols; the first is held against the article's table."""
        return self.study.protocols

    @property
    def title(self) -> str:
        """The title of the document, which whoever prints it escapes."""
        key = "demo-title" if self.study.demo else f"titles.{self.values.text('data.content')}"
        return str(self.words(key, title=Safe(self.article.article.title)))

    @property
    def created(self) -> str:
        """When the results were finished, ISO 8601 in UTC: equal results give equal documents."""
        return moment(self.values.text("made.finished")).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def unfinished(self) -> list[RunState]:
        """The runs without results."""
        return [run for run in self.verdicts.runs if run.state != "finished"]

    @property
    def is_subset(self) -> bool:
        """Whether only a part of the images was used."""
        number = self.values.number
        return any(
            number(f"data.{part}_images") < number(f"data.full_{part}_images")
            for part in ("train", "test")
        )

    @property
    def has_language_link(self) -> bool:
        """Whether the page leads to the same report in the other language."""
        return set(self.study.report.languages) > {self.language}

    def recipe(self, protocol: str, model: str) -> TrainingRecipe:
        """How a protocol trains a model."""
        return self.study.protocol_definitions[protocol].recipe_for(model)

    def origins(self, protocol: str) -> dict[str, str]:
        """The models that a protocol gives weights to, each with where these come from: `V1` or
        `V2` of torchvision, or `file`."""
        weights = {model: self.recipe(protocol, model).weights for model in self.study.models}
        return {
            model: weights_version(model, given) if given in TORCHVISION_WEIGHTS else "file"
            for model, given in weights.items()
            if given != "none"
        }

    def varying(self, protocol: str) -> list[str]:
        """Those of `CONFOUNDING_FIELDS` that a protocol does not have alike for all models."""
        recipes = [self.recipe(protocol, model) for model in self.study.models]
        return [
            name
            for name in CONFOUNDING_FIELDS
            if len({repr(getattr(recipe, name)) for recipe in recipes}) > 1
        ]

    def apart(self, protocol: str) -> list[str]:
        """The few models that a protocol trains otherwise than all others, where these are three
        at least and most of them; weights that differ are told by `origins`."""
        kinds = {
            model: repr(
                [getattr(self.recipe(protocol, model), name) for name in CONFOUNDING_FIELDS]
            )
            for model in self.models
        }
        usual, count = Counter(kinds.values()).most_common(1)[0]
        few = count > max(2, len(kinds) / 2) and not self.origins(protocol)
        return [model for model in kinds if few and kinds[model] != usual]

    @property
    def recipes(self) -> list[TrainingRecipe]:
        """Those of all protocols and models."""
        return list(starmap(self.recipe, product(self.protocols, self.models)))

    def deviating(self, item: Stated) -> list[str]:
        """The protocols that train a model of the study otherwise than the article says."""
        return [
            name
            for name in self.protocols
            if item.model in self.models and not item.holds_in(self.recipe(name, item.model))
        ]

    def compile_modes(self, protocol: str, model: str) -> list[str]:
        """The modes of `training.compile`; `none` where no run is finished."""
        key = f"{protocol}.{model}.compile_mode"
        return self.values.texts(key) if self.values.has(key) else ["none"]

    @property
    def unmentioned(self) -> list[str]:
        """Aspects of which the article says nothing: `precision`, and what this study uses."""
        runs = product(self.protocols, self.models)
        used = {
            "precision": True,
            "features": any(recipe.trainable == "head" for recipe in self.recipes),
            "accumulation": self.study.training.gradient_accumulation > 1,
            "compile": any(self.compile_modes(*run) != ["none"] for run in runs),
        }
        covered = {choice.id for choice in self.article.open_choices}
        return [aspect for aspect in used if used[aspect] and aspect not in covered]

    def cell(
        self,
        key: str,
        digits: int | None = None,
        kind: Form | None = None,
        *,
        without: Literal["none", "missing"] = "none",
    ) -> Safe:
        """A value of a table with the marks of its time; `without` is what stands for no value."""
        if not self.values.has(key):
            return self.words(without)
        computed = COMPUTED_MARK if self.values.is_computed_time(key) else ""
        return Safe(f"{self.values.value(key, digits, kind)}{computed}{self.shared_mark(key)}")

    def shared_mark(self, key: str) -> Safe:
        """What stands beside a time of which a part was measured on a device with other work."""
        return Safe("†" if self.values.is_shared_time(key) else "")

    def in_points(self, key: str) -> Safe:
        """A fraction in percentage points, with their name."""
        points = exact(self.values.number(key)) * 100
        return self.words.points(self.values.value(key, kind="points"), points)

    def verdict(self, name: VerdictName) -> Safe:
        """A verdict behind its sign."""
        return Safe(f"{self.words(f'signs.{name}')} {self.words(f'verdicts.{name}')}")

    def in_language(self, text: Description) -> str:
        """A text of the article file in the report's language, not yet escaped."""
        return str(getattr(text, self.language))

    def from_article(self, name: str, text: Description) -> Safe:
        """A text that the article file has under an id, as the page prints it."""
        return from_article(name, self.in_language(text))


class Results:
    """Which results of one protocol there are, and what kind of times."""

    def __init__(self, report: ReportContext, protocol: str) -> None:
        self._report = report
        self._values = report.values
        self.protocol = protocol
        self.planned, self.seeds = seed_keys(report.study, protocol)
        """The keys of how many runs of each model are planned, and of their seeds."""

    @property
    def name(self) -> Safe:
        """The protocol's name, as the prose prints it."""
        return named(self.protocol, "reading")

    @property
    def description(self) -> Safe:
        """What the configuration says of the protocol."""
        key = f"study.protocol.{self.protocol}.description.{self._report.language}"
        return self._values.value(key)

    @property
    def finished(self) -> list[str]:
        """The models that have results, from shallow to deep."""
        return [m for m in self._report.models if self._values.has(self._key(m, "accuracy.mean"))]

    def are_computed(self, *models: str) -> bool:
        """Whether the times of any of these models are computed."""
        return any(self._values.is_computed_time(self._key(m, "minutes.mean")) for m in models)

    @property
    def has_computed(self) -> bool:
        """Whether the times of any model are computed."""
        return self.are_computed(*self._report.models)

    @property
    def shared_runs(self) -> float:
        """How many runs shared their device."""
        keys = (self._key(model, "shared_runs") for model in self._report.models)
        return sum(self._values.number(key) for key in keys if self._values.has(key))

    def _key(self, model: str, quantity: str) -> str:
        return f"{self.protocol}.{model}.{quantity}"


def report_context(inputs: Inputs, words: Words) -> ReportContext:
    """The records of a study in the language of the words. A verdict is numbers: the report says
    them in a sentence, which is printed and checked as a value."""
    values = inputs.record.values | sentence_values(inputs, words)
    record = inputs.record.model_copy(update={"values": values})
    printed = PrintedValues(record, words.language)
    return ReportContext(**vars(inputs) | {"record": record}, values=printed, words=words)
