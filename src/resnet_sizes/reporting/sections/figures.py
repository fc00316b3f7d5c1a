"""What the report says of its figures: files, descriptions, and a sentence on each."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_sizes.reporting.sections.times import Times
from resnet_sizes.reporting.text.escaping import Safe, escape_markdown
from resnet_sizes.reporting.text.printed import PrintedValues, plain
from resnet_sizes.reporting.text.words import Words, class_label, model_name
from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES


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
    several: bool = False
    """Whether it shows a spread: between seeds, or a prediction interval."""
    computed: str = "none"
    """Whether its times are computed, not measured: `none`, `some` or `all`."""

    @property
    def alt(self) -> Safe:
        """The description for an attribute, which holds no markup."""
        return plain(self.description)


class Figures:
    """The figures of one protocol; `models` are those that have results, from shallow to deep."""

    def __init__(
        self,
        values: PrintedValues,
        words: Words,
        protocol: str,
        models: Sequence[str],
    ) -> None:
        self._values = values
        self._t = words
        self._protocol = protocol
        self._models = models
        self._times = Times(values, words, protocol, models)
        runs = [values.number(self._key(model, "runs")) for model in models]
        self._several = max(runs, default=0) > 1

    def views(self) -> dict[str, FigureView | None]:
        """The figures by name, but for the loss, which has words of its own; None for those that
        would be empty."""
        if not self._models:
            return dict.fromkeys(FIGURE_NAMES[1:])
        return {
            "accuracy": self._accuracy(),
            "pareto": self._pareto(),
            "confusion": self._confusion(),
            "forest": self._forest(),
        }

    def _key(self, model: str, quantity: str) -> str:
        return f"{self._protocol}.{model}.{quantity}"

    def _value(self, model: str, quantity: str, digits: int | None = None) -> Safe:
        return self._values.value(self._key(model, quantity), digits)

    def _view(self, name: str, items: Safe, sentence: Safe, **options: object) -> FigureView:
        parts = [self._t(f"figures.{name}.alt", items=items), sentence]
        return FigureView(
            file=figure_file(name),
            description=Safe(" ".join(str(part) for part in parts if part)),
            sentence=sentence,
            **{"several": self._several, **options},  # type: ignore[arg-type]
        )

    def _joined(self, key: str, items: Sequence[dict[str, Safe]]) -> Safe:
        """Items that have commas of their own, one after the other."""
        return Safe("; ".join(str(self._t(key, **item)) for item in items))

    def _accuracy(self) -> FigureView:
        items = [
            {
                "model": model_name(model),
                "train": self._value(model, "final_train_accuracy.mean"),
                "test": self._value(model, "accuracy.mean"),
            }
            for model in self._models
        ]
        ends = self._joined("figures.accuracy.item", items)
        sentence = self._t("figures.accuracy.sentence", items=ends)
        begins = self._joined(
            "figures.accuracy.first",
            [
                {
                    "model": model_name(model),
                    "first": self._value(model, "first_test_accuracy.mean"),
                }
                for model in self._models
            ],
        )
        return self._view("accuracy", begins, sentence)

    def _pareto(self) -> FigureView:
        items = [
            {
                "model": model_name(model),
                "accuracy": self._value(model, "accuracy.mean"),
                "minutes": self._value(model, "minutes.mean"),
            }
            for model in self._models
        ]
        computed = sum(self._times.are_computed(model) for model in self._models)
        kind = "none" if not computed else "all" if computed == len(items) else "some"
        return self._view(
            "pareto", self._joined("figures.pareto.item", items), self._front(), computed=kind
        )

    def _front(self) -> Safe:
        """Which models are on the front, and what that says of the others."""
        front = f"{self._protocol}.pareto.models"
        if len(self._models) == 1:
            return self._t("figures.pareto.sole", model=model_name(self._models[0]))
        if not self._values.has(front):
            return self._t("figures.pareto.none")
        names = [model_name(model) for model in self._values.text(front).split(", ")]
        form = "one" if len(names) == 1 else "some" if len(names) < len(self._models) else "all"
        return self._t(f"figures.pareto.{form}", models=self._t.listed(names))

    def _class(self, model: str, quantity: str) -> Safe:
        key = self._key(model, quantity)
        label = class_label(self._values.text(key), self._values.text("data.content"), self._t)
        return self._values.followed(key, escape_markdown(label))

    def _confusion(self) -> FigureView:
        hardest = [
            {
                "model": model_name(model),
                "name": self._class(model, "hardest_class.name"),
                "share": self._value(model, "hardest_class.share", 1),
            }
            for model in self._models
        ]
        mistakes = [
            {
                "model": model_name(model),
                "actual": self._class(model, "confusion.true"),
                "predicted": self._class(model, "confusion.predicted"),
                "share": self._value(model, "confusion.share", 1),
            }
            for model in self._models
            if self._values.has(self._key(model, "confusion.share"))
        ]
        sentence = self._t("figures.confusion.perfect")
        if mistakes:
            items = self._joined("figures.confusion.item", mistakes)
            sentence = self._t("figures.confusion.sentence", items=items)
        return self._view("confusion", self._joined("figures.confusion.hardest", hardest), sentence)

    def _forest(self) -> FigureView | None:
        """None where no printed accuracy has a number of ours beside it."""
        prefix = f"{self._protocol}.printed_accuracies"
        if not self._values.has(f"{prefix}.count"):
            return None
        intervals = int(self._values.number(f"{prefix}.with_interval"))
        inside = int(self._values.number(f"{prefix}.inside"))
        if not intervals:
            sentence = self._t("figures.forest.no-interval")
        else:
            how_many = "all" if inside == intervals else "some" if inside else "zero"
            some = "" if how_many != "some" else ".one" if inside == 1 else ".other"
            sentence = self._t(
                f"figures.forest.{'sole-' if intervals == 1 else ''}{how_many}{some}",
                inside=self._values.value(f"{prefix}.inside"),
                intervals=self._values.value(f"{prefix}.with_interval"),
            )
        kept = [m for m in self._models if self._values.has(f"article.{m}.accuracy")]
        items = [
            {
                "model": model_name(model),
                "article": self._values.value(f"article.{model}.accuracy", 2),
                "ours": self._value(model, "accuracy.mean"),
            }
            for model in kept
        ]
        shown = self._joined("figures.forest.item", items)
        increments = [
            {
                "model": model_name(model),
                "article": self._values.value(f"article.{model}.accuracy_increment", 0),
                "ours": self._value(model, "accuracy_increment", 1),
            }
            for model in self._models
            if self._values.has(
                f"article.{model}.accuracy_increment", self._key(model, "accuracy_increment")
            )
        ]
        if increments:
            second = self._joined("figures.forest.item", increments)
            shown = self._t("figures.forest.increments", accuracies=shown, items=second)
        return self._view(
            "forest",
            shown,
            sentence,
            several=intervals > 0,
        )
