"""No number without a source, and the same numbers in page, PDF and document."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

from lxml import etree
from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.manuscripts import READERS
from resnet_sizes.reporting.checks.page_check import figure_strays, seen_text, strays
from resnet_sizes.reporting.checks.sources import Sources, numerals
from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.render.pandoc import read_tree
from resnet_sizes.reporting.sections.article import RenderedArticle
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.words import short_class_label
from resnet_sizes.schemas.study.study import REPORT_FILES

_SHOWN = 5


def check_numbers(
    folder: Path, rendered: RenderedArticle, report: ReportContext, engine: Engine
) -> None:
    """Raise UserError, with the sentence, for a numeral of the page or of a figure that has no
    source, where another format that is there, or `article.qmd`, has other numerals, and for a
    page that has no main part.

    `folder` holds the finished report with all that it was made from.
    """
    language, own = report.language, report.folder.prose(report.language)
    page = (folder / "report.html").read_text(encoding="utf-8")
    sources = sources_of(folder, rendered, report, engine)
    tree, figures = read_tree(folder), sorted(folder.glob("figure-*.svg"))
    found = strays(page, sources)
    found += [stray for figure in figures for stray in figure_strays(figure, sources)]
    if found:
        lines = [f"  {stray.numeral} in: {stray.sentence}\n" for stray in found[:_SHOWN]]
        lines += [f"  and {len(found) - _SHOWN} more\n"] * (len(found) > _SHOWN)
        raise UserError(
            f"report.html ({language}): these numbers have no source, so the report is not "
            f"published:\n{''.join(lines)}"
            'Print each by its key in values.json (<< value("…") >> in a template of '
            f"report/{language}/ or in {own}; a figure has it in the id of the number's text), "
            "then run the same command again."
        )
    paper = folder / REPORT_FILES["pdf"]
    lines = differences(page, paper if paper.is_file() else None, tree, figures, language)
    of_page = Counter(numerals(seen_text(page), language))
    for format, read in READERS.items():
        if (file := folder / REPORT_FILES[format]).is_file():
            found_there = Counter(numerals(read(file), language))
            lines += _compared(file.name, found_there, "the page", of_page)
    if lines:
        raise UserError(
            f"The formats of the report ({language}) do not have the same numbers:\n  "
            + "\n  ".join(lines[:_SHOWN])
            + "\nThe report is not published. Look for what one of the formats leaves out."
        )


def sources_of(
    folder: Path, rendered: RenderedArticle, report: ReportContext, engine: Engine
) -> Sources:
    """All that a numeral of the report may come from; `folder` holds the bibliography."""
    study, figures = report.study, report.figures
    # The audit speaks of every reading that the configuration defines.
    readings = [*study.protocols, *(costs.protocol for costs in report.audit.protocols)]
    runs = [run.run for run in report.verdicts.runs]
    weights = [PurePath(recipe.weights).name for recipe in report.recipes]
    names = {
        "study": [study.name],
        "reading": readings,
        "device": [rate.name for rate in report.audit.devices],
        "engine": [version for _, version in engine.versions],
        "code": [study.name, *readings, *runs, *weights, study.article, study.devices],
        "command": rendered.commands,
        "class": [
            short_class_label(name, figures.content, report.words) for name in figures.class_names
        ],
    }
    return Sources(
        values=report.record,
        article=report.article,
        language=report.language,
        settings=report.words.raw,
        names={place: frozenset(allowed) for place, allowed in names.items()},
        references=_read_entries(folder / "references.bib"),
        alternatives=rendered.alternatives,
    )


def _read_entries(file: Path) -> dict[str, str]:
    """The text of each entry of a BibTeX file, by its key."""
    parts = re.split(r"(?m)^[ \t]*@\w+\s*\{", file.read_text(encoding="utf-8"))[1:]
    return {key.strip(): entry for key, _, entry in (part.partition(",") for part in parts)}


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
        drawn = (text for path in figures for text in etree.parse(path).iterfind(".//{*}text"))
        of_figures = numerals(" ".join("".join(text.itertext()) for text in drawn), language)
        of_paper = Counter(numerals(_text_of_paper(paper), language))
        of_page.update(of_figures)
        lines += _compared("the PDF", of_paper, "the page and its figures", of_page)
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
    try:
        return "\n".join(_text_of_page(page) for page in PdfReader(paper).pages)
    except PyPdfError as error:
        raise UserError(
            f"{paper.name} is no PDF that can be read ({error}), so its numbers cannot be checked, "
            "and the report is not published."
        ) from None


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
        # A line break is reported late, when the next line begins.
        parts.append("\n" if any(marks) else text)

    page.extract_text(visitor_operand_before=follow, visitor_text=keep)
    return "".join(parts)


def _texts_of(node: Any) -> Iterator[str]:
    """What a reader sees of pandoc's document, with its title."""
    match node:
        case [*parts]:
            for part in parts:
                yield from _texts_of(part)
        case {"t": "RawBlock" | "RawInline" | "Image"}:
            return
        case {"t": "Str", "c": text}:
            yield text
        case {"t": "Code" | "CodeBlock" | "Math", "c": [_, text]}:
            yield text
        case {"blocks": blocks, "meta": meta}:
            yield from _texts_of([meta.get("title"), meta.get("subtitle"), blocks])
        case {"c": content}:
            yield from _texts_of(content)
