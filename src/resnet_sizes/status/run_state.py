"""What one run is doing: decided here, from its files, its process and its job."""

import math
import re
import socket
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.locks import is_alive, is_held
from resnet_sizes.schemas.operations import KeptPlace, RunStage, RunStatus
from resnet_sizes.schemas.paths import PROGRESS, WORK, StudyFolder
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.status.logs import JobLog, JobLogs, error_at_end, for_terminal, log_end
from resnet_sizes.status.results import NEVER, read_results, written
from resnet_sizes.status.slurm import PENDING_STATES, Jobs
from resnet_sizes.study.staleness import planned_run

SILENT = 120.0
"""Seconds after which a run on another machine, of which nothing else is known, counts as gone."""

SILENT_AT_FIRST = 600.0
"""The same before its first step: a run writes nothing while it reads data and compiles."""

ASK_EVERY = 15.0
"""Seconds between two questions to squeue: a busy scheduler has better to do."""

NO_REPORT = "it has not reported yet"


@dataclass(frozen=True)
class Look:
    """What one look at a study finds that its runs have in common."""

    folder: StudyFolder
    root: Path
    """The working directory, where `work/` lies."""
    name: str
    """The study's, as in `results/<name>`."""
    code: str
    """The hash of the training code."""
    jobs: Jobs
    logs: JobLogs


class ObservedRun:
    """What is known about one run, and the state that follows from it."""

    def __init__(self, settings: RunSettings, first: RunSettings, look: Look) -> None:
        """`first` is the run of the same protocol and model whose process may have trained it."""
        self.settings = settings
        files = look.folder.run(settings)
        log = look.folder.training_log(settings, first)
        planned = planned_run(settings, files)
        # A log from before the run was planned is that of another run.
        planned_at = written(files.run) if planned else math.inf
        self.results = read_results(settings, files, planned, look.code)
        self.log = log if written(log) >= planned_at else None
        self.progress: RunProgress | None = None
        self.kept: KeptPlace | None = None
        home = look.root / WORK / content_hash(planned) if planned else None
        if home:
            self.progress, self.kept = _progress(home), _newest_checkpoint(home)
        done = self.results.state == "done"
        self.job = None if done else look.jobs.of(settings, self.progress)
        self.under_way = self._is_under_way(home, look.jobs) if home else False
        self.job_logs: list[JobLog] = []
        """Of a run that is neither done nor under way, the newest first."""
        if not done and not self.under_way:
            self.job_logs = look.logs.of(look.name, settings, planned_at)
        self.early_failure: JobLog | None = None
        """The newest of these, where its job failed before the run printed a line."""
        if self.results.state in ("none", "outdated") and not self.job:
            heard = max(written(files.metrics), written(log), _updated(self.progress))
            patience = ASK_EVERY if look.jobs.known else SILENT_AT_FIRST
            for newest in self.job_logs[:1]:
                unheard = newest.written > heard and newest.job != self._own_job()
                if unheard and newest.failed_early(settings, patience):
                    self.early_failure = newest

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

    def status(self) -> RunStatus:
        """All of it, as the command prints it."""
        state, note = self._state()
        done, unwell = state == "done", state in ("failed", "stale")
        progress, metrics = self.progress, self.results.metrics if done else None
        left = progress.remaining_seconds if progress and not progress.ended else None
        if left is not None:
            left = max(0.0, left - max(0.0, time.time() - _updated(progress)))
        job_log = self._last_job_log() if unwell else None
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
            scheduler_log=str(job_log.path) if job_log else None,
            last_lines=self._last_lines(state, job_log) if unwell else [],
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
        # Why it stopped: the place it goes on from is known from its checkpoint.
        message = (progress.message if progress else None) or ""
        cause = re.search(r"stopped (?:at once )?by (.+?)(?= in epoch \d|[.;] |$)", message)
        return "waiting", for_terminal(cause[0] if cause else message)

    def _own_job(self) -> str | None:
        return self.progress.job.id if self.progress and self.progress.job else None

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


def _progress(home: Path) -> RunProgress | None:
    try:
        return read_record(home / PROGRESS, RunProgress, "")
    except UserError:
        return None


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
