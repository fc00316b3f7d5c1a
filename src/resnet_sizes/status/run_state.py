"""What one run is doing: decided here, from its files, its process and its job."""

import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.locks import is_alive, is_held
from resnet_sizes.schemas.operations import KeptPlace, QueuedJob, RunStage, RunStatus
from resnet_sizes.schemas.paths import PROGRESS
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.status.logs import JobLog, error_at_end, for_terminal, log_end
from resnet_sizes.status.results import NEVER, Results
from resnet_sizes.status.slurm import PENDING_STATES, Jobs

SILENT = 120.0
"""Seconds after which a run on another machine, of which nothing else is known, counts as gone."""

SILENT_AT_FIRST = 600.0
"""The same before its first step: a run writes nothing while it reads data and compiles."""

NO_REPORT = "it has not reported yet"


@dataclass
class ObservedRun:
    """What is known about one run, and the state that follows from it."""

    settings: RunSettings
    results: Results
    progress: RunProgress | None = None
    kept: KeptPlace | None = None
    job: QueuedJob | None = None
    under_way: bool | None = False
    """As `is_under_way` tells it."""
    log: Path | None = None
    """The log of its last attempt, where Snakemake started that."""
    job_logs: Sequence[JobLog] = ()
    """The logs of a run that is neither done nor under way, the newest first."""
    early_failure: JobLog | None = None
    """The newest of these, where its job failed before the run printed a line."""

    def status(self) -> RunStatus:
        state, note = self._state()
        done = state == "done"
        metrics = self.results.metrics if done else None
        job_log = self._last_job_log() if state in ("failed", "stale") else None
        return RunStatus(
            run=self.settings.name,
            protocol=self.settings.protocol,
            model=self.settings.model,
            seed=self.settings.seed,
            state=state,
            note=note,
            progress=None if done else self.progress,
            remaining_seconds=_remaining(self.progress) if state == "running" else None,
            goes_on_from=None if done else self.kept,
            job=self.job,
            test_accuracy=metrics.final_test_accuracy if metrics else None,
            training_seconds=metrics.training_seconds if metrics else None,
            log=str(self.log) if self.log else None,
            scheduler_log=str(job_log.path) if job_log else None,
            last_lines=self._last_lines(state, job_log) if state in ("failed", "stale") else [],
        )

    def _state(self) -> tuple[RunStage, str]:
        """The state and a note on it: the one place where that is decided."""
        progress, job = self.progress, self.job
        ended = progress.ended if progress else None
        if self.under_way:
            if progress is None or ended:
                return "running", NO_REPORT
            return "running", for_terminal(progress.detail or "")
        if self.results.state == "done":
            return "done", ""
        if job and job.state in PENDING_STATES:
            return "queued", job.reason or ""
        if job and not (ended and self._own_job() == job.id):
            return "running", f"its job is {job.state}; {NO_REPORT}"
        if self.early_failure:
            number = self.early_failure.job
            return "failed", f"its job {number} ended before the run could report"
        if ended == "failed" or (not ended and self.log and error_at_end(self.log)):
            return "failed", ""
        if progress and not ended:
            where = f"process {progress.process} on {progress.host}"
            gone = "is silent" if self.under_way is None else "ended without a message"
            return "stale", f"{where} {gone}; last update at {progress.updated}"
        if self.results.state in ("invalid", "outdated"):
            return self.results.state, self.results.note
        return "waiting", _why_stopped(progress.message or "") if progress else ""

    def _own_job(self) -> str | None:
        return self.progress.job.id if self.progress and self.progress.job else None

    def find_early_failure(self, heard: float, patience: float) -> None:
        """Set `early_failure`. `heard` is the Unix time of everything that the run wrote;
        `patience` as in `JobLog.failed_early`."""
        for log in self.job_logs[:1]:
            unheard = log.written > heard and log.job != self._own_job()
            if unheard and log.failed_early(self.settings, patience):
                self.early_failure = log

    def _last_job_log(self) -> JobLog | None:
        own = [log for log in self.job_logs if log.job == self._own_job()]
        return self.early_failure or next(iter([*own, *self.job_logs]), None)

    def _last_lines(self, state: RunStage, job_log: JobLog | None) -> list[str]:
        """Lines that tell why a run failed, or how far one came that ended without a message."""
        if self.early_failure:
            return self.early_failure.cause()
        lines = error_at_end(self.log) if self.log else []
        if not lines and self.progress and self.progress.message:
            lines = [for_terminal(line) for line in self.progress.message.splitlines()]
        if not lines and self.log:
            lines = [for_terminal(line) for line in log_end(self.log)[-2:]]
        if job_log and (state == "stale" or not lines):
            lines += job_log.cause()
        return lines


def _why_stopped(message: str) -> str:
    """The cause alone: the place it goes on from is known from its checkpoint."""
    found = re.search(r"stopped (?:at once )?by (.+?)(?= in epoch \d|[.;] |$)", message)
    return for_terminal(found[0] if found else message)


def _remaining(progress: RunProgress | None) -> float | None:
    if progress is None or progress.ended or progress.remaining_seconds is None:
        return None
    since = max(0.0, time.time() - updated(progress))
    return max(0.0, progress.remaining_seconds - since)


def is_under_way(
    home: Path, progress: RunProgress | None, job: QueuedJob | None, jobs: Jobs
) -> bool | None:
    """Whether a process trains the run: by the process in its progress file, by its lock, by its
    scheduler, or else by the age of that file.

    None where the file is old and nothing else can be looked for.
    """
    lives = progress is not None and not progress.ended
    here = progress is not None and progress.host == socket.gethostname()
    if progress and lives and here and is_alive(progress.process, progress.process_started):
        return True
    if is_held(home):
        return True
    if not progress or not lives or here:
        return False
    own = progress.job
    by_slurm = own is not None and own.scheduler == "slurm" and jobs.known
    if own and by_slurm:
        found = jobs.by_id.get(own.id, job)
        if found is not None:
            return found.state not in PENDING_STATES
    # A lock may not be seen from another machine, and squeue lists the user's own jobs alone:
    # one that it does not know may be a colleague's.
    steps = progress.step or progress.images
    if time.time() - updated(progress) < (SILENT if steps else SILENT_AT_FIRST):
        return True
    return False if by_slurm else None


def read_progress(home: Path) -> RunProgress | None:
    try:
        return read_record(home / PROGRESS, RunProgress, "")
    except UserError:
        return None


def newest_checkpoint(home: Path) -> KeptPlace | None:
    names = sorted(path.stem for path in home.glob("epoch-*-step-*.safetensors"))
    found = re.fullmatch(r"epoch-(\d+)-step-(\d+)", names[-1]) if names else None
    return KeptPlace(epoch=int(found[1]), step=int(found[2])) if found else None


def updated(progress: RunProgress | None) -> float:
    """When it was written, in Unix time; NEVER where there is none."""
    try:
        moment = datetime.fromisoformat(progress.updated) if progress else None
    except ValueError:
        moment = None
    return moment.timestamp() if moment and moment.tzinfo else NEVER
