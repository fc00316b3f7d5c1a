"""Where a numeral of the report may come from, and whether a printed text is what it names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from resnet_sizes.reporting.checks.numerals import as_printed, shows
from resnet_sizes.reporting.text.printed import NAME_KINDS
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.values import Values
from resnet_sizes.schemas.study.protocol import Description


class Stray(NamedTuple):
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
    a figure), and the kinds in `NAME_KINDS`, each in a span that says so."""
    references: Mapping[str, str]
    """The entries of the bibliography, by key, as the file has them."""
    alternatives: Mapping[str, str]
    """Alternative texts of figures, each with its Markdown, which has the keys of its values."""

    def hold(self, attribute: str, key: str, text: str, *, unsigned: bool = False) -> bool:
        """Whether `text` is what an element says by an attribute that it is: the value of
        values.json under `key` (`data-k`), a number of it without its sign where it is `unsigned`;
        the whole of what the article file says under an id (`data-l`) or of a choice of the
        configuration (`data-t`); or a name of a kind (`data-n`). No other attribute says so."""
        match attribute:
            case "data-k":
                value = self.values.values.get(key)
                return value is not None and shows(text, value, self.language, unsigned=unsigned)
            case "data-l":
                said = {as_printed(getattr(each, self.language)) for each in self._said(key)}
                return as_printed(text) in said
            case "data-t":
                setting = self.settings(key).replace("*", "")  # italics
                return as_printed(text) == as_printed(setting)
            case "data-n":
                return key in NAME_KINDS and " ".join(text.split()) in self.names.get(key, ())
        return False

    def _said(self, name: str) -> list[Description]:
        article = self.article
        deviation = article.judging.seed_deviation
        texts = [("judging", deviation.source if deviation else None)]
        for claim in article.claims:
            texts += [(claim.id, claim.text), (claim.id, claim.criterion)]
        for item in article.untestable:
            texts += [(item.id, item.text), (item.id, item.reason)]
        texts += [(item.id, item.text) for item in article.stated]
        texts += [(item.id, item.text) for item in article.open_choices]
        return [text for owner, text in texts if owner == name and text is not None]
