"""The audit of the article in words and cells of the report's tables."""

from collections.abc import Mapping
from dataclasses import dataclass

from resnet_sizes.i18n.numbers import decimal, percent, plain, rounded, significant
from resnet_sizes.reporting.sections.audit_readings import AuditReadings, AuditTable, Cells, Follow
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.evidence.audit import (
    AccuracyPair,
    Audit,
    IncrementReading,
    Yardstick,
)


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
    time_factor: Safe
    """By how much a reading's minutes may differ from the printed ones and still agree."""
    device: Safe
    device_memory: Safe
    epochs: Safe


def audit_view(
    audit: Audit,
    words: Words,
    language: str,
    follow: Follow,
    confidence: Safe,
    *,
    number: int = 1,
) -> AuditView | None:
    """The audit for a template; None where the article prints nothing to audit. `follow` marks a
    text as the number at a place of audit.json, `confidence` is that of its intervals."""
    view = _View(audit, words, language, follow, confidence)
    readings = AuditReadings(audit, words, language, follow)
    shown = readings.device_shown()
    if not (audit.increments or audit.accuracies or shown):
        return None
    return AuditView(
        number=Safe(decimal(number, 0, language)),
        increments=view.increments(),
        increments_text=view.increments_text(),
        accuracies=view.accuracies(),
        images=view.decimal("test_images", audit.test_images, 0),
        pairs=view.pairs(),
        pairs_text=view.pairs_text(),
        returns=view.returns(),
        returns_text=view.returns_text(),
        outcomes=readings.outcomes(),
        outcomes_text=readings.outcomes_text(),
        minutes=readings.minutes(shown),
        time_factor=follow(
            "assumptions.time_factor", Safe(plain(audit.assumptions.time_factor, language))
        ),
        device=readings.name_of(shown) if shown else words("none"),
        device_memory=readings.memory_of(shown) if shown else words("none"),
        epochs=view.decimal("epochs", audit.epochs, 0),
    )


