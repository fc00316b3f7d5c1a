"""The same numerals in the page, on paper, and in the document that both are made from."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lxml import etree
from pypdf import PageObject, PdfReader

from resnet_sizes.reporting.checks.numerals import numerals
from resnet_sizes.reporting.checks.page_check import seen_text

_UNPRINTED = ("RawBlock", "RawInline", "Image")


def differences(
    page: str, paper: Path | None, tree: dict[str, Any], figures: Iterable[Path], language: str
) -> list[str]:
    """Numerals that one form of a document has more often than another, a line each.

    `page` is the HTML, `paper` the PDF if there is one, `tree` pandoc's document. The PDF also has
    the text of its `figures` (SVG), which in the page are pictures.
    """
    of_page = Counter(numerals(seen_text(page), language))
    of_tree = Counter(numerals(" ".join(_texts_of(tree)), language))
    lines = _compared("the page", of_page, "the document", of_tree)
    if paper is not None:
        drawn = Counter(numerals(" ".join(map(_text_of_figure, figures)), language))
        of_paper = Counter(numerals(_text_of_paper(paper), language))
        lines += _compared("the PDF", of_paper, "the page and its figures", of_page + drawn)
    return lines


def _compared(
    first: str, of_first: Counter[str], second: str, of_second: Counter[str]
) -> list[str]:
    return [
        f"{numeral}: {of_first[numeral]} in {first}, {of_second[numeral]} in {second}"
        for numeral in sorted(of_first | of_second)
        if of_first[numeral] != of_second[numeral]
    ]


def _text_of_paper(paper: Path) -> str:
    return "\n".join(_text_of_page(page) for page in PdfReader(paper).pages)


def _text_of_page(page: PageObject) -> str:
    """Without what the PDF marks as no part of the article: running header, page number, and
    the header row that a table has again on its next page."""
    parts: list[str] = []
    marks: list[bool] = []  # of the marked content around: whether it is an artifact

    def follow(operator: bytes, operands: Any, *_: object) -> None:
        if operator in (b"BMC", b"BDC"):
            marks.append(operands[0] == "/Artifact")
        elif operator == b"EMC" and marks:
            marks.pop()

    def keep(text: str, *_: object) -> None:
        # A line break is told late, when the next line begins.
        parts.append("\n" if any(marks) else text)

    page.extract_text(visitor_operand_before=follow, visitor_text=keep)
    return "".join(parts)


def _text_of_figure(figure: Path) -> str:
    texts = etree.parse(figure).iterfind(".//{*}text")
    return " ".join("".join(text.itertext()) for text in texts)


def _texts_of(node: Any) -> Iterator[str]:
    """What a reader sees of pandoc's document, with its title."""
    if isinstance(node, list):
        for part in node:
            yield from _texts_of(part)
    elif isinstance(node, dict):
        kind = node.get("t")
        if kind in _UNPRINTED:
            return
        if kind == "Str":
            yield node["c"]
        elif kind in ("Code", "CodeBlock", "Math"):
            yield node["c"][1]
        elif "blocks" in node:
            meta = node["meta"]
            yield from _texts_of([meta[name] for name in ("title", "subtitle") if name in meta])
            yield from _texts_of(node["blocks"])
        else:
            yield from _texts_of(node.get("c", []))
