"""Quarto, where it is installed."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Literal

from resnet_sizes.i18n.numbers import moment
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.render.pandoc import raise_refusal

# Older ones come with a Typst that lacks `par(spacing: …)`, which our template uses, and that
# writes no tagged PDF; `pdf-standard` is new in it as well.
OLDEST = "1.9"
"""The first version that renders our `article.qmd` as it is meant."""

TIME_LIMIT = 600
"""Seconds after which a rendering is given up; it takes a few."""

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
    """Run `quarto render article.qmd` for one format.

    Raises UserError with what Quarto said, or where it takes longer than `TIME_LIMIT`, and OSError
    where it says that the disk is full or refuses.
    """
    target, ending = TARGETS[format]
    program = shutil.which("quarto")
    if program is None:  # it was there when the engine was chosen
        raise UserError("quarto is no longer on the PATH. Use: --engine pandoc")
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(int(moment(created).timestamp()))}
    command = [program, "render", "article.qmd", "--to", target]
    try:
        status, said = _run(command, folder, environment)
    except subprocess.TimeoutExpired:
        raise UserError(
            f"quarto render --to {target} was not done after {TIME_LIMIT} s and was ended. "
            "Try the embedded engine: --engine pandoc"
        ) from None
    made = folder / f"article{ending}"
    if status != 0 or not made.is_file():
        raise_refusal(said)
        raise UserError(
            f"quarto render --to {target} failed (exit status {status}):\n"
            f"{said[-2000:]}\nTry the embedded engine: --engine pandoc"
        )
    return made


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # `quarto` is a script that starts others: a session of their own ends them together.
        start_new_session=True,
    )
    with process:
        try:
            said, _ = process.communicate(timeout=TIME_LIMIT)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, said
