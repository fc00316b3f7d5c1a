"""The results and their figures in sentences; tables are in `report/tables/results.j2`, and what
figures show network by network in `report/tables/figures.j2`."""

from collections.abc import Sequence
from typing import Literal

from resnet_sizes.i18n.numbers import decimal, exact, rounded
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, escape_markdown
from resnet_sizes.reporting.text.printed import Name
from resnet_sizes.reporting.text.times import Times
from resnet_sizes.reporting.text.words import class_label
from resnet_sizes.schemas.evidence.values import seed_keys
from resnet_sizes.schemas.study.protocol import display_name


class Results(Times):
    """Results of one protocol in words. What a partial study lacks is said to be missing."""

    @property
    def name(self) -> Name:
        """The protocol's name, as the prose prints it."""
        return Name(self.protocol, "reading")

    @property
    def description(self) -> Safe:
        """What the configuration says of the protocol."""
        key = f"study.protocol.{self.protocol}.description.{self._report.language}"
        return self._values.value(key)

    def paragraphs(self, *, in_short: bool = False) -> list[Safe]:
        """One sentence per model, one per pair with the shallowest, and one on the choice of the
        epoch; in short the last alone, where the table says the rest."""
        models = self._report.models
        pairs = [self._of_pair(m) for m in models[1:] if self._has(m, "accuracy_increment")]
        # Of one epoch none is chosen.
        several = self._values.number("study.epochs") > 1
        best = [self._best(model) for model in self.finished] if several else []
        found = [] if in_short else [[self._of_model(model) for model in models], pairs]
        if best:
            found.append([self._words("results.best", items=self._words.listed(best))])
        return [Safe(" ".join(sentences)) for sentences in found if sentences]

    def _best(self, model: str) -> Safe:
        """The accuracy of the best epoch, and by how much it exceeds that of the last."""
        bias = self._key(model, "selection_bias.mean")
        accuracy = self._value(model, "best_accuracy.mean")
        fillings = {"accuracy": accuracy, "model": display_name(model)}
        if rounded(exact(self._values.number(bias)) * 100, 2) == 0:
            return self._words("results.best-item.equal", **fillings)
        return self._words("results.best-item.more", points=self._points(bias), **fillings)

    def _of_model(self, model: str) -> Safe:
        runs = self._key(model, "runs")
        planned, _ = seed_keys(self._report.study, self.protocol)
        sentence = self._accuracy(model)
        if not 0 < self._values.number(runs) < self._values.number(planned):
            return sentence
        fewer = self._words.counted(
            "results.fewer-runs",
            int(self._values.number(runs)),
            number=self._values.value(runs),
            planned=self._values.value(planned),
        )
        return Safe(f"{sentence} {fewer}")

    def _accuracy(self, model: str) -> Safe:
        name = display_name(model)
        if not self._has(model, "accuracy.mean"):
            return self._words("results.accuracy.none", model=name)
        form, deviation = "one", None
        if self._has(model, "accuracy.sd"):
            form, deviation = "other", self._points(self._key(model, "accuracy.sd"))
        return self._words(
            f"results.accuracy.{form}",
            model=name,
            accuracy=self._value(model, "accuracy.mean"),
            trained=self.of_model(model),
            deviation=deviation,
        )

    def _points(self, key: str) -> Safe:
        """A fraction in percentage points; what is printed decides between the forms."""
        form = "one" if rounded(exact(self._values.number(key)) * 100, 2) < 2 else "other"
        return self._words(f"results.points.{form}", number=self._values.points(key))

    def _of_pair(self, model: str) -> Safe:
        key = self._key(model, "accuracy_increment")
        # What is printed decides: 0.04 % more is no more than the page shows.
        change = rounded(self._values.number(key), 1)
        direction = "more" if change > 0 else "less" if change < 0 else "equal"
        base = display_name(self._report.models[0])
        sentence = self._words(
            f"results.increment.{direction}",
            model=display_name(model),
            base=base,
            layers=self._value(model, "layers_increment"),
            accuracy=self._values.size(key, digits=1),
            time=self.of_pair(model, self._report.models[0]),
        )
        if not self._values.has(seeds := f"{key}.seeds"):
            return sentence
        count, number = int(self._values.number(seeds)), self._values.value(seeds)
        fewer = self._words.counted("results.increment-seeds", count, number=number)
        return Safe(f"{sentence} {fewer}")

    def _loss(self, model: str, quantity: str) -> Safe:
        """A loss with its deviation between seeds, where there are several."""
        mean = self._value(model, f"{quantity}.mean")
        if not self._has(model, f"{quantity}.sd"):
            return mean
        spread = self._value(model, f"{quantity}.sd")
        return self._words("results.spread", mean=mean, deviation=spread)

    @property
    def losses(self) -> Safe | None:
        """`1,900 ± 0,010 para 0,800 ± 0,020 na ResNet-18, …`, or nothing without a finished run, or
        where the first epoch is the last."""
        if self._values.number("study.epochs") < 2:
            return None
        items = [
            self._words(
                "results.losses-item",
                first=self._loss(model, "initial_loss"),
                last=self._loss(model, "final_loss"),
                model=display_name(model),
            )
            for model in self.finished
        ]
        return self._words.listed(items) if items else None


def repeated(report: ReportContext, results: Sequence[Results]) -> Safe:
    """Which networks have results, in any reading."""
    finished = {model for own in results for model in own.finished}
    names = [display_name(model) for model in report.models if model in finished]
    return report.words.counted("repeated", len(names), models=report.words.listed(names))


def times_tables(report: ReportContext, results: Sequence[Results]) -> Safe | None:
    """`a @tbl-tempos traz`, of each reading that has computed times; None without any."""
    tables = []
    for position, own in enumerate(results, start=1):
        if own.has_computed:
            number = "" if position == 1 else f"-{decimal(position, 0, report.language)}"
            tables.append(report.words("times-tables.item", table=Safe(f"@tbl-tempos{number}")))
    if not tables:
        return None
    return report.words.counted("times-tables", len(tables), tables=report.words.listed(tables))


class FigureTexts:
    """What the text says of the figures of the first reading."""

    def __init__(self, report: ReportContext) -> None:
        self._values = report.values
        self._words = report.words
        self._figures = report.figures

    @property
    def several(self) -> bool:
        """Whether the figures show a spread between seeds."""
        return any(len(each.minutes) > 1 for each in self._figures.points)

    @property
    def computed(self) -> Literal["none", "some", "all"]:
        """Whether times are computed, not measured."""
        kinds = {each.computed for each in self._figures.points}
        return "some" if len(kinds) > 1 else "all" if True in kinds else "none"

    def class_name(self, key: str) -> Safe:
        """The name of a class, which is a value, in the language of the report."""
        label = class_label(self._values.text(key), self._figures.content, self._words)
        return self._values.followed(key, escape_markdown(label))

    @property
    def front(self) -> Safe:
        """Which models are on the Pareto front, and what that says of the others."""
        front, models = self._figures.front, [each.model for each in self._figures.points]
        if len(models) == 1:
            return self._words("figures.pareto.sole", model=display_name(models[0]))
        if front is None:
            return self._words("figures.pareto.none")
        form = "one" if len(front) == 1 else "some" if len(front) < len(models) else "all"
        return self._words(
            f"figures.pareto.{form}", models=self._words.listed(map(display_name, front))
        )

    @property
    def inside(self) -> Safe:
        """How many of the printed numbers lie inside the prediction interval beside them."""
        prefix = f"{self._figures.protocol}.printed_accuracies"
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
