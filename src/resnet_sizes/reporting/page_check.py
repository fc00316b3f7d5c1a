"""The finished page: each of its numerals has a source."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree, html

from resnet_sizes.reporting.numerals import numerals, without_names
from resnet_sizes.reporting.printed import values_in
from resnet_sizes.reporting.sources import Sources

_UNSEEN = ("script", "style", "template")
_BLOCKS = ("p", "li", "td", "th", "figcaption", "h1", "h2", "h3", "pre", "dd", "dt", "div", "a")
_NUMBERING = re.compile(r"^(\d+)(?:\.(\d+))?\s")
_LABEL = re.compile(r"^\s*(\w+)\s(\d+)(?=\s)")
_CLIP = 160


Element = Any
"""An element of lxml, which has no types of its own."""


@dataclass(frozen=True)
class Stray:
    """A numeral without a source, and where it stands."""

    numeral: str
    sentence: str


def strays(page: str, sources: Sources) -> list[Stray]:
    """The numerals of an HTML page that come from nowhere, in reading order.

    A numeral comes from the value, the statement of the ledger or the choice of the
    configuration whose key its element carries; or it belongs to its place: the number of a
    heading or of a float and the references to it, the years of the references, a name.
    """
    return list(_Page(page, sources).strays())


def seen_text(page: str) -> str:
    """What a reader of the page sees of the article: without contents, scripts, and pictures."""
    body = html.document_fromstring(page).find("body")
    for element in body.xpath(".//nav|.//script|.//style|.//*[contains(@class, 'skip-link')]"):
        element.drop_tree()
    return " ".join(body.itertext())


class _Page:
    def __init__(self, page: str, sources: Sources) -> None:
        self._body = html.document_fromstring(page).find("body")
        self._sources = sources
        longest_first = sorted(sources.names, key=len, reverse=True)
        parts = "|".join(re.escape(name) for name in longest_first if re.search(r"\d", name))
        self._names = re.compile(rf"(?<![\w.]){'(?:' + parts + ')'}(?![\w.])") if parts else None
        self._headings = dict(self._expected_headings())
        self._labels = self._expected_labels()
        ids = [statement.id for statement in sources.ledger.statements]
        self._ids = re.compile(rf"\b(?:{'|'.join(ids)})\b")
        references = self._body.xpath(".//*[@id='refs']")
        self._cited = (
            set(self._numerals(" ".join(references[0].itertext()))) if references else set()
        )

    def strays(self) -> Iterator[Stray]:
        for element in self._body.iter(etree.Element):
            if element.tag in _UNSEEN:
                continue
            yield from self._of_attributes(element)
            if element.text and not self._is_accounted_for(element):
                yield from self._of_text(self._without_place(element), element)
            parent = element.getparent()
            if element.tail and parent is not None and not self._is_accounted_for(parent):
                yield from self._of_text(element.tail, parent)

    def _numerals(self, text: str) -> list[str]:
        return numerals(text, self._sources.language)

    def _of_text(self, text: str, element: Element) -> Iterator[Stray]:
        left = without_names(self._ids.sub(" ", text), self._names)
        for numeral in self._numerals(left):
            yield Stray(numeral, _sentence(element))

    def _without_place(self, element: Element) -> str:
        """The text at its start, without the number that is due to its place."""
        text: str = element.text
        if element.tag in ("h2", "h3"):
            return self._without_numbering(text, element)
        return self._without_label(text, element) if element.tag == "figcaption" else text

    def _is_accounted_for(self, element: Element) -> bool:
        """Whether the element, or one that it stands in, says where its numbers come from, and
        is right."""
        for around in (element, *element.iterancestors()):
            if around.tag in _UNSEEN or around.get("id") == "refs":
                return True
            classes = (around.get("class") or "").split()
            key = around.get("data-k")
            if key is not None and self._sources.holds_value(
                key, around.text_content(), unsigned="size" in classes
            ):
                return True
            for attribute, holds in (
                ("data-l", self._sources.holds_statement),
                ("data-t", self._sources.holds_setting),
            ):
                key = around.get(attribute)
                if key is not None and holds(key, around.text_content()):
                    return True
            if "citation" in classes and set(self._numerals(around.text_content())) <= self._cited:
                return True
            if "quarto-xref" in classes and self._is_reference(around):
                return True
            if around.tag == "a" and self._is_of_contents(around):
                return True
            if around.tag in ("code", "pre") and self._is_known(around.text_content()):
                return True
        return False

    def _is_known(self, text: str) -> bool:
        left = self._names.sub(" ", text) if self._names else text
        return text.strip() in self._sources.names or not re.search(r"\d", without_names(left))

    def _expected_headings(self) -> Iterator[tuple[Element, str]]:
        chapter, section = 0, 0
        for heading in self._body.xpath(".//main//h2|.//main//h3|.//h2[not(ancestor::nav)]|.//h3"):
            found = _NUMBERING.match(heading.text or "")
            if found is None:
                continue
            if heading.tag == "h2":
                chapter, section = chapter + 1, 0
                yield heading, f"{chapter}"
            else:
                section += 1
                yield heading, f"{chapter}.{section}"

    def _without_numbering(self, text: str, heading: Element) -> str:
        expected = self._headings.get(heading)
        prefix = f"{expected} "
        return text.removeprefix(prefix) if expected and text.startswith(prefix) else text

    def _is_of_contents(self, link: Element) -> bool:
        """An entry of the contents says what the heading it leads to says."""
        if not any(around.tag == "nav" for around in link.iterancestors()):
            return False
        target = self._body.xpath(".//*[@id=$id]", id=(link.get("href") or "#").lstrip("#"))
        headings = target[0].xpath("(self::h2|self::h3|.//h2|.//h3)[1]") if target else []
        return bool(headings) and _plain(headings[0].text_content()) == _plain(link.text_content())

    def _expected_labels(self) -> dict[str, str]:
        """By the id of a float, its kind and number."""
        counts: Counter[str] = Counter()
        labels = {}
        for caption in self._body.xpath(".//figcaption"):
            found = _LABEL.match(caption.text or "")
            if found:
                counts[found[1]] += 1
                label = f"{found[1]}\N{NO-BREAK SPACE}{counts[found[1]]}"
                labels.update({a.get("id"): label for a in caption.iterancestors() if a.get("id")})
        return labels

    def _without_label(self, text: str, caption: Element) -> str:
        found = _LABEL.match(text)
        expected = [
            self._labels[around.get("id")]
            for around in caption.iterancestors()
            if around.get("id") in self._labels
        ]
        if found and expected and _plain(expected[0]) == _plain(found.group()):
            return text[found.end() :]
        return text

    def _is_reference(self, link: Element) -> bool:
        label = self._labels.get((link.get("href") or "").lstrip("#"))
        return label is not None and _plain(label) == _plain(link.text_content())

    def _of_attributes(self, element: Element) -> Iterator[Stray]:
        for name in ("alt", "title", "aria-label"):
            text = element.get(name)
            if text and not self._is_accounted_for(element):
                yield from self._of_alternative(text)

    def _of_alternative(self, text: str) -> Iterator[Stray]:
        """An attribute cannot hold keys: those of an alternative text are in its Markdown."""
        markdown = self._sources.alternatives.get(text, text)
        for found in values_in(markdown):
            # A key may hold a number too, but is no text.
            holds = self._sources.holds_value(found.key, found.text, unsigned=found.unsigned)
            markdown = markdown.replace(found.span, " " if holds else found.text)
        for numeral in self._numerals(without_names(self._ids.sub(" ", markdown), self._names)):
            yield Stray(numeral, _clipped(text))


def _sentence(element: Element) -> str:
    """The text of the block around an element."""
    around = next((e for e in (element, *element.iterancestors()) if e.tag in _BLOCKS), element)
    return _clipped(around.text_content())


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _CLIP else text[:_CLIP] + "…"


def _plain(text: str) -> str:
    return re.sub(r"[\s\\]+", "", text)
