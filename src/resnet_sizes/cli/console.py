"""What a command prints: on the terminal, and in its log where `--log` names one."""

import json
import logging
import sys
from io import TextIOWrapper
from pathlib import Path

import typer
from pydantic import BaseModel
from rich.box import Box
from rich.console import Console, RenderableType
from rich.table import Column, Table

log = logging.getLogger("resnet_sizes")

WIDE = 2000
"""Characters of a line in a pipe or a file: a row of a table is one line, however long."""

_RULED_HEAD = Box("    \n    \n----\n" + "    \n" * 5)


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
    terminal.setFormatter(logging.Formatter("%(message)s"))
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


def result(text: str) -> None:
    """What the command was asked for (a path, a configuration): standard output, for pipes."""
    typer.echo(text)


def result_json(record: BaseModel) -> None:
    """A record as the command's result."""
    result(json.dumps(record.model_dump(mode="json"), indent=2, ensure_ascii=False))


def wide_console() -> Console:
    """The terminal; in a pipe or a file, one whose lines do not wrap."""
    width = None if Console().is_terminal else WIDE
    return Console(width=width, highlight=False, markup=False, emoji=False)


def ruled_table(*columns: Column | str) -> Table:
    """A table without rows yet, with a line under the head and blanks between columns."""
    table = Table(*columns, box=_RULED_HEAD, header_style="", padding=(0, 1, 0, 0))
    table.show_edge = table.pad_edge = False
    return table


def print_rich(content: RenderableType) -> None:
    """A table or text of rich as the command's result; without trailing blanks in a pipe."""
    console = wide_console()
    if console.is_terminal:
        console.print(content)
        return
    with console.capture() as printed:
        console.print(content)
    result("\n".join(line.rstrip() for line in printed.get().splitlines()))
