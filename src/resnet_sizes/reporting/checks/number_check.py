"""No number without a source: the check of the finished report."""

import logging
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from lxml.etree import LxmlError
from pypdf.errors import PyPdfError

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.bibliography import FILE as BIBLIOGRAPHY
from resnet_sizes.reporting.checks.bibliography import read_entries
from resnet_sizes.reporting.checks.document_check import differences
from resnet_sizes.reporting.checks.figure_check import figure_strays
from resnet_sizes.reporting.checks.page_check import strays
from resnet_sizes.reporting.checks.sources import Sources, Stray
from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.render.pandoc import read_tree, render
from resnet_sizes.reporting.render.render import RenderedArticle
from resnet_sizes.reporting.text.words import Words, short_class_label

log = logging.getLogger("resnet_sizes")

PAGE = "report.html"
PAPER = "report.pdf"
_SHOWN = 5


def check_numbers(
    folder: Path,
    rendered: RenderedArticle,
    inputs: Inputs,
    engine: Engine,
    words: Words,
    language: str,
    created: str,
) -> None:
    """Raise UserError, with the sentence, for a numeral of the page or of a figure that has no
    source, where the PDF, if there is one, or `article.qmd` has other numerals, and for a page
    that has no main part.

    `folder` holds the finished report with all that it was made from. What Quarto made is
    compared too, but only warned about: its versions lay pages out in ways that are not ours to
    know, and the numbers of `article.qmd` are checked on a page of the embedded engine.
    """
    embedded = engine.kind == "pandoc"
    page = folder / PAGE if embedded else render(folder, "html", created)
    html = page.read_text(encoding="utf-8")
    sources = sources_of(folder, rendered, inputs, engine, words, language)
    tree, figures = read_tree(folder), sorted(folder.glob("figure-*.svg"))
    found = strays(html, sources)
    found += [stray for figure in figures for stray in figure_strays(figure, sources)]
    if found:
        raise UserError(_message(found, language))
    paper = folder / PAPER if (folder / PAPER).is_file() else None
    lines = differences(html, paper if embedded else None, tree, figures, language)
    if lines:
        raise UserError(
            f"{PAGE} and {PAPER} ({language}) do not have the same numbers:\n  "
            + "\n  ".join(lines[:_SHOWN])
            + "\nThe report is not published. Look for what one of the formats leaves out."
        )
    if not embedded:
        own = (folder / PAGE).read_text(encoding="utf-8")
        _warn_of_quarto(own, paper, tree, figures, language)


def _warn_of_quarto(
    page: str, paper: Path | None, tree: dict[str, Any], figures: Sequence[Path], language: str
) -> None:
    try:
        lines = differences(page, paper, tree, figures, language)
    except (UserError, PyPdfError, LxmlError, ValueError, AttributeError) as error:
        lines = [f"they cannot be read ({error})"]
    for line in lines[:_SHOWN]:
        log.warning(
            "the numbers of what Quarto made (%s) could not be matched with article.qmd: %s",
            *(language, line),
        )


def sources_of(
    folder: Path,
    rendered: RenderedArticle,
    inputs: Inputs,
    engine: Engine,
    words: Words,
    language: str,
) -> Sources:
    """All that a numeral of the report may come from; `folder` holds the bibliography."""
    return Sources(
        values=inputs.values,
        article=inputs.article,
        language=language,
        settings=words.raw,
        names=_names(rendered, inputs, engine, words),
        references=read_entries(folder / BIBLIOGRAPHY),
        alternatives=rendered.alternatives,
    )


def _names(
    rendered: RenderedArticle, inputs: Inputs, engine: Engine, words: Words
) -> dict[str, frozenset[str]]:
    study = inputs.study
    # The audit speaks of every reading that the configuration defines.
    readings = [*study.protocols, *(costs.protocol for costs in inputs.audit.protocols)]
    runs = [run.run for run in inputs.verdicts.runs]
    weights = [
        PurePath(study.protocol_definitions[protocol].recipe_for(model).weights).name
        for protocol in study.protocols
        for model in study.models
    ]
    return {
        "study": frozenset([study.name]),
        "reading": frozenset(readings),
        "device": frozenset(rate.name for rate in inputs.audit.devices),
        "engine": frozenset(version for _, version in engine.versions),
        "code": frozenset([study.name, *readings, *runs, *weights, study.article, study.devices]),
        "command": frozenset(rendered.commands),
        "class": frozenset(
            short_class_label(name, inputs.figures.content, words)
            for name in inputs.figures.class_names
        ),
    }


def _message(found: list[Stray], language: str) -> str:
    lines = [f"  {stray.numeral} in: {stray.sentence}" for stray in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"  and {len(found) - _SHOWN} more")
    return "\n".join(
        [
            f"{PAGE} ({language}): these numbers have no source, so the report is not published:",
            *lines,
            'Print each by its key in values.json (<< value("…") >> in a template of '
            f"report/{language}/; a number that a figure draws has the key in the id of its text), "
            "then run the same command again.",
        ]
    )
