"""What the report says of its figures: files, descriptions, and a sentence on each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from resnet_sizes.reporting.text.context import ProtocolValues, ReportContext
from resnet_sizes.reporting.text.escaping import Safe, escape_markdown
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.reporting.text.words import class_label
from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES
from resnet_sizes.schemas.study.protocol import display_name


def figure_file(name: str) -> Safe:
    """A figure's file, beside `article.qmd`."""
    return Safe(f"figure-{name}.svg")


@dataclass(frozen=True)
class FigureView:
    """One figure of the first reading."""

    file: Safe
    description: Safe
    """What it shows, for those who do not see it, with the keys of its values."""
    sentence: Safe
    """What the text says of it, after the sentence that refers to it."""
    several: bool
    """Whether it shows a spread: between seeds, or a prediction interval."""
    computed: str
    """Whether its times are computed, not measured: `none`, `some` or `all`."""

    @property
    def alt(self) -> Safe:
        """The description for an attribute, which holds no markup."""
        return plain(self.description)


def figure_views(report: ReportContext) -> dict[str, FigureView | None]:
    """The figures by name, but for the loss, which has words of its own; None for those that would
    be empty."""
    if not report.figures.points:
        return dict.fromkeys(FIGURE_NAMES[1:])
    texts = _FigureTexts(report)
    return {
        "accuracy": texts.accuracy(),
        "pareto": texts.pareto(),
        "confusion": texts.confusion(),
        "forest": texts.forest() if report.figures.printed else None,
    }


class _FigureTexts(ProtocolValues):
    def __init__(self, report: ReportContext) -> None:
        super().__init__(report, report.figures.protocol)
        self._numbers = report.figures
        self._models = [each.model for each in report.figures.points]

    def accuracy(self) -> FigureView:
        after_first = self._items(
            "accuracy.first",
            self._models,
            lambda model: {"first": self._value(model, "first_test_accuracy.mean")},
        )
        at_the_end = self._items(
            "accuracy.item",
            self._models,
            lambda model: {
                "train": self._value(model, "final_train_accuracy.mean"),
                "test": self._value(model, "accuracy.mean"),
            },
        )
        sentence = self._words("figures.accuracy.sentence", items=at_the_end)
        return self._view("accuracy", after_first, sentence)

    def pareto(self) -> FigureView:
        points = self._items(
            "pareto.item",
            self._models,
            lambda model: {
                "accuracy": self._value(model, "accuracy.mean"),
                "minutes": self._value(model, "minutes.mean"),
            },
        )
        kinds = {each.computed for each in self._numbers.points}
        computed = "some" if len(kinds) > 1 else "all" if True in kinds else "none"
        return self._view("pareto", points, self._front(), computed=computed)

    def _front(self) -> Safe:
        """Which models are on the front, and what that says of the others."""
        front = self._numbers.front
        if len(self._models) == 1:
            return self._words("figures.pareto.sole", model=display_name(self._models[0]))
        if front is None:
            return self._words("figures.pareto.none")
        form = "one" if len(front) == 1 else "some" if len(front) < len(self._models) else "all"
        return self._words(
            f"figures.pareto.{form}", models=self._words.listed(map(display_name, front))
        )

    def confusion(self) -> FigureView:
        hardest = self._items(
            "confusion.hardest",
            self._models,
            lambda model: {
                "name": self._class(model, "hardest_class.name"),
                "share": self._value(model, "hardest_class.share", 1),
            },
        )
        mistakes = self._items(
            "confusion.item",
            [each.model for each in self._numbers.confusion if each.largest],
            lambda model: {
                "actual": self._class(model, "confusion.true"),
                "predicted": self._class(model, "confusion.predicted"),
                "share": self._value(model, "confusion.share", 1),
            },
        )
        sentence = self._words("figures.confusion.perfect")
        if mistakes:
            sentence = self._words("figures.confusion.sentence", items=mistakes)
        return self._view("confusion", hardest, sentence)

    def _class(self, model: str, quantity: str) -> Safe:
        key = self._key(model, quantity)
        label = class_label(self._values.text(key), self._numbers.content, self._words)
        return self._values.followed(key, escape_markdown(label))

    def forest(self) -> FigureView:
        shown = self._items(
            "forest.item",
            self._printed("accuracy"),
            lambda model: {
                "article": self._values.value(f"article.{model}.accuracy", 2),
                "ours": self._value(model, "accuracy.mean"),
            },
        )
        increments = self._items(
            "forest.item",
            self._printed("accuracy_increment"),
            lambda model: {
                "article": self._values.value(f"article.{model}.accuracy_increment", 0),
                "ours": self._value(model, "accuracy_increment", 1),
            },
        )
        if increments:
            shown = self._words("figures.forest.increments", accuracies=shown, items=increments)
        several = any(each.interval for each in self._numbers.printed)
        return self._view("forest", shown, self._inside(), several=several)

    def _printed(self, column: str) -> list[str]:
        """The models with a number of the article's and one of ours in this column."""
        found = {each.model for each in self._numbers.printed if each.column == column}
        return [model for model in self._models if model in found]

    def _inside(self) -> Safe:
        """How many of the printed numbers lie inside the prediction interval beside them."""
        prefix = f"{self.protocol}.printed_accuracies"
        intervals = int(self._values.number(f"{prefix}.with_interval"))
        inside = int(self._values.number(f"{prefix}.inside"))
        if not intervals:
            return self._words("figures.forest.no-interval")
        form = "all" if inside == intervals else "some" if inside else "zero"
        if form == "some":
            form += ".one" if inside == 1 else ".other"
        return self._words(
            f"figures.forest.{'sole-' if intervals == 1 else ''}{form}",
            inside=self._values.value(f"{prefix}.inside"),
            intervals=self._values.value(f"{prefix}.with_interval"),
        )

    def _items(
        self, key: str, models: Iterable[str], fillings: Callable[[str], dict[str, Safe]]
    ) -> Safe:
        """The text under a key for one model after the other; texts have commas of their own."""
        texts = [
            self._words(f"figures.{key}", model=display_name(model), **fillings(model))
            for model in models
        ]
        return Safe("; ".join(map(str, texts)))

    def _view(
        self,
        name: str,
        items: Safe,
        sentence: Safe,
        several: bool | None = None,
        computed: str = "none",
    ) -> FigureView:
        if several is None:
            several = any(len(each.minutes) > 1 for each in self._numbers.points)
        alt = self._words(f"figures.{name}.alt", items=items)
        description = Safe(" ".join(str(part) for part in (alt, sentence) if part))
        return FigureView(figure_file(name), description, sentence, several, computed)
