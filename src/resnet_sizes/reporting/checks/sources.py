"""Where a numeral of the report may come from, and whether a printed text is what it names."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.reporting.checks.numerals import as_printed, shows
from resnet_sizes.reporting.text.printed import NAME_KINDS
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.values import Values
from resnet_sizes.schemas.study.protocol import Description


@dataclass(frozen=True)
class Stray:
    """A numeral without a source, and where it stands."""

    numeral: str
    sentence: str


@dataclass(frozen=True)
class Sources:
    """All that the numerals of one report may come from."""

    values: Values
    article: Article
    language: str
    settings: Callable[[str], str]
    """The text of a choice of the configuration, by its key in texts.yaml."""
    names: Mapping[str, frozenset[str]]
    """Names that the configuration and the programs give, by the place where one may stand: `code`
    (each as a whole), `command` (in a block of its own), `study` (in the subtitle), `class` (in
    a figure), and the kinds of `printed.Name`, each in a span that says so."""
    references: Mapping[str, str]
    """The entries of the bibliography, by key, as the file has them."""
    alternatives: Mapping[str, str]
    """Alternative texts of figures, each with its Markdown, which has the keys of its values."""

    def holds_value(self, key: str, text: str, *, unsigned: bool) -> bool:
        """Whether `text` is the value of values.json under `key`."""
        value = self.values.values.get(key)
        return value is not None and shows(text, value, self.language, unsigned=unsigned)

    def holds_claim(self, name: str, text: str) -> bool:
        """Whether `text` is the whole of what the article file says under an id."""
        said = {as_printed(getattr(each, self.language)) for each in self._said(name)}
        return as_printed(text) in said

    def holds_setting(self, key: str, text: str) -> bool:
        """Whether `text` is that of a choice of the configuration."""
        return as_printed(text) == as_printed(self.settings(key).replace("*", ""))  # italics

    def is_name(self, kind: str, text: str) -> bool:
        """Whether `text` is a name of a kind that spans may say that they hold."""
        return kind in NAME_KINDS and " ".join(text.split()) in self.names.get(kind, ())

    def _said(self, name: str) -> Iterator[Description]:
        if name == "judging" and self.article.judging.seed_deviation is not None:
            yield self.article.judging.seed_deviation.source
        for claim in self.article.claims:
            if claim.id == name:
                yield claim.text
                if claim.criterion is not None:
                    yield claim.criterion
        for item in self.article.untestable:
            if item.id == name:
                yield from (item.text, item.reason)
        yield from (item.text for item in self.article.stated if item.id == name)
        yield from (item.text for item in self.article.open_choices if item.id == name)


BIBLIOGRAPHY = "references.bib"

_DATE = re.compile(r'^\s*(?:year|date)\s*=\s*[{"](.*)[}"],?\s*$', re.MULTILINE)


def read_entries(file: Path) -> dict[str, str]:
    """The text of each entry of a BibTeX file, by its key."""
    parts = re.split(r"(?m)^@\w+\{", file.read_text(encoding="utf-8"))[1:]
    return {key.strip(): entry for key, _, entry in (part.partition(",") for part in parts)}


def date_of(entry: str) -> str:
    """When what an entry names came out, as the entry says it; empty where it does not."""
    return " ".join(_DATE.findall(entry))
