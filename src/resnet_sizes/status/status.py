"""The state of a study: of each of its runs, in one sentence, and when it will be done."""

import math
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import mean

import psutil

from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.operations import (
    STAGES,
    RunStage,
    RunStatus,
    SnakemakeStatus,
    StudyStatus,
)
from resnet_sizes.schemas.paths import WORK, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunSettings, all_run_settings, read_study
from resnet_sizes.status.logs import JobLogs
from resnet_sizes.status.results import read_results, written
from resnet_sizes.status.run_state import (
    SILENT_AT_FIRST,
    ObservedRun,
    is_under_way,
    newest_checkpoint,
    read_progress,
    updated,
)
from resnet_sizes.status.slurm import Jobs, read_queue
from resnet_sizes.study.staleness import planned_run

UNFINISHED: tuple[RunStage, ...] = (
    "running",
    "queued",
    "waiting",
    "outdated",
    "failed",
    "stale",
    "invalid",
)
"""In the order in which a sentence names them."""


LOOK_EVERY = 3.0
"""Seconds between two looks at a study, at least."""

ASK_EVERY = 15.0
"""Seconds between two questions to squeue: a busy scheduler has better to do."""

REST = 4
"""A look that takes long is followed by a pause of this many times its length: hundreds of runs
lie on a slow disk."""


class StudyWatch:
    """Observes one study, as often as asked."""

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
        self._code = training_code_hash()
        self._jobs = Jobs()
        self._asked = -math.inf

    def look(self) -> StudyStatus:
        """The state of each run now. Raises UserError if `study.json` cannot be read."""
        study = read_study(self._file).study
        if time.monotonic() - self._asked >= ASK_EVERY:
            self._jobs, self._asked = read_queue(self._root), time.monotonic()
        jobs, logs = self._jobs, JobLogs(self._root)
        firsts: dict[tuple[str, str], RunSettings] = {}
        seen = []
        for settings in all_run_settings(study):
            first = firsts.setdefault((settings.protocol, settings.model), settings)
            seen.append(self._run(settings, first, jobs, logs))
        runs = [run.status() for run in seen]
        found = Counter(run.state for run in runs)
        counts: dict[RunStage, int] = {state: found[state] for state in STAGES}
        left = _seconds_left(runs, [run.results.metrics for run in seen])
        return StudyStatus(
            study=study.name,
            file=str(self._file),
            looked=utc_now(),
            summary=_summary(study.name, counts, left),
            counts=counts,
            remaining_seconds=left,
            snakemake=snakemake_status(self._root),
            warnings=[jobs.problem] if jobs.problem and found["done"] < len(runs) else [],
            runs=runs,
        )

    def looks(self) -> Iterator[StudyStatus]:
        """Look again and again: until all runs are done, or until two looks in a row find nothing
        under way and something that failed. Between two jobs nothing is for a moment."""
        rested = False
        while True:
            start = time.monotonic()
            now = self.look()
            took = time.monotonic() - start
            yield now
            rests = _is_at_rest(now)
            if now.counts["done"] == len(now.runs) or (rests and rested):
                return
            rested = rests
            time.sleep(max(LOOK_EVERY, REST * took))

    def _run(
        self, settings: RunSettings, first: RunSettings, jobs: Jobs, logs: JobLogs
    ) -> ObservedRun:
        files, log = self._folder.run(settings), self._folder.training_log(settings, first)
        planned = planned_run(settings, files)
        results = read_results(settings, files, planned, self._code)
        run = ObservedRun(settings, results)
        # A log from before the run was planned is that of another run.
        planned_at = written(files.run) if planned else math.inf
        if written(log) >= planned_at:
            run.log = log
        home = self._root / WORK / content_hash(planned) if planned else None
        if home:
            run.progress, run.kept = read_progress(home), newest_checkpoint(home)
        if results.state != "done":
            run.job = jobs.of(settings, run.progress)
        if home:
            run.under_way = is_under_way(home, run.progress, run.job, jobs)
        if results.state != "done" and not run.under_way:
            run.job_logs = logs.of(self._name, settings, planned_at)
        if results.state in ("none", "outdated") and not run.job:
            heard = max(written(files.metrics), written(log), updated(run.progress))
            patience = ASK_EVERY if jobs.known else SILENT_AT_FIRST
            run.find_early_failure(heard, patience)
        return run


def snakemake_status(root: Path) -> SnakemakeStatus:
    """The Snakemake of this machine that works in `root`: the oldest, which started the others."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "create_time", "status"]):
        words = process.info["cmdline"] or []
        if not any(word.rsplit("/", 1)[-1] == "snakemake" for word in words[:3]):
            continue
        with suppress(psutil.Error, OSError):
            if root.samefile(process.cwd()) and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append((process.info["create_time"], process.info["pid"]))
    if not found:
        note = "No Snakemake is running in this folder on this machine."
        return SnakemakeStatus(state="away", note=note)
    number = min(found)[1]
    note = f"Snakemake is running (process {number})."
    return SnakemakeStatus(state="running", process=number, note=note)


def _summary(name: str, counts: Mapping[RunStage, int], left: float | None) -> str:
    """`demo: 3 of 9 runs done, 1 running, 5 waiting; about 12 min left`."""
    parts = [f"{counts['done']} of {sum(counts.values())} runs done", *_others(counts)]
    text = f"{name}: {', '.join(parts)}"
    return text if left is None else f"{text}; about {duration(left)} left"


def _others(counts: Mapping[RunStage, int]) -> list[str]:
    return [f"{counts[state]} {state}" for state in UNFINISHED if counts[state]]


def _is_at_rest(status: StudyStatus) -> bool:
    """Whether nothing is under way and something went wrong. A study that merely waits may be
    about to begin."""
    counts = status.counts
    works = counts["running"] or counts["queued"] or status.snakemake.state != "away"
    return not works and any(counts[state] for state in ("failed", "stale", "invalid"))


def last_sentence(status: StudyStatus) -> str:
    """The line with which `--watch` ends."""
    done, runs = status.counts["done"], len(status.runs)
    if done == runs:
        return "All runs are done."
    parts = [f"{done} of {runs} runs are done", *_others(status.counts)]
    return (
        f"Nothing is under way any more: {', '.join(parts)}. The plain snakemake command goes on."
    )


def _seconds_left(runs: Sequence[RunStatus], made: Sequence[Metrics | None]) -> float | None:
    """Seconds until the last run is done, if as many go on side by side as do now.

    `made` are the results of each finished run. None unless something runs, every running one has
    an estimate, and every waiting one has a finished one of its protocol and model beside it; and
    where a queue, a failure or a killed run makes it a guess.
    """
    if any(run.state in ("queued", "failed", "stale", "invalid") for run in runs):
        return None
    taken: dict[tuple[str, str], list[float]] = {}
    for run, metrics in zip(runs, made, strict=True):
        if metrics:
            seconds = sum(
                each.training_seconds + each.evaluation_seconds for each in metrics.epochs
            )
            taken.setdefault((run.protocol, run.model), []).append(seconds)
    running = [run.remaining_seconds for run in runs if run.state == "running"]
    waiting = [
        mean(taken[key]) if (key := (run.protocol, run.model)) in taken else None
        for run in runs
        if run.state in ("waiting", "outdated")
    ]
    left = [seconds for seconds in (*running, *waiting) if seconds is not None]
    if not running or len(left) < len(running) + len(waiting):
        return None
    return max(*left, sum(left) / len(running))
