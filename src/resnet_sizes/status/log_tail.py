"""The ends of logs."""

import re
from pathlib import Path

from resnet_sizes.io.messages import without_secrets

READ = 64 * 1024
"""Bytes from a log's end that are looked at."""

ERROR = re.compile(r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )?error: ")
"""How the command begins what ends it."""

SHOWN = 12
"""Lines of an error that are shown."""

LONGEST_LINE = 1000


def end_of(path: Path) -> list[str]:
    """The last lines of a log, without empty ones; none where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - READ))
            text = file.read(READ).decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def error_at_end(path: Path) -> list[str]:
    """The error with which a command's log ends, as lines to show; none if there is none."""
    lines = end_of(path)
    starts = [
        number for number, line in enumerate(lines) if "error: " in line and ERROR.match(line)
    ]
    if not starts:
        return []
    error = lines[starts[-1] :]
    if len(error) > SHOWN:  # of a traceback, where it began and what it came to
        error = [error[0], "…", *error[-SHOWN + 2 :]]
    return [for_terminal(line) for line in error]


def last_lines(path: Path, count: int = 5) -> list[str]:
    """The last lines of any log, to show."""
    return [for_terminal(line) for line in end_of(path)[-count:]]


def for_terminal(line: str) -> str:
    """A line without characters that steer a terminal, without secrets, and not without end."""
    text = without_secrets(line.expandtabs().rstrip()[:LONGEST_LINE])
    return text if text.isprintable() else ascii(text)[1:-1]
