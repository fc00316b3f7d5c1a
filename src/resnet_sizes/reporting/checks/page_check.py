"""The finished page and its figures: each numeral has a source, or belongs to its place."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree, html

from resnet_sizes.i18n.numbers import MINUS, moment
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.sources import Sources, Stray, number_of, numerals
from resnet_sizes.reporting.figures.style import AXIS_ID, CLASSES_ID, VALUE_ID
from resnet_sizes.reporting.text.escaping import unescaped
from resnet_sizes.reporting.text.printed import plain, without_values
from resnet_sizes.reporting.text.words import without_names

Element = Any
"""An element of lxml, which has no types of its own."""

_UNSEEN = ("script", "style", "template")
_UNDRAWN = ("metadata", "style", "script")
_TICKS = ("xtick_", "ytick_")
_UNREAD = {
    "id", "class", "style", "href", "src", "rel", "type", "name", "for", "target", "lang",
    "hreflang", "dir", "role", "tabindex", "scope", "charset", "colspan", "rowspan", "data-k",
    "data-l", "data-t", "data-n", "data-cites", "data-entry-spacing", "aria-labelledby",
    "aria-describedby", "aria-controls", "aria-owns",
}  # fmt: skip
"""Attributes that no reader hears or sees; any other may be shown or read aloud."""
_BLOCKS = ("p", "li", "td", "th", "figcaption", "h1", "h2", "h3", "pre", "dd", "dt", "div", "a")
_CLIP = 160

_VIEWPORT = "width=device-width, initial-scale=1"
_NUMBERING = re.compile(r"\d+(\.\d+)?\s")
_LABEL = re.compile(r"\s*(\w+)\s\d+(?=\s)")
_FLOATS = {"pt": ("Figura", "Tabela", "Quadro"), "en": ("Figure", "Table")}
_DATE = re.compile(r'^\s*(?:year|date)\s*=\s*[{"](.*)[}"],?\s*$', re.MULTILINE)
"""When an entry of the bibliography came out."""


def strays(page: str, sources: Sources) -> list[Stray]:
    """The numerals of an HTML page that come from nowhere, in reading order.

    A numeral comes from the value, the claim of the article file or the choice of the
    configuration whose key its element carries; or it belongs to its place: the number of a
    heading or of a float and the references to it, the years of the references, a name where
    such a name may stand. Raises UserError for a page without a main part.
    """
    return list(_Page(_document(page, "main"), sources).strays())


def foreign_scripts(page: str, ours: str) -> list[str]:
    """What a page would run and `ours`, the text of all that it may have, does not hold."""
    run = _document(page, "main").xpath(
        "//script[not(contains(@type, 'json'))]/text()|//script/@src|//iframe/@*|//object/@*|"
        "//embed/@*|//@*[starts-with(name(), 'on')]|//@href[contains(., 'javascript:')]"
    )
    return [_clipped(text) for text in run if text.strip() not in ours]


def seen_text(page: str) -> str:
    """What a reader of the page sees of the article: no contents, scripts, pictures, or folds."""
    body = _document(page, "body").find("body")
    for element in body.xpath(".//nav|.//details|.//script|.//style|.//*[@class='skip-link']"):
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
    """A page, with its headings and floats counted again."""

    def __init__(self, document: Element, sources: Sources) -> None:
        self._document, self._body = document, document.find("body")
        self._sources = sources
        self._title = sources.article.article.title
        self._ids = re.compile(rf"\b(?:{'|'.join(sources.article.ids)})\b")
        self._headings = dict(self._numbered_headings())
        self._labels = dict(self._labelled_captions())

    def strays(self) -> Iterator[Stray]:
        for text in self._texts_of_head():
            yield from (Stray(numeral, _clipped(text)) for numeral in self._numerals(text))
        yield from self._of_element(self._body, False, frozenset())

    def _of_element(
        self, element: Element, accounted: bool, known: frozenset[str]
    ) -> Iterator[Stray]:
        """Those of an element and of all in it.

        `accounted` says that an element around it tells where its numbers come from, and is right;
        `known` are those of the reference or citation that it stands in.
        """
        for name, text in element.items():
            yield from self._of_attribute(name, text)
        accounted = accounted or self._is_accounted_for(element)
        known = self._numerals_of_entries(element, known)
        if element.text and not accounted:
            yield from self._of_text(self._without_number(element), element, known)
        for child in element:
            if child.tag not in (*_UNSEEN, etree.Comment, etree.PI):
                yield from self._of_element(child, accounted, known)
            if child.tail and not accounted:
                yield from self._of_text(child.tail, element, known)

    def _of_text(self, text: str, element: Element, known: frozenset[str]) -> Iterator[Stray]:
        if "title" in _classes(element):
            text = text.replace(self._title, " ", 1)
        if "subtitle" in _classes(element):
            for name in self._sources.names["study"]:
                name = rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)"
                text = re.sub(name, " ", text, count=1)
        found = (numeral for numeral in self._numerals(text) if numeral not in known)
        yield from (Stray(numeral, _sentence(element)) for numeral in found)

    def _numerals(self, text: str) -> list[str]:
        """Those of a text that are no part of a name that may stand anywhere."""
        return numerals(without_names(self._ids.sub(" ", text)), self._sources.language)

    def _of_attribute(self, name: str, text: str) -> Iterator[Stray]:
        """It cannot hold keys: those of an alternative text are in its Markdown."""
        if name in _UNREAD or (name, text) == ("start", "1"):
            return
        if name == "data-pad":  # unseen, as wide as a number: its digits are zeros
            text = text.replace("0", "")
        markdown = without_values(
            self._sources.alternatives.get(text, text),
            lambda key, said, unsigned: self._sources.hold("data-k", key, said, unsigned=unsigned),
        )
        yield from (
            Stray(numeral, _clipped(text)) for numeral in self._numerals(unescaped(plain(markdown)))
        )

    def _texts_of_head(self) -> list[str]:
        """Its texts, but for the date of the results, what tells a browser how wide the page is,
        and the title of the article, which may stand in any of them."""
        expected = [_VIEWPORT]
        finished = self._sources.values.values.get("made.finished")
        if finished is not None:
            when = moment(finished.as_text)
            expected += [f"{when:%Y-%m-%dT%H:%M:%SZ}", f"{when:%Y/%m/%d}"]
        texts = [element.text_content() for element in self._document.iterfind("head//title")]
        texts += self._document.xpath("head//meta/@content")
        return [text.replace(self._title, " ") for text in texts if text not in expected]

    def _is_accounted_for(self, element: Element) -> bool:
        """Whether an element says where its numbers come from, and is right, or has those of its
        place."""
        text, classes = element.text_content(), _classes(element)
        hold, unsigned = self._sources.hold, "size" in classes
        if any(hold(name, key, text, unsigned=unsigned) for name, key in element.items()):
            return True
        match element.tag:
            case "code":
                kind = "command" if element.xpath("ancestor::pre") else "code"
                return text.strip() in self._sources.names[kind]
            case "em":
                of_the_article = any("autoria" in _classes(e) for e in element.iterancestors())
                return of_the_article and _squeezed(text) == _squeezed(self._title)
            case "a":
                leads_to = self._named_by(element, is_reference="quarto-xref" in classes)
                return leads_to is not None and _squeezed(text) == _squeezed(leads_to)
        return False

    def _named_by(self, link: Element, *, is_reference: bool) -> str | None:
        """What a link names: the float of a reference, the heading of an entry of the contents."""
        target = self._body.get_element_by_id((link.get("href") or "").lstrip("#"), None)
        if target is None:
            return None
        if is_reference:
            return self._labels.get(target.find(".//figcaption"))
        headings = target.xpath("(self::h2|self::h3|.//h2|.//h3)[1]")
        return headings[0].text_content() if headings and link.xpath("ancestor::nav") else None

    def _without_number(self, element: Element) -> str:
        """The text at the start of an element, without the number that is due to its place."""
        text: str = element.text
        if element.tag in ("h2", "h3"):
            return text.removeprefix(f"{self._headings.get(element)} ")
        label = _LABEL.match(text)
        if label and _squeezed(label.group()) == _squeezed(self._labels.get(element, "")):
            return text[label.end() :]
        return text

    def _numerals_of_entries(self, element: Element, around: frozenset[str]) -> frozenset[str]:
        """Those that belong to a reference or a citation: what the entry has, or its year; of any
        other element those of what is `around` it."""
        entries, name = self._sources.references, element.get("id") or ""
        if "citation" in _classes(element):
            keys = (element.get("data-cites") or "").split()
            texts = [date for key in keys for date in _DATE.findall(entries.get(key, ""))]
        elif name.startswith("ref-") and element.xpath("ancestor::*[@id='refs']"):
            texts = [entries.get(name.removeprefix("ref-"), "")]
        else:
            return around
        found = numerals(" ".join(texts), self._sources.language)
        # Days and months have two digits in the file.
        return frozenset(found) | {numeral.lstrip("0") for numeral in found}

    def _numbered_headings(self) -> Iterator[tuple[Element, str]]:
        chapter, section = 0, 0
        for heading in self._body.xpath(".//h2[not(ancestor::nav)]|.//h3"):
            if _NUMBERING.match(heading.text or ""):
                in_section = heading.tag == "h3"
                chapter, section = (chapter, section + 1) if in_section else (chapter + 1, 0)
                yield heading, f"{chapter}.{section}" if in_section else f"{chapter}"

    def _labelled_captions(self) -> Iterator[tuple[Element, str]]:
        """Those of floats, each with its kind and number."""
        counts: Counter[str] = Counter()
        for caption in self._body.xpath(".//figcaption"):
            found = _LABEL.match(caption.text or "")
            if found and found[1] in _FLOATS[self._sources.language]:
                counts[found[1]] += 1
                yield caption, f"{found[1]} {counts[found[1]]}"


def _classes(element: Element) -> list[str]:
    return (element.get("class") or "").split()


def _sentence(element: Element) -> str:
    """The text of the block around an element."""
    around = next((e for e in (element, *element.iterancestors()) if e.tag in _BLOCKS), element)
    return _clipped(around.text_content())


def _clipped(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _CLIP else text[:_CLIP] + "…"


def _squeezed(text: str) -> str:
    """The text without spaces and escapes."""
    return re.sub(r"[\s\\]+", "", text)


def figure_strays(figure: Path, sources: Sources) -> list[Stray]:
    """The numerals of an SVG that come from nowhere.

    A numeral is that of a value, whose key is the id of its group; or it is the tick of an axis:
    a number alone, in its order among the others, or the name of a class where those are named.
    """
    found: list[Stray] = []
    last_ticks: dict[str, Decimal] = {}
    for element, text in _texts(etree.parse(figure).getroot()):
        in_text = numerals(without_names(text), sources.language)
        ids = [around.get("id") or "" for around in (element, *element.iterancestors())]
        keys = [name.removeprefix(VALUE_ID) for name in ids if name.startswith(VALUE_ID)]
        if not in_text or any(sources.hold("data-k", key, text) for key in keys):
            continue
        axis, label = _axis_of_tick(ids), text.strip()
        size = label.removeprefix(MINUS)
        if axis.startswith(AXIS_ID) and size == in_text[0]:
            number, _ = number_of(size, sources.language)
            number = number if size == label else -number
            is_next = axis not in last_ticks or number > last_ticks[axis]
            last_ticks[axis] = number
            in_text = [] if is_next else [label]
        elif axis.startswith(CLASSES_ID) and label in sources.names["class"]:
            continue
        place = f"{figure.name}: {' '.join(text.split())}"
        found += [Stray(numeral, place) for numeral in in_text]
    return found


def _texts(element: Any) -> Iterator[tuple[Any, str]]:
    """Each text that a figure shows or tells, as a whole, with the element that holds it."""
    name = etree.QName(element).localname
    if name == "text":
        yield element, "".join(element.itertext())
    elif name not in _UNDRAWN:
        for text in (element.text, *(child.tail for child in element)):
            yield element, text or ""
        for child in element.iterchildren(etree.Element):
            yield from _texts(child)


def _axis_of_tick(ids: list[str]) -> str:
    """The id of the axis that one of its ticks is in; empty of anything else."""
    ticks = [place for place, name in enumerate(ids) if name.startswith(_TICKS)]
    around = ids[ticks[0] :] if ticks else []
    return next((name for name in around if name.startswith((AXIS_ID, CLASSES_ID))), "")
