"""Whether a run's results are those that the study asks for."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.messages import REPEAT_RUN
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile, RunSettings, all_run_settings, read_study
from resnet_sizes.study.staleness import differing

NEVER = -math.inf


@dataclass(frozen=True)
class Results:
    """What a run's folder holds."""

    state: Literal["none", "done", "outdated", "invalid"]
    note: str = ""
    test_accuracy: float | None = None
    training_seconds: float | None = None
    seconds: float = 0.0
    """Training and evaluation."""


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


class ResultsReader:
    """Judges results, and again only when their files have changed."""

    def __init__(self) -> None:
        self._judged: dict[Path, tuple[object, Results]] = {}
        self._code = training_code_hash()

    def read(self, settings: RunSettings, files: RunFolder, planned: RunFile | None) -> Results:
        """The state of one run's results; `planned` is its run file, where that is in order.

        Predictions are looked for and not read: the evidence does that.
        """
        try:
            stamp = files.metrics.stat().st_mtime_ns, files.predictions.is_file(), settings, planned
        except OSError:
            return Results("none")
        known = self._judged.get(files.metrics)
        if known is None or known[0] != stamp:
            known = stamp, self._judge(settings, files, planned)
            self._judged[files.metrics] = known
        return known[1]

    def _judge(self, settings: RunSettings, files: RunFolder, planned: RunFile | None) -> Results:
        try:
            metrics = read_record(files.metrics, Metrics, REPEAT_RUN)
        except UserError as error:
            return Results("invalid", str(error)) if files.metrics.exists() else Results("none")
        if not files.predictions.is_file():
            return Results("invalid", f"{files.predictions}: is missing. Run snakemake again.")
        difference = self._difference(metrics, settings, planned)
        if difference:
            return Results("outdated", f"its results are of {difference}; it is trained again")
        return Results(
            "done",
            test_accuracy=metrics.final_test_accuracy,
            training_seconds=metrics.training_seconds,
            seconds=sum(each.training_seconds + each.evaluation_seconds for each in metrics.epochs),
        )

    def _difference(
        self, metrics: Metrics, settings: RunSettings, planned: RunFile | None
    ) -> str | None:
        fields = differing(metrics.run, settings)
        if fields:
            return f"other settings ({', '.join(fields)})"
        if planned is not None and metrics.run != planned:
            same_data = metrics.run.dataset_identity == planned.dataset_identity
            return "other settings or initial weights" if same_data else "other data"
        if metrics.code.training_hash != self._code:
            return "another version of the training code"
        return None
