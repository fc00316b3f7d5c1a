"""Quarto, where it is installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from resnet_sizes.i18n.numbers import moment
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.render import pandoc
from resnet_sizes.schemas.study.study import ReportFormat

# Older ones come with a Typst that lacks `par(spacing: …)`, which our template uses, and that
# writes no tagged PDF; `pdf-standard` is new in it as well.
OLDEST = "1.9"
"""The first version that renders our `article.qmd` as it is meant."""

TIME_LIMIT = 600
"""Seconds after which a rendering is given up; it takes a few."""

VERSION_TIME_LIMIT = 60
"""Seconds after which a `quarto` that does not tell its version is given up."""

REMEDY = (
    "The embedded engine needs no Quarto: set report.engine to pandoc in the configuration, or "
    "call resnet-sizes report with --engine pandoc."
)


class QuartoUnusableError(Exception):
    """The `quarto` on the PATH renders nothing; the message says why, as part of a sentence."""


def usable_version() -> str:
    """The version of the `quarto` on the PATH.

    Raises QuartoUnusableError where there is none, where it does not run, as one that was built
    for another processor, and where it is older than `OLDEST`.
    """
    program = _program()
    status, said = _run([program, "--version"], VERSION_TIME_LIMIT)
    found = re.search(r"^\d+(\.\d+)+", said, re.MULTILINE)
    if status != 0 or not found:
        raise QuartoUnusableError(
            f"{program} does not run ('quarto --version' ended with exit status {status} and "
            f"{'no' if not found else 'a'} version)"
        )
    version = found.group()
    own, oldest = ([int(part) for part in text.split(".")] for text in (version, OLDEST))
    if own < oldest:
        raise QuartoUnusableError(f"{program} is version {version}")
    return version


def _program() -> str:
    found = shutil.which("quarto")
    if found is None:
        raise QuartoUnusableError("it is not on the PATH")
    return str(Path(found).absolute())  # the PATH may name folders from the working directory


def render(folder: Path, format: ReportFormat, created: str) -> Path:
    """Run `quarto render article.qmd` for one format. Those of `MANUSCRIPTS` are made by the
    embedded engine here too.

    Raises UserError with what Quarto said, or where it takes longer than `TIME_LIMIT`, and OSError
    where it says that the disk is full or refuses.
    """
    if format in pandoc.MANUSCRIPTS:
        return pandoc.render(folder, format, created)
    target = "typst" if format == "pdf" else "html"
    command = ["render", "article.qmd", "--to", target]
    # Neither the fonts of the machine nor what a user sets for Typst changes the pages.
    environment = {name: text for name, text in os.environ.items() if name[:6] != "TYPST_"}
    environment["TYPST_IGNORE_SYSTEM_FONTS"] = "true"
    environment["SOURCE_DATE_EPOCH"] = str(int(moment(created).timestamp()))
    try:
        status, said = _run([_program(), *command], TIME_LIMIT, cwd=folder, env=environment)
    except QuartoUnusableError as error:
        raise UserError(f"quarto {' '.join(command)}: {error}. {REMEDY}") from None
    made = folder / f"article.{format}"
    if status != 0 or not made.is_file():
        pandoc.raise_refusal(said)
        raise UserError(
            f"quarto render --to {target} failed (exit status {status}):\n{_errors(said)}\n{REMEDY}"
        )
    return made


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_SHOWN = 12


def _errors(said: str) -> str:
    """What Quarto said from its first error on, in whole lines and without Deno's stack."""
    lines = [line for line in said.splitlines() if line.strip() and not re.match(r"\s+at ", line)]
    first = next((n for n, line in enumerate(lines) if "error" in line.lower()), -_SHOWN)
    return "\n".join(lines[first:][:_SHOWN])


def _run(command: list[str], limit: int, **options: Any) -> tuple[int, str]:
    """The exit status of a command, with options of Popen, and what it said, without colours."""
    try:
        done = subprocess.run(
            command,
            **options,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=limit,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = getattr(error, "strerror", None) or f"it was not done after {limit} s"
        raise QuartoUnusableError(f"{command[0]} does not run ({why})") from None
    return done.returncode, _COLOURS.sub("", done.stdout)
