"""What a command prints: on the terminal, and in its log where `--log` names one."""

import json
import logging
import re
import sys
from collections.abc import Callable, Collection
from enum import StrEnum
from io import TextIOWrapper
from operator import attrgetter, itemgetter
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.box import Box
from rich.console import Console, RenderableType
from rich.table import Table

from resnet_sizes.io.messages import duration

log = logging.getLogger("resnet_sizes")

WIDE = 2000
"""Characters of a line in a pipe or a file: a row of a table is one line, however long."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_RULED_HEAD = Box("    \n    \n----\n" + "    \n" * 5)


class Language(StrEnum):  # typer has no lists of literals
    """Languages of pages."""

    pt = "pt"
    en = "en"


Languages = Annotated[
    list[Language] | None,
    typer.Option(help="Language of the pages; may be given twice. Otherwise as configured."),
]


def start_logging(path: Path | None) -> None:
    """Send messages to the terminal's standard error, and to `path` from its beginning."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal with few letters, or a name that is no UTF-8, is no reason for a traceback.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    log.handlers.clear()
    log.setLevel(logging.INFO)
    log.propagate = False
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(_Visible("%(message)s"))
    log.addHandler(terminal)
    # A log on a full disk is no reason to print a traceback for each message.
    logging.raiseExceptions = False
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = logging.FileHandler(path, mode="w", encoding="utf-8")
        except OSError as error:
            log.warning("warning: %s: cannot be written (%s)", path, error.strerror)
            return
        file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        log.addHandler(file)


def say(message: str) -> None:
    """Progress and notes, for people: standard error and the log."""
    log.info(message)


def result(text: str, one_line: bool = False) -> None:
    """What the command was asked for (a path, a configuration): standard output, for pipes.

    Results of others may hold anything: what controls a terminal or forges a line is as in JSON."""
    typer.echo(_visible(text, one_line))


def _visible(text: str, one_line: bool = False) -> str:
    text = text.replace("\n", "\\n") if one_line else text
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Visible(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return _visible(super().format(record))


def result_json(record: BaseModel) -> None:
    """A record as the command's result."""
    result(json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False))


def wide_console() -> Console:
    """The terminal; in a pipe or a file, one whose lines do not wrap."""
    width = None if Console().is_terminal else WIDE
    return Console(width=width, highlight=False, markup=False, emoji=False)


def print_records(
    title: str, records: Collection[Any], *fields: str, **further: Callable[[Any], object]
) -> None:
    """A table of records as the command's result, with a line under the head; nothing where there
    are none. Columns are some of their fields, then what is `further` found of each."""
    if not records:
        return
    getter = itemgetter if isinstance(next(iter(records)), dict) else attrgetter
    columns = {name: getter(name) for name in fields} | further
    rows = [{name: found(each) for name, found in columns.items()} for each in records]
    if title:
        result(title, one_line=True)
    table = Table(box=_RULED_HEAD, header_style="", padding=(0, 1, 0, 0))
    table.show_edge = table.pad_edge = False
    for name in columns:
        numbers = all(isinstance(row[name], float | int | None) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numbers else "left")
    for row in rows:
        table.add_row(*(_shown(name, value) for name, value in row.items()))
    print_rich(table)
    result("")


def _shown(name: str, value: object) -> str:
    """A value as people read it, by the unit with which the name of its field ends."""
    match value:
        case None | "" | []:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int() | float() if name.endswith("seconds"):
            return duration(value)
        case int() | float() if name.endswith("bytes"):
            return f"{value / 1e9:.1f} GB"
        case float():
            return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.4g}"
        case BaseModel():
            return " / ".join(_shown(*item) for item in value)
        case list() | tuple():
            return ", ".join(_shown(name, item) for item in value)
    return _visible(str(value), one_line=True)


def print_rich(content: RenderableType) -> None:
    """A table or text of rich as the command's result; without trailing blanks in a pipe."""
    console = wide_console()
    if console.is_terminal:
        console.print(content)
        return
    with console.capture() as printed:
        console.print(content)
    result("\n".join(line.rstrip() for line in printed.get().splitlines()))
