"""Texts of their own beside the report: an archive's papers and certificate, a comparison."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined

from resnet_sizes.i18n.numbers import LOCALES, date, decimal
from resnet_sizes.reporting.text import words
from resnet_sizes.schemas.study.networks import display_name
from resnet_sizes.sharing.open_archive import templates_here


def page(
    part: str, title: str, languages: Sequence[str], templates: Path | None = None, **names: Any
) -> str:
    """An HTML page, in the report's style, of the template `part` in each of the languages, one
    below the other; in `report/` or another folder.

    `names` are what the template may call besides `language` and the report's `words` by language.
    Raises UserError where the template is not there.
    """
    templates = templates or templates_here()
    return rendered(
        "page.html.j2",
        templates,
        part=part,
        title=title,
        languages=languages,
        locales={name: LOCALES[name].replace("_", "-") for name in languages},
        words={name: words.Words(templates / name, name) for name in languages},
        **names,
    )


def rendered(name: str, templates: Path | None, **names: Any) -> str:
    """The text of a template, which has the filters `number` and `signed` (digits, language),
    `date` (language), `network` (its label) and `json`, by which YAML and JSON quote. Raises
    UserError where it is not there."""
    templates = templates or templates_here()
    environment = words.Sandbox(
        loader=FileSystemLoader(templates),
        autoescape=".html." in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "date": date,
        "json": partial(json.dumps, ensure_ascii=False),
        "network": display_name,
        "number": partial(_number, plus=""),
        "signed": partial(_number, plus="+"),
    }
    return words.rendered(environment, name, templates, **names)


def _number(value: float, digits: int, language: str, plus: str) -> str:
    """As the report prints numbers in the language; `plus` stands before those above zero."""
    return (plus if value > 0 else "") + decimal(value, digits, language)
