"""The templates of a report, and the tools that each of them has."""

from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from resnet_sizes.i18n.numbers import decimal, places
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, code, yaml_text
from resnet_sizes.reporting.text.printed import Name
from resnet_sizes.reporting.text.words import make_environment
from resnet_sizes.schemas.study.protocol import display_name


def report_templates(report: ReportContext, folder: Path) -> Environment:
    """The templates of one language, and those of `folder` itself, which both languages share.

    A template prints values by their keys, texts by theirs, and records that it is given through
    `network`, `name` and `code`; a bare number is refused.
    """

    def loop_number(number: int) -> Safe:
        """The number of a heading or of an id, not a result."""
        return Safe(decimal(number, 0, report.language))

    environment = make_environment(loader=FileSystemLoader([folder / report.language, folder]))
    tools: dict[str, Callable[..., object]] = {
        "t": report.words,
        "value": report.values.value,
        "cell": report.cell,
        "points": report.values.points,
        "shared_mark": report.values.shared_mark,
        "has": report.values.has,
        "number": report.values.number,
        "from_article": report.from_article,
        "network": display_name,
        "name": Name,
        "code": code,
        "yaml": yaml_text,
        "verdict": report.verdict,
        "listed": report.words.listed,
        "loop_number": loop_number,
    }
    environment.globals |= tools
    environment.globals["values"] = report.values
    filters: dict[str, Callable[..., object]] = {
        "network": display_name,
        "code": code,
        "places": places,
        "text": lambda name, prefix: report.words(f"{prefix}.{name}"),
    }
    environment.filters |= filters
    return environment
