"""The state of a study: of each of its runs, in one sentence, and when it will be done."""

import math
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import mean

import psutil

from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.messages import duration
from resnet_sizes.schemas import operations as records
from resnet_sizes.schemas.base import utc_now
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunSettings, all_run_settings, read_study
from resnet_sizes.status.run_state import ObservedRun
from resnet_sizes.status.slurm import Jobs, read_queue

WRONG: tuple[records.RunStage, ...] = ("failed", "stale", "invalid")
"""What does not go on by itself."""

UNFINISHED: tuple[records.RunStage, ...] = ("running", "queued", "waiting", "outdated", *WRONG)
"""In the order in which a sentence names them."""

ASK_EVERY = 15.0
"""Seconds between two questions to squeue: a busy scheduler has better to do."""

LOOK_EVERY = 3.0
"""Seconds between two looks at a study, at least."""

REST = 4
"""A look that takes long is followed by a pause of this many times its length: hundreds of runs
lie on a slow disk."""


class StudyWatch:
    """Observes one study, as often as asked."""

    def __init__(self, study: Path) -> None:
        """`study` is its `study.json`."""
        self._file = study
        # Links stay what they are: results/ may be one, and what lies beside it is wanted.
        absolute = Path(os.path.abspath(study))  # noqa: PTH100
        # results/<name>/study.json, wherever it is looked at from.
        usual = absolute.parent.parent.name == "results"
        self._root = absolute.parents[2] if usual else Path.cwd()
        self._code = training_code_hash()
        self._jobs = Jobs()
        self._asked = -math.inf

    def look(self) -> records.StudyStatus:
        """The state of each run now. Raises UserError if `study.json` cannot be read."""
        study = read_study(self._file).study
        if time.monotonic() - self._asked >= ASK_EVERY:
            self._jobs, self._asked = read_queue(self._root), time.monotonic()
        folder = StudyFolder.of_file(self._file)
        firsts: dict[tuple[str, str], RunSettings] = {}
        runs, results = [], []
        for settings in all_run_settings(study):
            first = firsts.setdefault((settings.protocol, settings.model), settings)
            run = ObservedRun(settings, first, folder, self._root, self._code, self._jobs)
            runs.append(run.status())
            results.append(run.metrics)
        found = Counter(run.state for run in runs)
        counts: dict[records.RunStage, int] = {state: found[state] for state in records.STAGES}
        left = _seconds_left(runs, results)
        summary = f"{study.name}: {_counted(counts, 'runs done')}"
        problem = self._jobs.problem
        return records.StudyStatus(
            study=study.name,
            file=str(self._file),
            looked=utc_now(),
            summary=summary if left is None else f"{summary}; about {duration(left)} left",
            counts=counts,
            remaining_seconds=left,
            snakemake=snakemake_status(self._root),
            warnings=[problem] if problem and found["done"] < len(runs) else [],
            runs=runs,
        )

    def looks(self) -> Iterator[records.StudyStatus]:
        """Look again and again: until all runs are done, or until two looks in a row find nothing
        under way and something that failed. Between two jobs nothing is for a moment, and a study
        that merely waits may be about to begin."""
        rested = False
        while True:
            start = time.monotonic()
            now = self.look()
            took = time.monotonic() - start
            yield now
            counts = now.counts
            works = counts["running"] or counts["queued"] or now.snakemake.state != "away"
            rests = not works and any(counts[state] for state in WRONG)
            if counts["done"] == len(now.runs) or (rests and rested):
                return
            rested = rests
            time.sleep(max(LOOK_EVERY, REST * took))


def snakemake_status(root: Path) -> records.SnakemakeStatus:
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
        # It names the logs of jobs that died before their runs could report.
        if logs := sorted(root.glob(".snakemake/log/*.snakemake.log")):
            note += f" The log of the last one: {logs[-1]}"
        return records.SnakemakeStatus(state="away", note=note)
    number = min(found)[1]
    note = f"Snakemake is running (process {number})."
    return records.SnakemakeStatus(state="running", process=number, note=note)


def _counted(counts: Mapping[records.RunStage, int], done: str) -> str:
    """`3 of 9 runs done, 1 running, 5 waiting`."""
    others = [f"{counts[state]} {state}" for state in UNFINISHED if counts[state]]
    return ", ".join([f"{counts['done']} of {sum(counts.values())} {done}", *others])


def last_sentence(status: records.StudyStatus) -> str:
    """The line with which `--watch` ends."""
    if status.counts["done"] == len(status.runs):
        return "All runs are done."
    return (
        f"Nothing is under way any more: {_counted(status.counts, 'runs are done')}. "
        "The plain snakemake command goes on."
    )


def _seconds_left(
    runs: Sequence[records.RunStatus], results: Sequence[Metrics | None]
) -> float | None:
    """Seconds until the last run is done, if as many go on side by side as do now.

    None unless something runs, every running one has an estimate, and every waiting one has a
    finished one of its protocol and model beside it; and where a queue, a failure or a killed run
    makes it a guess.
    """
    taken: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for run, metrics in zip(runs, results, strict=True):
        if metrics:
            seconds = [each.training_seconds + each.evaluation_seconds for each in metrics.epochs]
            taken[run.protocol, run.model].append(sum(seconds))
    usual = {kind: mean(seconds) for kind, seconds in taken.items()}
    left = [
        run.remaining_seconds if run.state == "running" else usual.get((run.protocol, run.model))
        for run in runs
        if run.state != "done"
    ]
    known = [seconds for seconds in left if seconds is not None]
    states = [run.state for run in runs]
    if "running" not in states or {"queued", *WRONG} & {*states} or len(known) < len(left):
        return None
    return max(*known, sum(known) / states.count("running"))
