"""The audit of the article in sentences; its tables are in `report/tables/audit.j2`."""

from resnet_sizes.i18n.numbers import rounded
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import Name


class AuditTexts:
    """What the audit says, and which of its numbers the tables have to choose.

    Numbers are named by their keys: places in audit.json, as `audit.pairs.0.z`.
    """

    def __init__(self, report: ReportContext) -> None:
        self._report = report
        self._audit = report.audit
        self._words = report.words

    @property
    def is_empty(self) -> bool:
        """Whether the article prints nothing to audit."""
        return not (self._audit.increments or self._audit.accuracies or self._audit.protocols)

    @property
    def in_short(self) -> list[Safe]:
        """The findings, for the first page."""
        pairs = self.pairs
        return [*self.increments, *([pairs] if pairs else []), *self.outcomes[:1]]

    @property
    def increments(self) -> list[Safe]:
        """A sentence per column, or one of both where they have the same answer."""
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

    @property
    def pairs(self) -> Safe | None:
        """How many differences pass the test, and the smallest deviation that undoes one."""
        if not self._audit.pairs:
            return None
        found = {
            f"audit.pairs.{number}.vanishing_deviation": pair.vanishing_deviation
            for number, pair in enumerate(self._audit.pairs)
            if pair.vanishing_deviation is not None
        }
        if not found:
            return self._words("audit.pairs.text.none")
        key = min(found, key=found.__getitem__)
        form = "one" if rounded(found[key], 2) < 2 else "other"
        number = self._report.values.value(key, 2)
        return self._words(
            f"audit.pairs.text.{'all' if len(found) == len(self._audit.pairs) else 'some'}",
            smallest=self._words(f"results.points.{form}", number=number),
        )

    @property
    def returns(self) -> list[Safe]:
        """By which measures the returns of depth fall, and by which they do not."""
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

    @property
    def outcomes(self) -> list[Safe]:
        """Which readings survive on which device, or that none does."""
        sentences = []
        for number, device in enumerate(self._audit.devices):
            names = [code(name) for name in self._surviving(number)]
            if names:
                sentences.append(
                    self._words.counted(
                        "audit.outcomes.text.survive",
                        len(names),
                        device=Name(device.name, "device"),
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

    def _surviving(self, device: int) -> list[str]:
        return [
            each.protocol
            for each in self._audit.protocols
            if each.devices[device].outcome == "survives"
        ]

    @property
    def shown(self) -> int:
        """The place of the device on which most readings survive, whose minutes are printed."""
        return max(range(len(self._audit.devices)), key=lambda device: len(self._surviving(device)))

    def prediction(self, reading: int, model: str) -> str:
        """The key of a network's minutes on the device shown; no value has it if there are none."""
        predictions = self._audit.protocols[reading].devices[self.shown].predictions
        places = {each.model: place for place, each in enumerate(predictions)}
        place = places.get(model, "none")
        return f"audit.protocols.{reading}.devices.{self.shown}.predictions.{place}.minutes"

    def most_memory(self, reading: int) -> str:
        """The key of the memory of the network that needs most; no value has it if none is
        known."""
        needs = self._audit.protocols[reading].needs
        most = max(range(len(needs)), key=lambda number: needs[number].memory_bytes or 0)
        return f"audit.protocols.{reading}.needs.{most}.memory_bytes"
