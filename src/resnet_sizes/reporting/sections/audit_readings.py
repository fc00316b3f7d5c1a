"""The readings of the audit: which of them agree with the article's minutes, on which device."""

from collections.abc import Callable
from dataclasses import dataclass

from resnet_sizes.i18n.numbers import memory, minutes
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown
from resnet_sizes.reporting.text.printed import named, plain
from resnet_sizes.reporting.text.words import Words, model_name
from resnet_sizes.schemas.evidence.audit import Audit, ProtocolCosts, ProtocolOnDevice

Cells = list[Safe]

Follow = Callable[[str, Safe], Safe]
"""Marks a text as the number at a place of audit.json: `pairs.0.z`."""


@dataclass(frozen=True)
class AuditTable:
    """Column heads and rows; a table without rows is not printed."""

    head: Cells
    rows: list[Cells]

    @property
    def numeric(self) -> list[bool]:
        """Of each column, whether it holds numbers, which are set to the right."""
        return [
            any(_begins_with_digit(cell) for cell in cells)
            for cells in zip(*self.rows, strict=True)
        ]


def _begins_with_digit(cell: Safe) -> bool:
    return plain(cell).lstrip("−")[:1].isdigit()


class AuditReadings:
    """Tables and sentences on the protocols of an audit."""

    def __init__(self, audit: Audit, words: Words, language: str, follow: Follow) -> None:
        self._follow = follow
        self._audit = audit
        self._t = words
        self._language = language
        self._names = {rate.device: rate.name for rate in audit.devices}

    def name_of(self, device: str) -> Safe:
        """The device's name, for a template."""
        return named("device", escape_markdown(self._names[device]))

    def memory_of(self, device: str) -> Safe:
        """The device's memory."""
        number = self._devices().index(device)
        size = self._audit.devices[number].memory_bytes
        return self._memory(f"devices.{number}.memory_bytes", size)

    def _memory(self, place: str, size: int) -> Safe:
        return self._follow(place, Safe(memory(size, self._language)))

    def _heads(self, block: str, *columns: str) -> Cells:
        return [self._t(f"audit.{block}.columns.{column}") for column in columns]

    def _devices(self) -> list[str]:
        return [rate.device for rate in self._audit.devices]

    def outcomes(self) -> AuditTable:
        """A row a protocol, a column a device."""
        heads = self._heads("outcomes", "protocol")
        heads += [self.name_of(device) for device in self._devices()]
        rows = [
            [code(protocol.protocol)]
            + [self._t(f"audit.outcomes.names.{item.outcome}") for item in protocol.devices]
            for protocol in self._audit.protocols
        ]
        return AuditTable(heads, rows)

    def outcomes_text(self) -> Cells:
        """Which readings survive on which device, or that none does."""
        sentences = []
        for device in self._devices():
            names = self._surviving(device)
            if names:
                listed = self._t.listed([code(name) for name in names])
                sentences.append(
                    self._t.counted(
                        "audit.outcomes.text.survive",
                        len(names),
                        device=self.name_of(device),
                        names=listed,
                    )
                )
        if not sentences and self._audit.protocols:
            printed = any(need.printed_minutes for need in self._audit.protocols[0].needs)
            form = "none" if printed else "no-minutes"
            sentences.append(self._t(f"audit.outcomes.text.{form}"))
        if any(item.outcome == "memory" for _, item in self._all()):
            sentences.append(self._t("audit.outcomes.text.memory"))
        return sentences

    def _all(self) -> list[tuple[ProtocolCosts, ProtocolOnDevice]]:
        return [(each, item) for each in self._audit.protocols for item in each.devices]

    def _surviving(self, device: str) -> list[str]:
        return [
            each.protocol
            for each, item in self._all()
            if item.device == device and item.outcome == "survives"
        ]

    def device_shown(self) -> str | None:
        """The device on which most readings survive, whose minutes are printed."""
        if not self._audit.protocols:
            return None
        return max(self._devices(), key=lambda device: len(self._surviving(device)), default=None)

    def minutes(self, device: str | None) -> AuditTable:
        """Predicted minutes on one device below the printed ones."""
        if device is None:
            return AuditTable([], [])
        needs = self._audit.protocols[0].needs
        first, last, most = self._heads("minutes", "protocol", "outcome", "memory")
        models = [model_name(need.model) for need in needs]
        printed = [
            self._t("none")
            if need.printed_minutes is None
            else self._minutes(f"protocols.0.needs.{number}.printed_minutes", need.printed_minutes)
            for number, need in enumerate(needs)
        ]
        empty = self._t("none")
        rows = [[self._t("audit.minutes.article"), *printed, empty, empty]]
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
        most = self._t("none") if largest is None else self._memory(largest, needed[largest])
        return [
            code(protocol.protocol),
            *(predicted.get(need.model, self._t("none")) for need in protocol.needs),
            most,
            self._t(f"audit.outcomes.names.{item.outcome}"),
        ]

    def _minutes(self, place: str, value: float) -> Safe:
        return self._follow(place, Safe(minutes(value, self._language)))
