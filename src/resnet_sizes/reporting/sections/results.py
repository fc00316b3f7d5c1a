"""The rows of the tables of results, and the sentences on them."""

from dataclasses import dataclass

from resnet_sizes.i18n.numbers import exact, rounded
from resnet_sizes.reporting.sections.times import Times, marked
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.printed import PrintedValues
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import Cell
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.study.protocol import LAYERS


@dataclass(frozen=True)
class TableRow:
    """One row of Table 1, in the article's six columns."""

    test: Safe
    accuracy: Safe
    layers: Safe
    minutes: Safe
    layers_increment: Safe
    accuracy_increment: Safe


@dataclass(frozen=True)
class CostRow:
    """What one network takes."""

    model: Safe
    parameters: Safe
    macs: Safe
    minutes: Safe
    memory: Safe


@dataclass(frozen=True)
class CellRow:
    """One number of the article's table beside ours."""

    id: str
    model: Safe
    column: Safe
    printed: Safe
    ours: Safe
    interval: Safe
    verdict: Safe


class Results:
    """Results of one protocol in words. What a partial study lacks is said to be missing."""

    def __init__(
        self, values: PrintedValues, words: Words, protocol: str, models: list[str]
    ) -> None:
        self._values = values
        self._t = words
        self._protocol = protocol
        self._models = sorted(models, key=LAYERS.__getitem__)
        self.times = Times(values, words, protocol, self._models)

    def _key(self, model: str, quantity: str) -> str:
        return f"{self._protocol}.{model}.{quantity}"

    def _or_missing(self, model: str, quantity: str) -> Safe:
        key = self._key(model, quantity)
        return self._values.value(key) if self._values.has(key) else self._t("missing")

    def table(self) -> list[TableRow]:
        """One row a model, from shallow to deep; the first has no increments."""
        rows = []
        for model in self._models:
            base = model == self._models[0]
            rows.append(
                TableRow(
                    test=model_name(model),
                    accuracy=self._accuracy_cell(model),
                    layers=self._or_missing(model, "layers"),
                    minutes=self.times.cell_with_spread(model),
                    layers_increment=self._increment(model, "layers", base),
                    accuracy_increment=self._increment(model, "accuracy", base),
                )
            )
        return rows

    def _accuracy_cell(self, model: str) -> Safe:
        cell, deviation = self._or_missing(model, "accuracy.mean"), self._key(model, "accuracy.sd")
        if not self._values.has(deviation):
            return cell
        return self._t("results.spread", mean=cell, deviation=self._values.points(deviation))

    def _increment(self, model: str, quantity: str, base: bool) -> Safe:
        return self._t("none") if base else self._or_missing(model, f"{quantity}_increment")

    def paragraphs(self, *, in_short: bool = False) -> list[Safe]:
        """A sentence a model, one a pair with the shallowest, one on the choice of the epoch; in
        short the last alone, where the table says the rest."""
        pairs = [
            self._of_pair(model)
            for model in self._models[1:]
            if self._values.has(self._key(model, "accuracy_increment"))
        ]
        # Of one epoch none is chosen.
        several = self._values.number("study.epochs") > 1
        best = [self._best(model) for model in self.finished()] if several else []
        found = [] if in_short else [[self._of_model(model) for model in self._models], pairs]
        if best:
            found.append([self._t("results.best", items=self._t.listed(best))])
        return [Safe(" ".join(sentences)) for sentences in found if sentences]

    def costs(self) -> list[CostRow]:
        """One row a network that has results."""
        return [
            CostRow(
                model=model_name(model),
                parameters=self._values.value(self._key(model, "parameters")),
                macs=self._values.value(self._key(model, "macs_per_image")),
                minutes=self.times.cell(model),
                memory=self._values.value(self._key(model, "peak_memory")),
            )
            for model in self.finished()
        ]

    def _best(self, model: str) -> Safe:
        """The accuracy of the best epoch, and by how much it exceeds that of the last."""
        bias = self._key(model, "selection_bias.mean")
        accuracy = self._values.value(self._key(model, "best_accuracy.mean"))
        fillings = {"accuracy": accuracy, "model": model_name(model)}
        if rounded(exact(self._values.number(bias)) * 100, 2) == 0:
            return self._t("results.best-item.equal", **fillings)
        return self._t("results.best-item.more", points=self._points(bias), **fillings)

    def finished(self) -> list[str]:
        """The models that have results, from shallow to deep."""
        return [m for m in self._models if self._values.has(self._key(m, "accuracy.mean"))]

    def _of_model(self, model: str) -> Safe:
        runs, planned = self._key(model, "runs"), "study.seeds"
        sentence = self._accuracy(model)
        if not 0 < self._values.number(runs) < self._values.number(planned):
            return sentence
        fewer = self._t.counted(
            "results.fewer-runs",
            int(self._values.number(runs)),
            number=self._values.value(runs),
            planned=self._values.value(planned),
        )
        return Safe(f"{sentence} {fewer}")

    def _accuracy(self, model: str) -> Safe:
        name = model_name(model)
        if not self._values.has(self._key(model, "accuracy.mean")):
            return self._t("results.accuracy.none", model=name)
        accuracy = self._values.value(self._key(model, "accuracy.mean"))
        trained = self.times.of_model(model)
        spread = self._key(model, "accuracy.sd")
        if self._values.has(spread):
            deviation = self._points(spread)
            return self._t(
                "results.accuracy.other",
                model=name,
                accuracy=accuracy,
                trained=trained,
                deviation=deviation,
            )
        return self._t("results.accuracy.one", model=name, accuracy=accuracy, trained=trained)

    def _points(self, key: str) -> Safe:
        """A fraction in percentage points; what is printed decides between the forms."""
        form = "one" if rounded(exact(self._values.number(key)) * 100, 2) < 2 else "other"
        return self._t(f"results.points.{form}", number=self._values.points(key))

    def _of_pair(self, model: str) -> Safe:
        key = self._key(model, "accuracy_increment")
        change = self._values.number(key)
        direction = "more" if change > 0 else "less" if change < 0 else "equal"
        return self._t(
            f"results.increment.{direction}",
            model=model_name(model),
            base=model_name(self._models[0]),
            layers=self._values.value(self._key(model, "layers_increment")),
            accuracy=self._values.size(key, digits=1),
            time=self.times.of_pair(model, self._models[0]),
        )

    def _loss(self, model: str, quantity: str) -> Safe:
        """A loss with its deviation between seeds, where there are several."""
        mean = self._values.value(self._key(model, f"{quantity}.mean"))
        deviation = self._key(model, f"{quantity}.sd")
        if not self._values.has(deviation):
            return mean
        spread = self._values.value(deviation)
        return self._t("results.spread", mean=mean, deviation=spread)

    def losses(self) -> Safe | None:
        """`1,900 ± 0,010 para 0,800 ± 0,020 na ResNet-18, …`, or nothing without a finished run, or
        where the first epoch is the last."""
        if self._values.number("study.epochs") < 2:
            return None
        items = [
            self._t(
                "results.losses-item",
                first=self._loss(model, "initial_loss"),
                last=self._loss(model, "final_loss"),
                model=model_name(model),
            )
            for model in self.finished()
        ]
        return self._t.listed(items) if items else None


def cell_rows(
    article: Article, verdicts: dict[str, Verdict], values: PrintedValues, words: Words
) -> list[CellRow]:
    """The cells of the article's table with ours, the prediction interval and the verdict."""
    rows = []
    for claim in article.claims:
        if not isinstance(claim, Cell):
            continue
        verdict = verdicts[claim.id]
        roles = verdict.values
        places = len(claim.printed.partition(".")[2])
        digits = {"accuracy": 2, "accuracy_increment": 1, "layers_increment": 1}.get(claim.column)
        low, high = roles.get("low"), roles.get("high")
        interval = words("none")
        if low and high:
            interval = words(
                "results.interval",
                low=values.value(low, digits),
                high=values.value(high, digits),
            )
        ours = roles.get("ours")
        number = words("missing")
        if ours:
            number = marked(values, ours, digits)
        rows.append(
            CellRow(
                id=claim.id,
                model=model_name(claim.model),
                column=words(f"short-columns.{claim.column}"),
                printed=values.value(
                    f"article.{claim.model}.{claim.column}",
                    None if claim.column == "minutes" else places,
                ),
                ours=number,
                interval=interval,
                verdict=words(f"verdicts.{verdict.verdict}"),
            )
        )
    return rows
