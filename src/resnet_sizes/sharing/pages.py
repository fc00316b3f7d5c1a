"""Pages of their own in the report's style: an archive's certificate, a comparison."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from resnet_sizes.i18n.numbers import LOCALES, date, decimal
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.text.words import Words


def page(
    part: str,
    title: str,
    languages: Sequence[str],
    templates: Path = Path("report"),
    **names: Any,
) -> str:
    """An HTML page of the template `part` in each of the languages, one below the other.

    `names` are what the template may call besides `language`, the report's `words` by language,
    and the filters `number` and `signed` (digits, language) and `date` (language).
    Raises UserError outside of the project's folder.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = partial(_number, plus="")
    environment.filters["date"] = date
    environment.filters["signed"] = partial(_number, plus="+")
    try:
        style = (templates / "assets" / "report.css").read_text(encoding="utf-8")
        template = environment.get_template("page.html.j2")
    except (OSError, TemplateNotFound):
        raise UserError(
            f"{templates}: holds no templates of pages. Run the command in the project's folder."
        ) from None
    return template.render(
        part=part,
        title=title,
        languages=languages,
        locales={name: LOCALES[name].replace("_", "-") for name in languages},
        style=style,
        words={name: Words(templates / name, name).raw for name in languages},
        **names,
    )


def _number(value: float, digits: int, language: str, plus: str) -> str:
    """As the report prints numbers in the language; `plus` stands before those above zero."""
    return (plus if value > 0 else "") + decimal(value, digits, language)
