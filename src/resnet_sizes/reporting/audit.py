"""The audit of the article in words and cells of the report's tables."""

from dataclasses import dataclass

from resnet_sizes.records.audit import (
    AccuracyPair,
    Audit,
    IncrementReading,
    Yardstick,
)
from resnet_sizes.records.numbers import decimal, percent, plain, rounded, significant
from resnet_sizes.reporting.audit_readings import AuditReadings, AuditTable, Cells
from resnet_sizes.reporting.escaping import Safe
from resnet_sizes.reporting.words import Words, model_name


@dataclass(frozen=True)
class AuditView:
    """What `_audit.qmd.j2` prints; `number` is that of the section within chapter 3."""

    number: Safe
    increments: AuditTable
    increments_text: Cells
    accuracies: AuditTable
    images: Safe
    pairs: AuditTable
    pairs_text: Safe | None
    returns: AuditTable
    returns_text: Cells
    outcomes: AuditTable
    outcomes_text: Cells
    minutes: AuditTable
    device: Safe
    device_memory: Safe
    epochs: Safe


def audit_view(audit: Audit, words: Words, language: str, *, number: int = 1) -> AuditView | None:
    """The audit for a template; None where the article prints nothing to audit."""
    view, readings = _View(audit, words, language), AuditReadings(audit, words, language)
    shown = readings.device_shown()
    if not (audit.increments or audit.accuracies or shown):
        return None
    return AuditView(
        number=view.decimal(number, 0),
        increments=view.increments(),
        increments_text=view.increments_text(),
        accuracies=view.accuracies(),
        images=view.decimal(audit.test_images, 0),
        pairs=view.pairs(),
        pairs_text=view.pairs_text(),
        returns=view.returns(),
        returns_text=view.returns_text(),
        outcomes=readings.outcomes(),
        outcomes_text=readings.outcomes_text(),
        minutes=readings.minutes(shown),
        device=readings.name_of(shown) if shown else words("none"),
        device_memory=readings.memory_of(shown) if shown else words("none"),
        epochs=view.decimal(audit.epochs, 0),
    )


class _View:
    def __init__(self, audit: Audit, words: Words, language: str) -> None:
        self._audit = audit
        self._t = words
        self._language = language

    def decimal(self, value: float, digits: int) -> Safe:
        return Safe(decimal(value, digits, self._language))

    def _or_none(self, value: float | None, digits: int) -> Safe:
        return self._t("none") if value is None else self.decimal(value, digits)

    def _heads(self, block: str, *columns: str) -> Cells:
        return [self._t(f"audit.{block}.columns.{column}") for column in columns]

    def increments(self) -> AuditTable:
        return AuditTable(
            self._heads("increments", "model", "of", "printed", "relative", "points", "fits"),
            [self._increment(item) for item in self._audit.increments],
        )

    def _increment(self, item: IncrementReading) -> Cells:
        accuracy = item.column == "accuracy_increment"
        digits = len(item.printed.partition(".")[2])
        relative = self._t("none")
        if item.relative is not None:
            relative = Safe(decimal(item.relative, digits + 2, self._language) + "%")
        return [
            model_name(item.model),
            self._t(f"audit.increments.of.{item.column}"),
            Safe(decimal(item.printed, digits, self._language) + "%"),
            relative,
            self.decimal(item.points, 2 if accuracy else 0),
            self._t(f"audit.increments.fits.{item.fits}"),
        ]

    def increments_text(self) -> Cells:
        return [
            self._t(
                f"audit.increments.conclusion.{column.fits}",
                column=self._t(f"audit.increments.of.{column.column}"),
            )
            for column in self._audit.columns
        ]

    def accuracies(self) -> AuditTable:
        rows = [
            [
                model_name(item.model),
                Safe(percent(item.accuracy / 100, self._language)),
                self._t(
                    "results.interval",
                    low=Safe(percent(item.low / 100, self._language)),
                    high=Safe(percent(item.high / 100, self._language)),
                ),
            ]
            for item in self._audit.accuracies
        ]
        return AuditTable(self._heads("accuracies", "model", "accuracy", "interval"), rows)

    def pairs(self) -> AuditTable:
        deviations = [
            self._t("audit.pairs.columns.with", deviation=Safe(plain(value, self._language)))
            for value in self._audit.assumptions.seed_deviations
        ]
        return AuditTable(
            self._heads("pairs", "pair", "difference", "z", "vanishing") + deviations,
            [self._pair(pair) for pair in self._audit.pairs],
        )

    def _pair(self, pair: AccuracyPair) -> Cells:
        names = {"first": model_name(pair.first), "second": model_name(pair.second)}
        return [
            self._t("audit.pairs.pair", **names),
            self.decimal(pair.difference, 2),
            self._or_none(pair.z, 1),
            self._or_none(pair.vanishing_deviation, 2),
            *(self.decimal(effect.z, 1) for effect in pair.with_deviations),
        ]

    def pairs_text(self) -> Safe | None:
        """How many differences pass the test, and the smallest deviation that undoes one."""
        if not self._audit.pairs:
            return None
        found = [
            pair.vanishing_deviation
            for pair in self._audit.pairs
            if pair.vanishing_deviation is not None
        ]
        if not found:
            return self._t("audit.pairs.text.none")
        form = "all" if len(found) == len(self._audit.pairs) else "some"
        return self._t(f"audit.pairs.text.{form}", smallest=self._points(min(found)))

    def _points(self, value: float) -> Safe:
        form = "one" if rounded(value, 2) < 2 else "other"
        return self._t(f"results.points.{form}", number=self.decimal(value, 2))

    def returns(self) -> AuditTable:
        steps = [
            self._t("audit.returns.step", first=model_name(first), second=model_name(second))
            for first, second in self._audit.returns.steps
        ]
        rows = [self._yardstick(item) for item in self._audit.returns.yardsticks] if steps else []
        yardstick, falls = self._heads("returns", "yardstick", "falls")
        return AuditTable([yardstick, *steps, falls], rows)

    def _yardstick(self, item: Yardstick) -> Cells:
        falls = {True: "yes", False: "no", None: "unknown"}[item.falls]
        reduction = item.name == "error-reduction"
        return [
            self._t(f"audit.returns.names.{item.name}"),
            *(self._return(value, reduction) for value in item.values),
            self._t(f"audit.returns.falls.{falls}"),
        ]

    def _return(self, value: float | None, reduction: bool) -> Safe:
        if value is None:
            return self._t("none")
        if reduction:
            return Safe(percent(value / 100, self._language, 1))
        return Safe(significant(value, 2, self._language))

    def returns_text(self) -> Cells:
        sentences = []
        for falls, form in ((True, "yes"), (False, "no")):
            names = [
                self._t(f"audit.returns.names.{item.name}")
                for item in self._audit.returns.yardsticks
                if item.falls is falls
            ]
            if names:
                listed = self._t.listed(names)
                sentences.append(self._t(f"audit.returns.text.{form}", names=listed))
        return sentences
