"""What the sections of a report are written from."""

from dataclasses import dataclass
from typing import Literal

from resnet_sizes.i18n.numbers import Form, exact, moment
from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues, from_article
from resnet_sizes.reporting.text.verdict_sentences import sentence_values
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.evidence.verdicts import RunState, VerdictName
from resnet_sizes.schemas.study.protocol import Description, TrainingRecipe, by_depth


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
        return self.values.marked(key, digits, kind)

    def in_points(self, key: str) -> Safe:
        """A fraction in percentage points, with their name."""
        points = exact(self.values.number(key)) * 100
        return self.words.points(self.values.points(key), points)

    def verdict(self, name: VerdictName) -> Safe:
        """A verdict behind its sign."""
        return Safe(f"{self.words(f'signs.{name}')} {self.words(f'verdicts.{name}')}")

    def in_language(self, text: Description) -> str:
        """A text of the article file in the report's language, not yet escaped."""
        return str(getattr(text, self.language))

    def from_article(self, name: str, text: Description) -> Safe:
        """A text that the article file has under an id, as the page prints it."""
        return from_article(name, self.in_language(text))


def report_context(inputs: Inputs, words: Words) -> ReportContext:
    """The records of a study in the language of the words. A verdict is numbers: the report says
    them in a sentence, which is printed and checked as a value."""
    values = inputs.record.values | sentence_values(inputs, words)
    record = inputs.record.model_copy(update={"values": values})
    printed = PrintedValues(record, words.language)
    return ReportContext(**vars(inputs) | {"record": record}, values=printed, words=words)
