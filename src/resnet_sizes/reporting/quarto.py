"""Quarto, where it is installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Literal

from resnet_sizes.records.errors import UserError
from resnet_sizes.reporting.numbers import moment

OLDEST = "1.4"
"""The first version with Typst output and custom float cross references."""

# Quarto's name of the format, and the ending of what it writes.
TARGETS = {"html": ("html", ".html"), "pdf": ("typst", ".pdf")}


def installed_version() -> str | None:
    """The version of the `quarto` on the PATH, or None."""
    program = shutil.which("quarto")
    if program is None:
        return None
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", answer.stdout)
    return found.group() if answer.returncode == 0 and found else None


def is_recent_enough(version: str) -> bool:
    """Whether a version is `OLDEST` or newer."""
    return _numbers(version) >= _numbers(OLDEST)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def render(folder: Path, format: Literal["html", "pdf"], created: str) -> Path:
    """Run `quarto render article.qmd` for one format. Raises UserError with what Quarto said."""
    target, ending = TARGETS[format]
    program = shutil.which("quarto")
    if program is None:  # it was there when the engine was chosen
        raise UserError("quarto is no longer on the PATH. Use: --engine pandoc")
    answer = subprocess.run(
        [program, "render", "article.qmd", "--to", target],
        cwd=folder,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(int(moment(created).timestamp()))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    made = folder / f"article{ending}"
    if answer.returncode != 0 or not made.is_file():
        raise UserError(
            f"quarto render --to {target} failed (exit status {answer.returncode}):\n"
            f"{answer.stdout[-2000:]}\nTry the embedded engine: --engine pandoc"
        )
    return made
