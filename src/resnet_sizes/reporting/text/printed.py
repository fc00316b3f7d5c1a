"""Values as text, by key: the one way by which a result reaches the page.

Each is a span of pandoc's Markdown that carries its key, so that the finished page can say where
it comes from, and the build can check that it is what the key holds.
"""

import re
from collections.abc import Callable

from resnet_sizes.i18n.numbers import Form, exact, show
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import did_you_mean
from resnet_sizes.reporting.text.escaping import Safe, code, escape_markdown, unescaped
from resnet_sizes.schemas.evidence.values import Value, Values

HASH_PART = 16
"""How many digits of a hash are shown at a time: a line can break between them."""

COMPUTED_MARK = "\\*"
"""Beside each computed time of a table; a note below says what it means."""


class PrintedValues:
    """The values of `values.json` in the report's language."""

    def __init__(self, values: Values, language: str) -> None:
        self._study = values.study
        self._values = values.values
        self._language = language

    def has(self, *keys: str) -> bool:
        """Whether all of these values exist."""
        return all(key in self._values for key in keys)

    def value(self, key: str, digits: int | None = None, kind: Form | None = None) -> Safe:
        """A value as its `kind`, or another, is printed. Raises UserError for an unknown key."""
        found = self._get(key)
        if found.kind in ("text", "list"):
            return self.followed(key, escape_markdown(found.as_text))
        shown = show(found.number, kind or found.kind, self._language, digits)
        return self.followed(key, Safe(shown))

    def followed(self, key: str, text: Safe) -> Safe:
        """A text, already formatted, that stands for the value under `key`."""
        self._get(key)
        return Safe(f'[{text}]{{.v data-k="{key}"}}')

    def size(self, key: str, digits: int) -> Safe:
        """A value without its sign, for a sentence that says the direction in words."""
        found = self._get(key)
        text = show(abs(exact(found.number)), found.kind, self._language, digits)
        return Safe(f'[{text}]{{.v .size data-k="{key}"}}')

    def text(self, key: str) -> str:
        """A text as it is in the file, not yet escaped."""
        return self._get(key).as_text

    def texts(self, key: str) -> list[str]:
        """The texts of a list, or the one text, not yet escaped."""
        value = self._get(key).value
        return value if isinstance(value, list) else [str(value)]

    def is_computed_time(self, key: str) -> bool:
        """Whether there is such a time, and it is what runs that kept features would have taken
        without."""
        return self.has(key) and self._values[key].computed

    def is_shared_time(self, key: str) -> bool:
        """Whether there is such a time, and one of its runs had no device to itself."""
        return self.has(key) and self._values[key].shared

    def code(self, key: str) -> Safe:
        """A text as inline code."""
        return self.followed(key, code(self.text(key)))

    def hash(self, key: str, most: int | None = None) -> Safe:
        """Hashes in pieces, one piece of code each, so that no line is wider than the page; all
        pieces, or so many at the `most`."""
        parts = []
        for number in self.texts(key):
            pieces = [number[i : i + HASH_PART] for i in range(0, len(number), HASH_PART)]
            parts.append(" ".join(code(piece) for piece in pieces[:most]))
        return self.followed(key, Safe("; ".join(parts)))

    def number(self, key: str) -> float:
        """A number to compare with, not to print."""
        return float(self._get(key).number)

    def below(self, prefix: str) -> list[str]:
        """What follows on `prefix` in the keys that start with it."""
        return [key.removeprefix(prefix) for key in self._values if key.startswith(prefix)]

    def _get(self, key: str) -> Value:
        if key not in self._values:
            raise UserError(
                f"values.json of study {self._study!r} has no value {key!r}, which the report "
                f"prints.{did_you_mean(key, list(self._values))} "
                f"Run: resnet-sizes evidence results/{self._study}/study.json"
            )
        return self._values[key]


def from_article(name: str, text: str) -> Safe:
    """A text of the article file, escaped: of a claim, of what the article says or leaves open."""
    return Safe(f'[{escape_markdown(text)}]{{.l data-l="{name}"}}')


NAME_KINDS = ("reading", "device", "engine")
"""What gives a name that may hold a number: the configuration, or a program."""


def named(name: str, kind: str) -> Safe:
    """A name with its kind, one of `NAME_KINDS`; plain text is escaped."""
    text = name if isinstance(name, Safe) else escape_markdown(name)
    return Safe(f'[{text}]{{.n data-n="{kind}"}}')


_SPAN = re.compile(
    r"\[(?P<text>(?:[^\[\]\\`]|\\.|`[^`]*`)*)\]"
    r'\{\.(?P<kind>[vltn])(?P<size> \.size)? data-[kltn]="(?P<key>[^"]*)"\}'
)


def plain(markdown: str) -> Safe:
    """The same text without the keys of its values, for attributes and for comparing texts."""
    previous, text = "", str(markdown)  # what a macro gives would escape the pieces for HTML
    while previous != text:
        previous, text = text, _SPAN.sub(r"\g<text>", text)
    return Safe(text)


def without_values(markdown: str, are_right: Callable[[str, str, bool], bool]) -> str:
    """A text less the values that it prints and that are right, by key, text, and whether without
    a sign; of the others their text is left."""

    def left(found: re.Match[str]) -> str:
        if found["kind"] != "v":
            return found.group()
        text = unescaped(found["text"])
        return " " if are_right(found["key"], text, found["size"] is not None) else text

    return _SPAN.sub(left, markdown)


def keys_in(markdown: str) -> list[str]:
    """The keys of the values that a text prints, each once, in order."""
    found = re.findall(r'\{\.v(?: \.size)? data-k="([^"]*)"\}', markdown)
    return list(dict.fromkeys(found))
