"""Numerals in a text, as a reader sees them, and where those of a report may come from."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from resnet_sizes.i18n.numbers import MINUS, date, date_and_time, minutes, places, seconds
from resnet_sizes.reporting.text.escaping import code_text
from resnet_sizes.reporting.text.printed import HASH_PART, NAME_KINDS
from resnet_sizes.schemas.article.article import Article, texts_in
from resnet_sizes.schemas.evidence.values import Value, Values
from resnet_sizes.schemas.study.protocol import Description

_MARKS = {"pt": (".", ","), "en": (",", ".")}
"""Between groups of digits, and before decimal places."""

_OTHER_NUMERALS = (
    "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089"  # raised and lowered
    "\u00bc-\u00be\u2150-\u218b"  # fractions, Roman
    "\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3007\u3021-\u3029"  # in circles, Chinese
)


@cache
def _pattern(language: str) -> re.Pattern[str]:
    group, point = map(re.escape, _MARKS[language])
    grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+(?!\d)(?:{point}\d+)?"
    return re.compile(rf"{grouped}|\d+(?:{point}\d+)?|[{_OTHER_NUMERALS}]")


def numerals(text: str, language: str) -> list[str]:
    """All of them, in order: `10.000`, `80,84`."""
    return _pattern(language).findall(text)


def number_of(numeral: str, language: str) -> tuple[Decimal, int]:
    """What a numeral means, and how many decimal places it shows."""
    group, point = _MARKS[language]
    plain = numeral.replace(group, "").replace(point, ".")
    return Decimal(plain), places(plain)


_BYTES = {"MiB": Decimal(2**20), "GiB": Decimal(2**30)}
_HASH = re.compile(r"[0-9a-f]{40,}")


def shows(text: str, value: Value, language: str, *, unsigned: bool = False) -> bool:
    """Whether `text`, as it stands on the page, is the value in this language.

    A number may be rounded to the decimal places that are shown, and be in percent; it has its
    sign, unless it is `unsigned`, where the sentence says the direction. A text is the whole of
    it; a hash may be cut and broken as the report does.
    """
    if value.kind in ("text", "list"):
        held = value.value if isinstance(value.value, list) else [value.as_text]
        if not all(map(_HASH.fullmatch, held)):
            return as_printed(text) == as_printed(value.as_text)
        pieces = text.split("; ")
        return text == held[0][:HASH_PART] or ["".join(piece.split()) for piece in pieces] == held
    if value.kind == "datetime":
        return text in (date(value.as_text, language), date_and_time(value.as_text, language))
    if value.kind == "seconds":
        return text == seconds(value.number, language)
    if text.startswith("<"):
        return value.kind == "minutes" and text == minutes(value.number, language)
    found = numerals(text, language)
    if len(found) != 1 or not found[0][0].isdecimal():
        return False
    number, digits = number_of(found[0], language)
    if text.partition(found[0])[0].endswith((MINUS, "-")):
        number = -number
    exact = Decimal(value.as_text) * (100 if value.kind == "fraction" else 1)
    for unit, size in _BYTES.items():
        exact = exact / size if unit in text else exact
    # The binary fraction of a value may lie on either side of a decimal half.
    close = Decimal(5).scaleb(-digits - 1) * Decimal("1.000001")
    return abs(number - (abs(exact) if unsigned else exact)) <= close


def as_printed(text: str) -> str:
    """What is left of a text wherever a sentence has it: lines may break, its first letter be
    small, and its full stop be the sentence's."""
    text = " ".join(code_text(text).split()).removesuffix(".")
    return text[:1].lower() + text[1:]


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
        return [text for place, text in texts_in(self.article) if name in place.split(".")]
