"""What each run of a study is doing: decided here, from its files, its process and its job."""

import math
import os
import re
import socket
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import PROGRESS, WORK, StudyFolder
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunSettings, all_run_settings
from resnet_sizes.schemas.status import (
    STAGES,
    KeptPlace,
    QueuedJob,
    RunStage,
    RunStatus,
    StudyStatus,
)
from resnet_sizes.status.liveness import age, is_under_way, last_word
from resnet_sizes.status.log_tail import error_at_end, for_terminal, last_lines
from resnet_sizes.status.run_results import Results, ResultsReader, planned_run
from resnet_sizes.status.scheduler_logs import JobLog, JobLogs, cause, newest_of_study, of_mute_job
from resnet_sizes.status.scheduler_queue import WAITS, Jobs, SchedulerQueue
from resnet_sizes.status.snakemake_state import recorded_jobs, snakemake_status
from resnet_sizes.status.status_summary import seconds_left, summary
from resnet_sizes.study.plan import read_study


@dataclass(frozen=True)
class _Around:
    """What is known of the jobs of all runs, at one look."""

    jobs: Jobs
    recorded: Mapping[str, str]
    """By outputs, where anything is in the queue."""
    taken: frozenset[str]
    """Their numbers."""
    logs: JobLogs


@dataclass(frozen=True)
class _Traces:
    """What there is to judge one run by."""

    settings: RunSettings
    results: Results
    progress: RunProgress | None
    runs: bool | None
    """Whether it is under way; None where a sign of life is missing and it cannot be looked for."""
    job: QueuedJob | None
    kept: KeptPlace | None
    log: Path | None
    """Of its last attempt, where Snakemake started that."""
    job_logs: list[JobLog]
    """Of a run that is neither done nor under way, the newest last."""
    mute: JobLog | None
    """The last of these, where its job failed before the run could tell of itself."""


class StudyWatch:
    """Looks at one study, as often as wanted."""

    def __init__(self, study: Path) -> None:
        """`study` is its `study.json`."""
        self._file = study
        self._folder = StudyFolder.of_file(study)
        # Links stay what they are: results/ may be one, and what lies beside it is wanted.
        absolute = Path(os.path.abspath(study))  # noqa: PTH100
        # results/<name>/study.json, wherever it is looked at from.
        usual = absolute.parent.parent.name == "results"
        self._root = absolute.parents[2] if usual else Path.cwd()
        self._name = absolute.parent.name
        self._results = ResultsReader()
        self._queue = SchedulerQueue(self._root)

    def look(self) -> StudyStatus:
        """The state of each run now. Raises UserError if `study.json` cannot be read."""
        study = read_study(self._file).study
        jobs = self._queue.jobs()
        recorded = recorded_jobs(self._root) if jobs.by_id else {}
        around = _Around(jobs, recorded, frozenset(recorded.values()), JobLogs(self._root))
        traces = [self._traces(settings, around) for settings in all_run_settings(study)]
        runs = [self._judged(each) for each in traces]
        found = Counter(run.state for run in runs)
        counts: dict[RunStage, int] = {state: found[state] for state in STAGES}
        left = seconds_left(runs, [each.results.seconds for each in traces])
        return StudyStatus(
            study=study.name,
            file=str(self._file),
            looked=utc_now(),
            summary=summary(study.name, counts, left),
            counts=counts,
            remaining_seconds=left,
            snakemake=snakemake_status(self._root, Path("results") / study.name, _parents(traces)),
            warnings=[jobs.problem] if jobs.problem and found["done"] < len(runs) else [],
            runs=runs,
        )

    def _traces(self, settings: RunSettings, around: _Around) -> _Traces:
        files = self._folder.run(settings)
        planned = planned_run(settings, files)
        results = self._results.read(settings, files, planned)
        progress = kept = None
        runs: bool | None = False
        job = None
        if planned is not None:
            home = self._root / WORK / content_hash(planned)
            progress = _read_progress(home)
            kept = _newest_checkpoint(home)
        output = StudyFolder.of(self._name).run(settings).metrics  # as the rules name it
        recorded = around.recorded.get(output.as_posix())
        if results.state != "done":
            told = progress.job.id if progress and progress.job else None
            job = around.jobs.of(settings, recorded, told, around.taken)
        if planned is not None:
            runs = is_under_way(home, progress, job, around.jobs)
        training_log = self._folder.training_log(settings)
        # A log from before the run was planned is that of another run.
        planned_at = _written(files.run) if planned else math.inf
        logs: list[JobLog] = []
        if planned is not None and not runs and results.state != "done":
            others = around.taken if recorded is None else around.taken - {recorded}
            logs = [log for log in around.logs.of(settings, planned_at) if log.job not in others]
        mute = None
        if logs and job is None and results.state in ("none", "outdated"):
            told_at = _written(files.metrics), _written(training_log), last_word(progress)
            later = [log for log in logs if log.written > max(told_at)]
            mute = of_mute_job(settings, self._name, progress, later, around.jobs)
        return _Traces(
            settings=settings,
            results=results,
            progress=progress,
            runs=runs,
            job=job,
            kept=kept,
            log=training_log if _written(training_log) >= planned_at else None,
            job_logs=logs,
            mute=mute,
        )

    def _judged(self, traces: _Traces) -> RunStatus:
        state, note = _state(traces)
        settings, results, progress = traces.settings, traces.results, traces.progress
        under_way = state == "running"
        scheduler_log = None
        lines: list[str] = []
        if state in ("failed", "stale"):
            scheduler_log = self._scheduler_log(traces)
            lines = _why(state, traces, scheduler_log)
        return RunStatus(
            run=settings.name,
            protocol=settings.protocol,
            model=settings.model,
            seed=settings.seed,
            state=state,
            note=note,
            progress=None if state == "done" else progress,
            remaining_seconds=_remaining(progress) if under_way else None,
            goes_on_from=None if state == "done" else traces.kept,
            job=traces.job,
            test_accuracy=results.test_accuracy if state == "done" else None,
            training_seconds=results.training_seconds if state == "done" else None,
            log=str(traces.log) if traces.log else None,
            scheduler_log=str(scheduler_log.path) if scheduler_log else None,
            last_lines=lines,
        )

    def _scheduler_log(self, traces: _Traces) -> JobLog | None:
        """What was kept of the last job's output."""
        job = traces.progress.job if traces.progress else None
        own = [log for log in traces.job_logs if job and log.job == job.id]
        if traces.mute or own:
            return traces.mute or own[-1]
        return newest_of_study(traces.job_logs, self._name, traces.settings)


