"""What the runs of a study have left on the disk: results, and the ends of their logs."""

import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.messages import REPEAT_RUN, shown_text
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunSettings, all_run_settings, read_study

NEVER = -math.inf

READ = 64 * 1024
"""Bytes read from the end of a log."""

LONGEST_LINE = 1000

COMMAND_ERROR = re.compile(r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )?error: ")
"""How the command begins the message with which it fails."""

ERROR_LINES = 12
"""Lines shown of that message."""


ResultState = Literal["none", "done", "outdated", "invalid"]


def read_results(
    run: RunSettings, files: RunFolder, code: str
) -> tuple[ResultState, str, Metrics | None]:
    """The state of one run's results, a note on it, and they themselves where the run is done.

    `run` is its run file, where that is in order, `code` the hash of the training code.
    Predictions are looked for and not read: the evidence does that.
    """
    try:
        metrics = read_record(files.metrics, Metrics, REPEAT_RUN)
    except UserError as error:
        return ("invalid", str(error), None) if files.metrics.exists() else ("none", "", None)
    if not files.predictions.is_file():
        return "invalid", f"{files.predictions}: is missing. Run snakemake again.", None
    if other := metrics.other_than(run, code):
        return "outdated", f"its results are of other {other}; it is trained again", None
    return "done", "", metrics


def watch_results(study: Path, interval: float) -> Iterator[tuple[int, int]]:
    """The number of runs without results and of all runs: now, and after each change of the
    results, until none is without. `study.json` is read each time: it may have changed."""
    seen: object = None
    while True:
        folder = StudyFolder.of_file(study)
        files = [folder.run(run).metrics for run in all_run_settings(read_study(study).study)]
        found = {path: written(path) for path in files}
        if found != seen:
            seen = found
            missing = sum(moment == NEVER for moment in found.values())
            yield missing, len(found)
            if not missing:
                return
        time.sleep(interval)


def written(path: Path) -> float:
    """When a file was written, in Unix time; NEVER where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return NEVER


def log_end(path: Path) -> list[str]:
    """The last lines of a log, to show, without empty ones; none where it cannot be read."""
    if not path.is_file():  # a pipe would never end
        return []
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - READ))
            text = file.read(READ).decode(errors="replace")
    except OSError:
        return []
    return [for_terminal(line) for line in text.splitlines() if line.strip()]


def error_at_end(path: Path) -> list[str]:
    """The error with which a command's log ends, as lines to show; none if there is none."""
    lines = log_end(path)
    starts = [n for n, line in enumerate(lines) if COMMAND_ERROR.match(line)]
    error = lines[starts[-1] :] if starts else []
    if len(error) > ERROR_LINES:  # of a traceback, its first line and its last ones
        error = [error[0], "…", *error[-ERROR_LINES + 2 :]]
    return error


def for_terminal(line: str) -> str:
    """A line without secrets and control characters, cut where it is very long."""
    return shown_text(line.expandtabs().rstrip(), LONGEST_LINE)
