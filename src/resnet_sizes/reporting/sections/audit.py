"""The audit of the article in words and cells of the report's tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from resnet_sizes.i18n.numbers import decimal, memory, minutes, percent, plain, rounded, significant
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown
from resnet_sizes.reporting.text.printed import named
from resnet_sizes.reporting.text.printed import plain as without_keys
from resnet_sizes.schemas.evidence.audit import AccuracyPair, IncrementReading, Yardstick
from resnet_sizes.schemas.study.protocol import display_name

Cells = Sequence[str]


@dataclass(frozen=True)
class AuditTable:
    """Column heads and rows; a table without rows is not printed."""

    head: Cells
    rows: Sequence[Cells]

    @property
    def numeric(self) -> list[bool]:
        """Whether a column holds numbers, which are set to the right, for each column."""
        return [
            any(without_keys(cell).lstrip("−")[:1].isdigit() for cell in cells)
            for cells in zip(*self.rows, strict=True)
        ]


@dataclass(frozen=True)
class AuditView:
    """What `_audit.qmd.j2` prints."""

    in_short: Cells
    """Its findings, for the first page."""
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


def audit_view(report: ReportContext) -> AuditView | None:
    """The audit for a template; None where the article prints nothing to audit."""
    audit, said = report.audit, _AuditTexts(report)
    shown = said.device_shown()
    if not (audit.increments or audit.accuracies or shown):
        return None
    increments, pairs, outcomes = (
        said.increments_text(),
        said.pairs_text(),
        said.outcomes_text(),
    )
    factor = Safe(plain(audit.assumptions.time_factor, report.language))
    return AuditView(
        in_short=[*increments, *([pairs] if pairs else []), *outcomes[:1]],
        increments=said.increments(),
        increments_text=increments,
        accuracies=said.accuracies(),
        images=said.decimal("test_images", audit.test_images, 0),
        pairs=said.pairs(),
        pairs_text=pairs,
        returns=said.returns(),
        returns_text=said.returns_text(),
        outcomes=said.outcomes(),
        outcomes_text=outcomes,
        minutes=said.minutes(shown),
        time_factor=said.followed("assumptions.time_factor", factor),
        device=said.device_name(shown) if shown else report.words("none"),
        device_memory=said.device_memory(shown) if shown else report.words("none"),
        epochs=said.decimal("epochs", audit.epochs, 0),
    )


class _AuditTexts:
    """Tables and sentences. A `place` is a field of audit.json, such as `pairs.0.z`."""

    def __init__(self, report: ReportContext) -> None:
        self._report = report
        self._audit = report.audit
        self._words = report.words
        self._language = report.language
        self._none = report.words("none")
        self._devices = [rate.device for rate in report.audit.devices]

    def followed(self, place: str, text: Safe) -> Safe:
        return self._report.values.followed(f"audit.{place}", text)

    def decimal(self, place: str, value: float | None, digits: int) -> Safe:
        if value is None:
            return self._none
        return self.followed(place, Safe(decimal(value, digits, self._language)))

    def _percent(self, place: str, value: float | None, digits: int = 2) -> Safe:
        if value is None:
            return self._none
        return self.followed(place, Safe(percent(value / 100, self._language, digits)))

    def _minutes(self, place: str, value: float | None) -> Safe:
        if value is None:
            return self._none
        return self.followed(place, Safe(minutes(value, self._language)))

    def _memory(self, place: str, size: int) -> Safe:
        return self.followed(place, Safe(memory(size, self._language)))

    def _heads(self, block: str, *columns: str) -> list[Safe]:
        return [self._words(f"audit.{block}.columns.{column}") for column in columns]

    def increments(self) -> AuditTable:
        return AuditTable(
            self._heads("increments", "model", "of", "printed", "relative", "points", "fits"),
            [
                self._increment(f"increments.{number}", item)
                for number, item in enumerate(self._audit.increments)
            ],
        )

    def _increment(self, place: str, item: IncrementReading) -> Cells:
        digits = len(item.printed.partition(".")[2])
        return [
            display_name(item.model),
            self._words(f"audit.increments.of.{item.column}"),
            self._percent(f"{place}.printed", float(item.printed), digits),
            self._percent(f"{place}.relative", item.relative, digits + 2),
            self.decimal(
                f"{place}.points", item.points, 2 if item.column == "accuracy_increment" else 0
            ),
            self._words(f"audit.increments.fits.{item.fits}"),
        ]

    def increments_text(self) -> Cells:
        """A sentence a column, or one of both where they have the same answer."""
        columns = self._audit.columns
        where = [
            self._words(
                "audit.increments.where.one",
                column=self._words(f"audit.increments.of.{column.column}"),
            )
            for column in columns
        ]
        if len(columns) == 2 and columns[0].fits == columns[1].fits:
            columns, where = columns[:1], [self._words("audit.increments.where.all")]
        return [
            self._words(f"audit.increments.conclusion.{column.fits}", where=place)
            for column, place in zip(columns, where, strict=True)
        ]

    def accuracies(self) -> AuditTable:
        rows = [
            [
                display_name(item.model),
                self._percent(f"accuracies.{number}.accuracy", item.accuracy),
                self._words(
                    "results.interval",
                    low=self._percent(f"accuracies.{number}.low", item.low),
                    high=self._percent(f"accuracies.{number}.high", item.high),
                ),
            ]
            for number, item in enumerate(self._audit.accuracies)
        ]
        confidence = self._report.values.value("method.confidence", digits=0)
        interval = self._words("audit.accuracies.columns.interval", confidence=confidence)
        return AuditTable([*self._heads("accuracies", "model", "accuracy"), interval], rows)

    def pairs(self) -> AuditTable:
        heads = self._heads("pairs", "pair", "difference", "z", "vanishing")
        for number, value in enumerate(self._audit.assumptions.seed_deviations):
            deviation = self.followed(
                f"assumptions.seed_deviations.{number}", Safe(plain(value, self._language))
            )
            heads.append(self._words("audit.pairs.columns.with", deviation=deviation))
        pairs = enumerate(self._audit.pairs)
        return AuditTable(heads, [self._pair(f"pairs.{number}", pair) for number, pair in pairs])

    def _pair(self, place: str, pair: AccuracyPair) -> Cells:
        names = {"first": display_name(pair.first), "second": display_name(pair.second)}
        return [
            self._words("audit.pairs.pair", **names),
            self.decimal(f"{place}.difference", pair.difference, 2),
            self.decimal(f"{place}.z", pair.z, 1),
            self.decimal(f"{place}.vanishing_deviation", pair.vanishing_deviation, 2),
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
            return self._words("audit.pairs.text.none")
        place = min(found, key=found.__getitem__)
        form = "one" if rounded(found[place], 2) < 2 else "other"
        number = self.decimal(place, found[place], 2)
        return self._words(
            f"audit.pairs.text.{'all' if len(found) == len(self._audit.pairs) else 'some'}",
            smallest=self._words(f"results.points.{form}", number=number),
        )

    def returns(self) -> AuditTable:
        steps = [
            self._words(
                "audit.returns.step", first=display_name(first), second=display_name(second)
            )
            for first, second in self._audit.returns.steps
        ]
        yardsticks = enumerate(self._audit.returns.yardsticks)
        rows = [self._yardstick(number, item) for number, item in yardsticks] if steps else []
        yardstick, falls = self._heads("returns", "yardstick", "falls")
        return AuditTable([yardstick, *steps, falls], rows)

    def _yardstick(self, number: int, item: Yardstick) -> Cells:
        falls = {True: "yes", False: "no", None: "unknown"}[item.falls]
        return [
            self._words(f"audit.returns.names.{item.name}"),
            *(
                self._return(item, f"returns.yardsticks.{number}.values.{step}", value)
                for step, value in enumerate(item.values)
            ),
            self._words(f"audit.returns.falls.{falls}"),
        ]

    def _return(self, item: Yardstick, place: str, value: float | None) -> Safe:
        if value is None or item.name == "error-reduction":
            return self._percent(place, value, 1)
        return self.followed(place, Safe(significant(value, 2, self._language)))

    def returns_text(self) -> Cells:
        sentences = []
        for falls, form in ((True, "yes"), (False, "no")):
            names = [
                self._words(f"audit.returns.names.{item.name}")
                for item in self._audit.returns.yardsticks
                if item.falls is falls
            ]
            if names:
                key, listed = f"audit.returns.text.{form}", self._words.listed(names)
                sentences.append(self._words.counted(key, len(names), names=listed))
        return sentences

    def device_name(self, device: str) -> Safe:
        rate = self._audit.devices[self._devices.index(device)]
        return named("device", escape_markdown(rate.name))

    def device_memory(self, device: str) -> Safe:
        number = self._devices.index(device)
        size = self._audit.devices[number].memory_bytes
        return self._memory(f"devices.{number}.memory_bytes", size)

    def outcomes(self) -> AuditTable:
        """A row a protocol, a column a device: whether minutes and memory agree."""
        heads = self._heads("outcomes", "protocol")
        rows = [
            [code(protocol.protocol)]
            + [self._words(f"audit.outcomes.names.{item.outcome}") for item in protocol.devices]
            for protocol in self._audit.protocols
        ]
        return AuditTable([*heads, *map(self.device_name, self._devices)], rows)

    def outcomes_text(self) -> Cells:
        """Which readings survive on which device, or that none does."""
        sentences = []
        for device in self._devices:
            names = [code(name) for name in self._surviving(device)]
            if names:
                sentences.append(
                    self._words.counted(
                        "audit.outcomes.text.survive",
                        len(names),
                        device=self.device_name(device),
                        names=self._words.listed(names),
                    )
                )
        if not sentences and self._audit.protocols:
            printed = any(need.printed_minutes for need in self._audit.protocols[0].needs)
            form = "none" if printed else "no-minutes"
            sentences.append(self._words(f"audit.outcomes.text.{form}"))
        outcomes = {item.outcome for each in self._audit.protocols for item in each.devices}
        if "memory" in outcomes:
            sentences.append(self._words("audit.outcomes.text.memory"))
        return sentences

    def _surviving(self, device: str) -> list[str]:
        return [
            each.protocol
            for each in self._audit.protocols
            for item in each.devices
            if item.device == device and item.outcome == "survives"
        ]

    def device_shown(self) -> str | None:
        """The device on which most readings survive, whose minutes are printed."""
        if not self._audit.protocols:
            return None
        return max(self._devices, key=lambda device: len(self._surviving(device)), default=None)

    def minutes(self, device: str | None) -> AuditTable:
        """Predicted minutes on one device below the printed ones."""
        if device is None:
            return AuditTable([], [])
        needs = self._audit.protocols[0].needs
        first, last, most = self._heads("minutes", "protocol", "outcome", "memory")
        models = [display_name(need.model) for need in needs]
        printed = [
            self._minutes(f"protocols.0.needs.{number}.printed_minutes", need.printed_minutes)
            for number, need in enumerate(needs)
        ]
        article = [self._words("audit.minutes.article"), *printed, self._none, self._none]
        rows: list[Cells] = [article]
        for number, protocol in enumerate(self._audit.protocols):
            for position, item in enumerate(protocol.devices):
                if item.device == device:
                    rows.append(self._minutes_row(number, position))
        return AuditTable([first, *models, most, last], rows)

    def _minutes_row(self, number: int, position: int) -> Cells:
        protocol = self._audit.protocols[number]
        item = protocol.devices[position]
        place = f"protocols.{number}"
        predicted = {
            each.model: self._minutes(
                f"{place}.devices.{position}.predictions.{index}.minutes", each.minutes
            )
            for index, each in enumerate(item.predictions)
        }
        needed = {
            f"{place}.needs.{index}.memory_bytes": need.memory_bytes
            for index, need in enumerate(protocol.needs)
            if need.memory_bytes is not None
        }
        largest = max(needed, key=needed.__getitem__, default=None)
        most = self._none if largest is None else self._memory(largest, needed[largest])
        return [
            code(protocol.protocol),
            *(predicted.get(need.model, self._none) for need in protocol.needs),
            most,
            self._words(f"audit.outcomes.names.{item.outcome}"),
        ]
