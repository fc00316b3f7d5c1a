"""What a command prints: on the terminal, and in its log where `--log` names one."""

import logging
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import typer
from rich.box import Box
from rich.console import Console, RenderableType
from rich.table import Column, Table

_log = logging.getLogger("resnet_sizes")


def start_logging(path: Path | None) -> None:
    """Send messages to the terminal's standard error, and to `path` from its beginning."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal with few letters, or a name that is no UTF-8, is no reason for a traceback.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _log.handlers.clear()
    _log.setLevel(logging.INFO)
    _log.propagate = False
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter("%(message)s"))
    _log.addHandler(terminal)
    # A log on a full disk is no reason to print a traceback for each message.
    logging.raiseExceptions = False
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = logging.FileHandler(path, mode="w", encoding="utf-8")
        except OSError as error:
            _log.warning("warning: %s: cannot be written (%s)", path, error.strerror)
            return
        file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
        _log.addHandler(file)


def say(message: str) -> None:
    """Progress and notes, for people: standard error and the log."""
    _log.info(message)


def result(text: str) -> None:
    """What the command was asked for (a path, a configuration): standard output, for pipes."""
    typer.echo(text)


def complain(message: str) -> None:
    """An error that the reader can correct."""
    _log.error("error: %s", message)


def leave_at_once(status: int) -> NoReturn:
    """End the process without the interpreter's cleanup, which takes seconds once torch is there:
    whatever asked a run to stop may not wait for it."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


def complain_with_traceback() -> None:
    """A fault of this program: the traceback goes to the log."""
    _log.exception("error: this should not have happened; please report it with these lines:")


WIDE = 2000
"""Characters of a line in a pipe or a file: a row of a table is one line, however long."""


def wide_console() -> Console:
    """The terminal; in a pipe or a file, one whose lines do not wrap."""
    width = None if Console().is_terminal else WIDE
    return Console(width=width, highlight=False, markup=False, emoji=False)


_RULED_HEAD = Box("    \n    \n----\n" + "    \n" * 5)


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