def _state(traces: _Traces) -> tuple[RunStage, str]:
    """The state of a run and a note on it: the one place where that is decided."""
    results, progress, job = traces.results, traces.progress, traces.job
    if traces.runs:
        return "running", _what_it_does(progress)
    if results.state == "done":
        return "done", ""
    if job is not None:
        if job.state in WAITS:
            return "queued", job.reason or ""
        if not (progress and progress.ended and progress.job and progress.job.id == job.id):
            return "running", f"its job is {job.state}; it has not told of itself yet"
    if traces.mute:
        return "failed", f"its job {traces.mute.job} ended before the run could tell of itself"
    ended = progress.ended if progress else None
    if progress and ended == "failed":
        return "failed", ""
    if traces.log and (not ended) and error_at_end(traces.log):
        return "failed", ""
    if progress and not ended:
        return "stale", _how_it_went(progress, traces.runs)
    if results.state in ("invalid", "outdated"):
        return results.state, results.note
    return "waiting", _why_stopped(progress.message or "") if progress and ended else ""


def _why_stopped(message: str) -> str:
    """The cause alone: the place it goes on from is known from its checkpoint."""
    found = re.search(r"stopped (?:at once )?by (.+?)(?= in epoch \d|[.;] |$)", message)
    return for_terminal(found[0] if found else message)


def _what_it_does(progress: RunProgress | None) -> str:
    if progress is None or progress.ended:
        return "it has not told of itself yet"
    return for_terminal(progress.detail or "")


def _how_it_went(progress: RunProgress, runs: bool | None) -> str:
    where = f"process {progress.process} on {progress.host}"
    gone = "is silent" if runs is None else "ended"
    return f"{where} {gone} without a word, last heard of at {progress.updated}"


def _remaining(progress: RunProgress | None) -> float | None:
    if progress is None or progress.ended or progress.remaining_seconds is None:
        return None
    return max(0.0, progress.remaining_seconds - max(0.0, age(progress)))


def _why(state: RunStage, traces: _Traces, scheduler_log: JobLog | None) -> list[str]:
    """Lines that tell why a run failed, or how far one came that ended without a word."""
    if traces.mute:
        return cause(traces.mute)
    lines = error_at_end(traces.log) if traces.log else []
    progress = traces.progress
    if not lines and progress and progress.message:
        lines = [for_terminal(line) for line in progress.message.splitlines()]
    if not lines and traces.log:
        lines = last_lines(traces.log, 2)
    if scheduler_log and (state == "stale" or not lines):
        lines += cause(scheduler_log)
    return lines


def _read_progress(home: Path) -> RunProgress | None:
    path = home / PROGRESS
    if not path.exists():
        return None
    try:
        return read_record(path, RunProgress, "")
    except UserError:
        return None


def _newest_checkpoint(home: Path) -> KeptPlace | None:
    names = sorted(path.stem for path in home.glob("epoch-*-step-*.safetensors"))
    found = re.fullmatch(r"epoch-(\d+)-step-(\d+)", names[-1]) if names else None
    return KeptPlace(epoch=int(found[1]), step=int(found[2])) if found else None


def _written(path: Path) -> float:
    """Unix time; the beginning of time where it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return -math.inf


def _parents(traces: list[_Traces]) -> list[int]:
    """The Snakemakes of this machine that runs under way have named."""
    here = socket.gethostname()
    found = set()
    for each in traces:
        if each.runs and each.progress and each.progress.parent:
            host, _, process = each.progress.parent.rpartition(":")
            if host == here and process.isdecimal():
                found.add(int(process))
    return sorted(found)