class _View:
    def __init__(
        self, audit: Audit, words: Words, language: str, follow: Follow, confidence: Safe
    ) -> None:
        self._confidence = confidence
        self._audit = audit
        self._t = words
        self._language = language
        self._follow = follow

    def decimal(self, place: str, value: float, digits: int) -> Safe:
        return self._follow(place, Safe(decimal(value, digits, self._language)))

    def _percent(self, place: str, value: float, digits: int = 2) -> Safe:
        return self._follow(place, Safe(percent(value / 100, self._language, digits)))

    def _or_none(self, place: str, value: float | None, digits: int) -> Safe:
        return self._t("none") if value is None else self.decimal(place, value, digits)

    def _heads(self, block: str, *columns: str) -> Cells:
        return [self._t(f"audit.{block}.columns.{column}") for column in columns]

    def increments(self) -> AuditTable:
        return AuditTable(
            self._heads("increments", "model", "of", "printed", "relative", "points", "fits"),
            [
                self._increment(f"increments.{number}", item)
                for number, item in enumerate(self._audit.increments)
            ],
        )

    def _increment(self, place: str, item: IncrementReading) -> Cells:
        accuracy = item.column == "accuracy_increment"
        digits = len(item.printed.partition(".")[2])
        relative = self._t("none")
        if item.relative is not None:
            relative = self._percent(f"{place}.relative", item.relative, digits + 2)
        return [
            model_name(item.model),
            self._t(f"audit.increments.of.{item.column}"),
            self._percent(f"{place}.printed", float(item.printed), digits),
            relative,
            self.decimal(f"{place}.points", item.points, 2 if accuracy else 0),
            self._t(f"audit.increments.fits.{item.fits}"),
        ]

    def increments_text(self) -> Cells:
        """A sentence a column, or one of both where they have the same answer."""
        columns = self._audit.columns
        where = [
            self._t(
                "audit.increments.where.one",
                column=self._t(f"audit.increments.of.{column.column}"),
            )
            for column in columns
        ]
        if len(columns) == 2 and columns[0].fits == columns[1].fits:
            columns, where = columns[:1], [self._t("audit.increments.where.all")]
        return [
            self._t(f"audit.increments.conclusion.{column.fits}", where=place)
            for column, place in zip(columns, where, strict=True)
        ]

    def accuracies(self) -> AuditTable:
        rows = [
            [
                model_name(item.model),
                self._percent(f"accuracies.{number}.accuracy", item.accuracy),
                self._t(
                    "results.interval",
                    low=self._percent(f"accuracies.{number}.low", item.low),
                    high=self._percent(f"accuracies.{number}.high", item.high),
                ),
            ]
            for number, item in enumerate(self._audit.accuracies)
        ]
        heads = self._heads("accuracies", "model", "accuracy")
        interval = self._t("audit.accuracies.columns.interval", confidence=self._confidence)
        return AuditTable([*heads, interval], rows)

    def pairs(self) -> AuditTable:
        deviations = [
            self._t(
                "audit.pairs.columns.with",
                deviation=self._follow(
                    f"assumptions.seed_deviations.{number}", Safe(plain(value, self._language))
                ),
            )
            for number, value in enumerate(self._audit.assumptions.seed_deviations)
        ]
        return AuditTable(
            self._heads("pairs", "pair", "difference", "z", "vanishing") + deviations,
            [self._pair(f"pairs.{number}", pair) for number, pair in enumerate(self._audit.pairs)],
        )

    def _pair(self, place: str, pair: AccuracyPair) -> Cells:
        names = {"first": model_name(pair.first), "second": model_name(pair.second)}
        return [
            self._t("audit.pairs.pair", **names),
            self.decimal(f"{place}.difference", pair.difference, 2),
            self._or_none(f"{place}.z", pair.z, 1),
            self._or_none(f"{place}.vanishing_deviation", pair.vanishing_deviation, 2),
            *(
                self.decimal(f"{place}.with_deviations.{number}.z", effect.z, 1)
                for number, effect in enumerate(pair.with_deviations)
            ),
        ]

    def pairs_text(self) -> Safe | None:
        """How many differences pass the test, and the smallest deviation that undoes one."""
        if not self._audit.pairs:
            return None
        found = {
            f"pairs.{number}.vanishing_deviation": pair.vanishing_deviation
            for number, pair in enumerate(self._audit.pairs)
            if pair.vanishing_deviation is not None
        }
        if not found:
            return self._t("audit.pairs.text.none")
        form = "all" if len(found) == len(self._audit.pairs) else "some"
        return self._t(f"audit.pairs.text.{form}", smallest=self._smallest(found))

    def _smallest(self, found: Mapping[str, float]) -> Safe:
        place = min(found, key=found.__getitem__)
        form = "one" if rounded(found[place], 2) < 2 else "other"
        number = self.decimal(place, found[place], 2)
        return self._t(f"results.points.{form}", number=number)

    def returns(self) -> AuditTable:
        steps = [
            self._t("audit.returns.step", first=model_name(first), second=model_name(second))
            for first, second in self._audit.returns.steps
        ]
        yardsticks = enumerate(self._audit.returns.yardsticks)
        rows = [self._yardstick(number, item) for number, item in yardsticks] if steps else []
        yardstick, falls = self._heads("returns", "yardstick", "falls")
        return AuditTable([yardstick, *steps, falls], rows)

    def _yardstick(self, number: int, item: Yardstick) -> Cells:
        place = f"returns.yardsticks.{number}.values"
        falls = {True: "yes", False: "no", None: "unknown"}[item.falls]
        reduction = item.name == "error-reduction"
        return [
            self._t(f"audit.returns.names.{item.name}"),
            *(
                self._return(f"{place}.{step}", value, reduction)
                for step, value in enumerate(item.values)
            ),
            self._t(f"audit.returns.falls.{falls}"),
        ]

    def _return(self, place: str, value: float | None, reduction: bool) -> Safe:
        if value is None:
            return self._t("none")
        if reduction:
            return self._percent(place, value, 1)
        return self._follow(place, Safe(significant(value, 2, self._language)))

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
