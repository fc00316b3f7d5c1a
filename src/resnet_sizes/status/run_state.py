"""What one run is doing: decided here, from its files, its process and its job."""

import math
import re
import socket
import time
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_if_valid, read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.locks import is_alive, is_held
from resnet_sizes.io.messages import REPEAT_RUN, shown_text
from resnet_sizes.schemas.operations import KeptPlace, RunStage, RunStatus
from resnet_sizes.schemas.paths import PROGRESS, WORK, RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunFile, RunSettings, all_run_settings, read_study
from resnet_sizes.status.slurm import PENDING_STATES, Jobs

SILENT = 120.0
"""Seconds after which a run on another machine, of which nothing else is known, counts as gone."""

SILENT_AT_FIRST = 600.0
"""The same before its first step: a run writes nothing while it reads data and compiles."""

NO_REPORT = "it has not reported yet"

NEVER = -math.inf

READ = 64 * 1024
"""Bytes read from the end of a log."""

LONGEST_LINE = 1000

COMMAND_ERROR = re.compile(r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )?error: ")
"""How the command begins the message with which it fails."""

ERROR_LINES = 12
"""Lines shown of that message."""


class ObservedRun:
    """What is known about one run, and the state that follows from it."""

    def __init__(
        self,
        settings: RunSettings,
        first: RunSettings,
        folder: StudyFolder,
        root: Path,
        code: str,
        jobs: Jobs,
    ) -> None:
        """`first` is the run of the same protocol and model whose process may have trained it,
        `root` the working directory, where `work/` lies, `code` the hash of the training code."""
        self.settings = settings
        files = folder.run(settings)
        log = folder.training_log(settings, first)
        planned = read_if_valid(files.run, RunFile)
        if planned and planned.differing(settings):  # Snakemake writes it again
            planned = None
        found = read_results(planned or settings, files, code)
        self._result, self._result_note, self.metrics = found
        # A log from before the run was planned is that of another run.
        self.log = log if planned and written(log) >= written(files.run) else None
        self.progress: RunProgress | None = None
        self.kept: KeptPlace | None = None
        home = root / WORK / content_hash(planned) if planned else None
        if home:
            self.progress = read_if_valid(home / PROGRESS, RunProgress)
            self.kept = _newest_checkpoint(home)
        done = self._result == "done"
        self.job = None if done else jobs.of(settings, self.progress)
        self.under_way = self._is_under_way(home, jobs) if home else False

    def _is_under_way(self, home: Path, jobs: Jobs) -> bool | None:
        """Whether a process trains the run: by the process in its progress file, by its lock, by
        its scheduler, or else by the age of that file.

        None where the file is old and nothing else can be looked for.
        """
        progress = self.progress if self.progress and not self.progress.ended else None
        here = progress is not None and progress.host == socket.gethostname()
        if progress and here and is_alive(progress.process, progress.process_started):
            return True
        if is_held(home):
            return True
        if not progress or here:
            return False
        own = progress.job
        by_slurm = own is not None and own.scheduler == "slurm" and jobs.known
        if own and by_slurm and (found := jobs.by_id.get(own.id, self.job)):
            return found.state not in PENDING_STATES
        # A lock may not be seen from another machine, and squeue lists the user's own jobs alone:
        # one that it does not know may be a colleague's.
        patience = SILENT if progress.step or progress.images else SILENT_AT_FIRST
        if time.time() - _updated(progress) < patience:
            return True
        return False if by_slurm else None

    @cached_property
    def _log_end(self) -> list[str]:
        return log_end(self.log) if self.log else []

    def status(self) -> RunStatus:
        """All of it, as the command prints it."""
        state, note = self._state()
        done = state == "done"
        progress, metrics = self.progress, self.metrics if done else None
        left = progress.remaining_seconds if progress and not progress.ended else None
        if left is not None:
            left = max(0.0, left - max(0.0, time.time() - _updated(progress)))
        return RunStatus(
            run=self.settings.name,
            protocol=self.settings.protocol,
            model=self.settings.model,
            seed=self.settings.seed,
            state=state,
            note=note,
            progress=None if done else progress,
            remaining_seconds=left if state == "running" else None,
            goes_on_from=None if done else self.kept,
            job=self.job,
            test_accuracy=metrics.final_test_accuracy if metrics else None,
            training_seconds=metrics.training_seconds if metrics else None,
            log=str(self.log) if self.log else None,
            last_lines=self._last_lines() if state in ("failed", "stale") else [],
        )

    def _state(self) -> tuple[RunStage, str]:
        """The state and a note on it: the one place where that is decided."""
        progress, job = self.progress, self.job
        ended = progress.ended if progress else None
        if self.under_way:
            if progress is None or ended:
                return "running", NO_REPORT
            return "running", for_terminal(progress.detail or "")
        if self._result == "done":
            return "done", ""
        if job and job.state in PENDING_STATES:
            return "queued", job.reason or ""
        own = progress.job if progress else None
        if job and not (ended and own and own.id == job.id):
            return "running", f"its job is {job.state}; {NO_REPORT}"
        if ended == "failed" or (not ended and error_in(self._log_end)):
            return "failed", ""
        if progress and not ended:
            where = f"process {progress.process} on {progress.host}"
            gone = "is silent" if self.under_way is None else "ended without a message"
            return "stale", f"{where} {gone}; last update at {progress.updated}"
        if self._result in ("invalid", "outdated"):
            return self._result, self._result_note
        # Why it stopped: the place it goes on from is known from its checkpoint.
        message = (progress.message if progress else None) or ""
        cause = re.search(r"stopped (?:at once )?by (.+?)(?= in epoch \d|[.;] |$)", message)
        return "waiting", for_terminal(cause[0] if cause else message)

    def _last_lines(self) -> list[str]:
        """Lines that tell why a run failed, or how far one came that ended without a message."""
        message = (self.progress.message if self.progress else None) or ""
        told = [for_terminal(line) for line in message.splitlines()]
        return error_in(self._log_end) or told or self._log_end[-2:]


def _newest_checkpoint(home: Path) -> KeptPlace | None:
    names = sorted(path.stem for path in home.glob("epoch-*-step-*.safetensors"))
    found = re.fullmatch(r"epoch-(\d+)-step-(\d+)", names[-1]) if names else None
    return KeptPlace(epoch=int(found[1]), step=int(found[2])) if found else None


def _updated(progress: RunProgress | None) -> float:
    """When it was written, in Unix time; NEVER where there is none."""
    try:
        moment = datetime.fromisoformat(progress.updated) if progress else None
    except ValueError:
        moment = None
    return moment.timestamp() if moment and moment.tzinfo else NEVER


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


def error_in(lines: list[str]) -> list[str]:
    """The error with which a command's log ends, as lines to show; none if there is none."""
    starts = [n for n, line in enumerate(lines) if COMMAND_ERROR.match(line)]
    error = lines[starts[-1] :] if starts else []
    if len(error) > ERROR_LINES:  # of a traceback, its first line and its last ones
        error = [error[0], "…", *error[-ERROR_LINES + 2 :]]
    return error


def for_terminal(line: str) -> str:
    """A line without secrets and control characters, cut where it is very long."""
    return shown_text(line.expandtabs().rstrip(), LONGEST_LINE)
