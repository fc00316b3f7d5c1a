"""Templates and context → the text of `article.qmd`."""

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import FileSystemLoader, TemplateNotFound, UndefinedError

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.inputs import Inputs
from resnet_sizes.reporting.render.engines import Engine
from resnet_sizes.reporting.sections.context import build_context
from resnet_sizes.reporting.text.escaping import unescaped
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.reporting.text.words import Words, make_environment


@dataclass(frozen=True)
class RenderedArticle:
    """The `.qmd`, and what a check of the finished pages has to know of it."""

    title: str
    text: str
    alternatives: dict[str, str]
    """Alternative texts of figures, each with its Markdown, which has the keys of its values."""
    commands: list[str]


def render_article(
    inputs: Inputs, templates: Path, language: str, engine: Engine
) -> RenderedArticle:
    """The `.qmd` of a study in one language. Raises UserError where a template lacks a name."""
    folder = templates / language
    _check_reference(inputs, templates / "assets" / "references.bib")
    words = Words(folder / "texts.yaml", language)
    environment = make_environment(loader=FileSystemLoader(folder))
    try:
        template = environment.get_template("article.qmd.j2")
        context = build_context(inputs, words, language, engine)
        text = template.render(context)
    except TemplateNotFound as error:
        raise UserError(
            f"{folder / str(error)}: no such template. Run the command in the project's folder."
        ) from None
    except UndefinedError as error:
        raise UserError(f"{folder}: a template uses a name that is not defined: {error}") from None
    alternatives = {
        unescaped(plain(markdown)): str(markdown) for markdown in context["alternatives"]
    }
    commands = [str(context[name]) for name in ("command", "report_command")]
    return RenderedArticle(context["title"], _tidy(text), alternatives, commands)


def _check_reference(inputs: Inputs, bibliography: Path) -> None:
    """What the article file cites is in the bibliography: pandoc would not say who asked for it."""
    effect = inputs.article.judging.seed_effect
    key = effect.reference if effect else None
    if key and f"{{{key}," not in bibliography.read_text(encoding="utf-8"):
        raise UserError(
            f"{inputs.study.article}: judging.seed_effect.reference is {key!r}, which is no key of "
            f"{bibliography}. Add the entry there, or leave the reference out."
        )


def _tidy(text: str) -> str:
    """At most one empty line in a row, no space at the end of a line."""
    lines = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"
