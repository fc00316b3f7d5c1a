"""The audit of the article in sentences; its tables are in `report/shared/audit.j2`."""

from functools import cached_property

from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code
from resnet_sizes.reporting.text.printed import named


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
        found = [*self.increments, self.pairs, *self.outcomes[:1]]
        return [sentence for sentence in found if sentence]

    @property
    def increments(self) -> list[Safe]:
        """A sentence per column, or one of both where they have the same answer."""
        words, columns = self._words, self._audit.columns
        if len(columns) == 2 and columns[0].fits == columns[1].fits:
            both = words("audit.increments.where.all")
            return [words(f"audit.increments.conclusion.{columns[0].fits}", where=both)]
        found = []
        for item in columns:
            name = words(f"audit.increments.of.{item.column}")
            where = words("audit.increments.where.one", column=name)
            found.append(words(f"audit.increments.conclusion.{item.fits}", where=where))
        return found

    @property
    def pairs(self) -> Safe:
        """How many differences pass the test, and the smallest deviation that undoes one; empty
        without pairs."""
        pairs = self._audit.pairs
        found = {
            f"audit.pairs.{number}.vanishing_deviation": pair.vanishing_deviation
            for number, pair in enumerate(pairs)
            if pair.vanishing_deviation is not None
        }
        if not found:
            return self._words("audit.pairs.text.none") if pairs else Safe()
        key = min(found, key=found.__getitem__)
        smallest = self._words.points(self._report.values.value(key, 2), found[key])
        form = "all" if len(found) == len(pairs) else "some"
        return self._words(f"audit.pairs.text.{form}", smallest=smallest)

    @property
    def returns(self) -> list[Safe]:
        """By which measures the returns of depth fall, and by which they do not."""
        found = []
        for falls, form in ((True, "yes"), (False, "no")):
            names = [
                self._words(f"audit.returns.names.{item.name}")
                for item in self._audit.returns.yardsticks
                if item.falls is falls
            ]
            found.append(self._words.about(f"audit.returns.text.{form}", names, "names"))
        return [sentence for sentence in found if sentence]

    @property
    def outcomes(self) -> list[Safe]:
        """Which readings survive on which device, or that none does."""
        sentences = [
            self._words.about(
                "audit.outcomes.text.survive",
                map(code, surviving),
                "names",
                device=named(device.name, "device"),
            )
            for device, surviving in zip(self._audit.devices, self._surviving, strict=True)
            if surviving
        ]
        if not sentences and self._audit.protocols:
            printed = any(need.printed_minutes for need in self._audit.protocols[0].needs)
            form = "none" if printed else "no-minutes"
            sentences.append(self._words(f"audit.outcomes.text.{form}"))
        outcomes = {item.outcome for each in self._audit.protocols for item in each.devices}
        if "memory" in outcomes:
            sentences.append(self._words("audit.outcomes.text.memory"))
        return sentences

    @cached_property
    def _surviving(self) -> list[list[str]]:
        """The readings that survive on each device."""
        return [
            [
                each.protocol
                for each in self._audit.protocols
                if each.devices[device].outcome == "survives"
            ]
            for device in range(len(self._audit.devices))
        ]

    @property
    def shown(self) -> int:
        """The place of the device on which most readings survive, whose minutes are printed."""
        return max(range(len(self._surviving)), key=lambda device: len(self._surviving[device]))

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
