"""What a page has by its place: numbers of headings and floats, years of what is cited."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from resnet_sizes.reporting.checks.bibliography import date_of
from resnet_sizes.reporting.checks.numerals import numerals

Element = Any
"""An element of lxml, which has no types of its own."""

_NUMBERING = re.compile(r"^(\d+)(?:\.(\d+))?\s")
_LABEL = re.compile(r"^\s*(\w+)\s(\d+)(?=\s)")
_FLOATS = {"pt": ("Figura", "Tabela", "Quadro"), "en": ("Figure", "Table")}


class Places:
    """The numbering of one page, counted anew."""

    def __init__(self, body: Element, language: str, references: Mapping[str, str]) -> None:
        self._body = body
        self._language = language
        self._references = references
        self._headings = dict(self._numbered_headings())
        self._labels = dict(self._numbered_floats())
        self.numerals_of_entry = cache(self._numerals_of_entry)

    def without_number(self, element: Element) -> str:
        """The text at the start of an element, without the number that is due to its place."""
        text: str = element.text
        if element.tag in ("h2", "h3"):
            return text.removeprefix(f"{self._headings.get(element)} ")
        if element.tag == "figcaption":
            found, label = _LABEL.match(text), self._label_of_float(element)
            if found and label and squeezed(label) == squeezed(found.group()):
                return text[found.end() :]
        return text

    def is_reference(self, link: Element) -> bool:
        """Whether a link names the float that it leads to."""
        label = self._labels.get((link.get("href") or "").lstrip("#"))
        return label is not None and squeezed(label) == squeezed(link.text_content())

    def is_of_contents(self, link: Element) -> bool:
        """Whether a link is an entry of the contents and says what its heading says."""
        if not any(around.tag == "nav" for around in link.iterancestors()):
            return False
        target = self._body.xpath(".//*[@id=$id]", id=(link.get("href") or "#").lstrip("#"))
        headings = target[0].xpath("(self::h2|self::h3|.//h2|.//h3)[1]") if target else []
        return bool(headings) and squeezed(headings[0].text_content()) == squeezed(
            link.text_content()
        )

    def numerals_of(self, element: Element) -> frozenset[str]:
        """Those that belong to an element that stands in a reference or a citation: what the
        entry has, or its year."""
        inside_references = False
        entry: str | None = None
        for around in (element, *element.iterancestors()):
            if "citation" in (around.get("class") or "").split():
                keys = (around.get("data-cites") or "").split()
                return frozenset().union(*(self.numerals_of_entry(key, True) for key in keys))
            name = around.get("id") or ""
            if name.startswith("ref-"):
                entry = name.removeprefix("ref-")
            inside_references = inside_references or name == "refs"
        if entry is None or not inside_references:
            return frozenset()
        return self.numerals_of_entry(entry, False)

    def _numerals_of_entry(self, key: str, only_date: bool) -> frozenset[str]:
        entry = self._references.get(key, "")
        found = numerals(date_of(entry) if only_date else entry, self._language)
        # Days and months have two digits in the file.
        return frozenset(found) | {numeral.lstrip("0") for numeral in found}

    def _numbered_headings(self) -> Iterator[tuple[Element, str]]:
        chapter, section = 0, 0
        for heading in self._body.xpath(".//h2[not(ancestor::nav)]|.//h3"):
            if not _NUMBERING.match(heading.text or ""):
                continue
            if heading.tag == "h2":
                chapter, section = chapter + 1, 0
                yield heading, f"{chapter}"
            else:
                section += 1
                yield heading, f"{chapter}.{section}"

    def _numbered_floats(self) -> Iterator[tuple[str, str]]:
        """By the id of a float, its kind and number."""
        counts: Counter[str] = Counter()
        for caption in self._body.xpath(".//figcaption"):
            found = _LABEL.match(caption.text or "")
            if found and found[1] in _FLOATS[self._language]:
                counts[found[1]] += 1
                label = f"{found[1]}\N{NO-BREAK SPACE}{counts[found[1]]}"
                yield from (
                    (around.get("id"), label)
                    for around in caption.iterancestors()
                    if around.get("id")
                )

    def _label_of_float(self, caption: Element) -> str | None:
        names = (around.get("id") for around in caption.iterancestors())
        return next((self._labels[name] for name in names if name in self._labels), None)


def squeezed(text: str) -> str:
    """The text without spaces and escapes."""
    return re.sub(r"[\s\\]+", "", text)
