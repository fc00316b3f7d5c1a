"""The finished page: each of its numerals has a source, or belongs to its place."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from lxml import etree, html

from resnet_sizes.i18n.numbers import moment
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.numerals import numerals, without_names
from resnet_sizes.reporting.checks.sources import Sources, Stray, date_of
from resnet_sizes.reporting.text.printed import plain, values_in

Element = Any
"""An element of lxml, which has no types of its own."""

_UNSEEN = ("script", "style", "template")
_UNREAD = {
    "id", "class", "style", "href", "src", "rel", "type", "name", "for", "target", "lang",
    "hreflang", "dir", "role", "tabindex", "scope", "charset", "colspan", "rowspan", "data-k",
    "data-l", "data-t", "data-n", "data-cites", "data-entry-spacing", "aria-labelledby",
    "aria-describedby", "aria-controls", "aria-owns",
}  # fmt: skip
"""Attributes that no reader hears or sees; any other may be shown or read aloud."""
_BLOCKS = ("p", "li", "td", "th", "figcaption", "h1", "h2", "h3", "pre", "dd", "dt", "div", "a")
_CLIP = 160


def strays(page: str, sources: Sources) -> list[Stray]:
    """The numerals of an HTML page that come from nowhere, in reading order.

    A numeral comes from the value, the claim of the article file or the choice of the
    configuration whose key its element carries; or it belongs to its place: the number of a
    heading or of a float and the references to it, the years of the references, a name where
    such a name may stand. Raises UserError for a page without a main part.
    """
    return list(_Page(page, sources).strays())


def seen_text(page: str) -> str:
    """What a reader of the page sees of the article: without contents, scripts, and pictures."""
    body = _document(page, "body").find("body")
    for element in body.xpath(".//nav|.//script|.//style|.//*[contains(@class, 'skip-link')]"):
        element.drop_tree()
    return " ".join(body.itertext())


def _document(page: str, part: str) -> Element:
    """The elements of a page, which has to have one of that name. Raises UserError where it is
    missing: a script in front of it that has no end would hold all the rest."""
    try:
        document = html.document_fromstring(page)
    except etree.ParserError:  # nothing that could be an element
        document = None
    if document is None or document.find(f".//{part}") is None:
        raise UserError(
            f"report.html has no <{part}>, so its numbers cannot be checked, and the report is not "
            "published. Look in report/assets/page.html, and in what it includes, for that part or "
            "for a script or comment without an end, then run the same command again."
        )
    return document


class _Page:
    def __init__(self, page: str, sources: Sources) -> None:
        document = _document(page, "main")
        self._head, self._body = document.find("head"), document.find("body")
        self._sources = sources
        self._places = Places(self._body, sources.language, sources.references)
        ids = [item.id for item in (*sources.article.claims, *sources.article.untestable)]
        self._ids = re.compile(rf"\b(?:{'|'.join(ids)})\b")

    def strays(self) -> Iterator[Stray]:
        if self._head is not None:
            for text in texts_of_head(self._head, self._sources):
                yield from (Stray(numeral, _clipped(text)) for numeral in self._numerals(text))
        for element in self._body.iter(etree.Element):
            if element.tag in _UNSEEN:
                continue
            yield from self._of_attributes(element)
            if element.text and not self._is_accounted_for(element):
                yield from self._of_text(self._places.without_number(element), element)
            parent = element.getparent()
            if element.tail and parent is not None and not self._is_accounted_for(parent):
                yield from self._of_text(element.tail, parent)

    def _numerals(self, text: str) -> list[str]:
        """Those of a text that are no part of a name that may stand anywhere."""
        return numerals(without_names(self._ids.sub(" ", text)), self._sources.language)

    def _of_text(self, text: str, element: Element) -> Iterator[Stray]:
        if "subtitle" in _classes(element):
            text = self._without_study(text)
        found = self._numerals(text)
        known = self._places.numerals_of(element) if found else ()
        yield from (Stray(numeral, _sentence(element)) for numeral in found if numeral not in known)

    def _without_study(self, subtitle: str) -> str:
        for name in self._sources.names["study"]:
            subtitle = re.sub(
                rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", " ", subtitle, count=1
            )
        return subtitle

    def _is_accounted_for(self, element: Element) -> bool:
        """Whether the element, or one that it stands in, says where its numbers come from, and
        is right."""
        return any(
            around.tag in _UNSEEN
            or self._carries_its_source(around)
            or self._is_of_its_place(around)
            for around in (element, *element.iterancestors())
        )

    def _carries_its_source(self, element: Element) -> bool:
        sources = self._sources
        key = element.get("data-k")
        if key is not None:
            unsigned = "size" in _classes(element)
            if sources.holds_value(key, element.text_content(), unsigned=unsigned):
                return True
        for attribute, holds in (
            ("data-l", sources.holds_claim),
            ("data-t", sources.holds_setting),
            ("data-n", sources.is_name),
        ):
            key = element.get(attribute)
            if key is not None and holds(key, element.text_content()):
                return True
        return False

    def _is_of_its_place(self, element: Element) -> bool:
        match element.tag:
            case "code":
                in_block = any(around.tag == "pre" for around in element.iterancestors())
                names = self._sources.names["command" if in_block else "code"]
                return element.text_content().strip() in names
            case "em":
                of_the_article = any("autoria" in _classes(e) for e in element.iterancestors())
                title = squeezed(self._sources.article.article.title)
                return of_the_article and squeezed(element.text_content()) == title
            case "a" if "quarto-xref" in _classes(element):
                return self._places.is_reference(element)
            case "a":
                return self._places.is_of_contents(element)
        return False

    def _of_attributes(self, element: Element) -> Iterator[Stray]:
        for name, text in element.items():
            if name in _UNREAD or (name, text) == ("start", "1"):
                continue
            if name == "data-pad":  # unseen, as wide as a number: its digits are zeros
                text = text.replace("0", "")
            yield from self._of_alternative(text)

    def _of_alternative(self, text: str) -> Iterator[Stray]:
        """An attribute cannot hold keys: those of an alternative text are in its Markdown."""
        markdown = self._sources.alternatives.get(text, text)
        for found in values_in(markdown):
            # A key may hold a number too, but is no text.
            holds = self._sources.holds_value(found.key, found.text, unsigned=found.unsigned)
            markdown = markdown.replace(found.span, " " if holds else found.text)
        yield from (Stray(numeral, _clipped(text)) for numeral in self._numerals(plain(markdown)))


def _classes(element: Element) -> list[str]:
    return (element.get("class") or "").split()


def _sentence(element: Element) -> str:
    """The text of the block around an element."""
    around = next((e for e in (element, *element.iterancestors()) if e.tag in _BLOCKS), element)
    return _clipped(around.text_content())


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _CLIP else text[:_CLIP] + "…"


_VIEWPORT = "width=device-width, initial-scale=1"


def texts_of_head(head: Any, sources: Sources) -> Iterator[str]:
    """Its texts, but for the date of the results, what tells a browser how wide the page is, and
    the title of the article, which may stand in any of them."""
    expected = {_VIEWPORT, *_dates(sources)}
    texts = [element.text_content() for element in head.iter("title")]
    texts += [element.get("content") or "" for element in head.iter("meta")]
    for text in texts:
        if text not in expected:
            yield text.replace(sources.article.article.title, " ")


def _dates(sources: Sources) -> Iterator[str]:
    finished = sources.values.values.get("made.finished")
    if finished is not None:
        when = moment(str(finished.value))
        yield when.strftime("%Y-%m-%dT%H:%M:%SZ")
        yield when.strftime("%Y/%m/%d")


_NUMBERING = re.compile(r"^(\d+)(?:\.(\d+))?\s")
_LABEL = re.compile(r"^\s*(\w+)\s(\d+)(?=\s)")
_FLOATS = {"pt": ("Figura", "Tabela", "Quadro"), "en": ("Figure", "Table")}


class Places:
    """The numbering of one page, counted again."""

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
