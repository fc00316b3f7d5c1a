"""Whether a run's results are those that the study asks for."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.messages import REPEAT_RUN
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile, RunSettings, all_run_settings, read_study

NEVER = -math.inf


@dataclass(frozen=True)
class Results:
    """What a run's folder holds."""

    state: Literal["none", "done", "outdated", "invalid"]
    note: str = ""
    metrics: Metrics | None = None
    """Of a run that is done."""


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


def read_results(
    settings: RunSettings, files: RunFolder, planned: RunFile | None, code: str
) -> Results:
    """The state of one run's results; `planned` is its run file, where that is in order, and `code`
    the hash of the training code.

    Predictions are looked for and not read: the evidence does that.
    """
    try:
        metrics = read_record(files.metrics, Metrics, REPEAT_RUN)
    except UserError as error:
        return Results("invalid", str(error)) if files.metrics.exists() else Results("none")
    if not files.predictions.is_file():
        return Results("invalid", f"{files.predictions}: is missing. Run snakemake again.")
    fields = metrics.run.differing(settings)
    if fields:
        other = f"settings ({', '.join(fields)})"
    elif planned and metrics.run.dataset_identity != planned.dataset_identity:
        other = "data"
    elif planned and metrics.run != planned:
        other = "settings or initial weights"
    elif metrics.code.training_hash != code:
        other = "training code"
    else:
        return Results("done", metrics=metrics)
    return Results("outdated", f"its results are of other {other}; it is trained again")
