"""What a command says: on the terminal, and in its log where `--log` names one."""

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

_log = logging.getLogger("resnet_sizes")


def start_logging(path: Path | None) -> None:
    """Send messages to the terminal's standard error, and to `path` from its beginning."""
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
    """An error that the reader can mend."""
    _log.error("error: %s", message)


def leave_at_once(status: int) -> NoReturn:
    """End the process without taking everything apart, which takes seconds once torch is there:
    who asked a run to stop may not have them."""
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


def complain_with_traceback() -> None:
    """An error of ours: the traceback belongs into the log."""
    _log.exception("error: this should not have happened; please report it with these lines:")
