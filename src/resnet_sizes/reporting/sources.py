"""Where a numeral of the report may come from, and whether a printed text is what it names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.protocol import Description
from resnet_sizes.records.values import Values
from resnet_sizes.reporting.printed import NAME_KINDS
from resnet_sizes.reporting.value_check import as_printed, shows


@dataclass(frozen=True)
class Stray:
    """A numeral without a source, and where it stands."""

    numeral: str
    sentence: str


@dataclass(frozen=True)
class Sources:
    """All that the numerals of one report may come from."""

    values: Values
    ledger: Ledger
    language: str
    settings: Callable[[str], str]
    """The text of a choice of the configuration, by its key in texts.yaml."""
    names: Mapping[str, frozenset[str]]
    """Names that the configuration and the programs give, by the place where one may stand: `code`
    (each as a whole), `command` (in a block of its own), `study` (in the subtitle), and the kinds
    of `printed.Name`, each in a span that says so."""
    references: Mapping[str, str]
    """The entries of the bibliography, by key, as the file has them."""
    alternatives: Mapping[str, str]
    """Alternative texts of figures, each with its Markdown, which has the keys of its values."""

    def holds_value(self, key: str, text: str, *, unsigned: bool) -> bool:
        """Whether `text` is the value of values.json under `key`."""
        value = self.values.values.get(key)
        return value is not None and shows(text, value, self.language, unsigned=unsigned)

    def holds_statement(self, name: str, text: str) -> bool:
        """Whether `text` is the whole of what the ledger says under an id."""
        said = {as_printed(getattr(each, self.language)) for each in self._said(name)}
        return as_printed(text) in said

    def holds_setting(self, key: str, text: str) -> bool:
        """Whether `text` is that of a choice of the configuration."""
        return as_printed(text) == as_printed(self.settings(key).replace("*", ""))  # italics

    def is_name(self, kind: str, text: str) -> bool:
        """Whether `text` is a name of a kind that spans may say that they hold."""
        return kind in NAME_KINDS and " ".join(text.split()) in self.names.get(kind, ())

    def _said(self, name: str) -> Iterator[Description]:
        if name == "judging" and self.ledger.judging.seed_effect is not None:
            yield self.ledger.judging.seed_effect.source
        for statement in self.ledger.statements:
            if statement.id == name:
                yield statement.text
                if statement.criterion is not None:
                    yield statement.criterion
        yield from (item.text for item in self.ledger.stated if item.id == name)
        yield from (item.text for item in self.ledger.open_choices if item.id == name)
