"""What schedulers keep of the output of a run's jobs."""

import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.status.liveness import SILENT_AT_FIRST
from resnet_sizes.status.log_tail import end_of, for_terminal
from resnet_sizes.status.scheduler_queue import ASK_EVERY, Jobs

SLURM_LOGS = Path(".snakemake/slurm_logs/rule_train")
"""Of Snakemake's Slurm plugin: `PROTOCOL_MODEL_SEED/JOB.log`."""

OTHER_LOGS = Path(".snakemake/cluster_logs")
"""Of profiles/cluster-generic: `train.PROTOCOL.MODEL.SEED.JOB.log`."""

NO_FAILURE = re.compile(
    r"^(?:Finished jobid: "
    r"|slurmstepd\S*: error: \*\*\* JOB .* CANCELLED AT \S+ (?:DUE TO PREEMPTION )?\*\*\*)",
    re.MULTILINE,
)
"""Said of a job that came to its end (the Slurm plugin may keep logs of these too), or that
somebody took away."""

ERROR = re.compile(r"error\b|not found|no such file|permission denied", re.IGNORECASE)

END = re.compile(r"RuleException|Error in rule ")
"""How Snakemake's own words on a job that failed begin; the cause stands before them."""

DESCRIPTION = re.compile(r"\[|    |Job \d+: |Reason: ")
"""How its words on a job that begins do."""

SLURM_SAYS = re.compile(r"slurmstepd\S*: error: ")

SHOWN = 3
"""Lines of a cause that are shown."""


@dataclass(frozen=True)
class JobLog:
    """The log of one job."""

    path: Path
    job: str
    """Its number, as in the file's name."""
    written: float
    """Unix time."""


class JobLogs:
    """The logs that lie in a study's working directory, at one look."""

    def __init__(self, root: Path) -> None:
        """`root` is the directory that the jobs were submitted from."""
        self._root = root
        self._others: dict[str, list[Path]] | None = None

    def of(self, run: RunSettings, since: float) -> list[JobLog]:
        """Those of a run's jobs that were written since then (Unix time), the newest last. Their
        names tell of no study."""
        folder = self._root / SLURM_LOGS / f"{run.protocol}_{run.model}_{run.seed}"
        others = self._in_one_folder().get(f"train.{run.protocol}.{run.model}.{run.seed}", [])
        found = []
        for path in [*folder.glob("*.log"), *others]:
            number = path.stem if path.parent == folder else path.stem.rpartition(".")[2]
            with suppress(OSError):
                found.append(JobLog(path, number, path.stat().st_mtime))
        return sorted((log for log in found if log.written >= since), key=lambda log: log.written)

    def _in_one_folder(self) -> dict[str, list[Path]]:
        if self._others is None:  # listed once for all runs
            self._others = {}
            for path in (self._root / OTHER_LOGS).glob("train.*.log"):
                self._others.setdefault(path.stem.rpartition(".")[0], []).append(path)
        return self._others


def of_mute_job(
    run: RunSettings, study: str, progress: RunProgress | None, logs: Sequence[JobLog], jobs: Jobs
) -> JobLog | None:
    """The newest of a run's logs, if its job failed before the run could say a word: on a node
    without the command, say. None if it did not, or if that cannot be told yet.

    The logs are later than all that the run told, the newest last; it has no job in the queue.
    """
    own = progress.job.id if progress and progress.job else None
    for log in reversed(logs):
        if log.job == own:
            return None
        text = "\n".join(end_of(log.path))
        if _is_of_study(text, study, run):
            return log if _has_failed_mute(text, log, run, jobs) else None
    return None


def _has_failed_mute(text: str, log: JobLog, run: RunSettings, jobs: Jobs) -> bool:
    # Lines of the command's log, which Snakemake may print when a later job fails, begin with
    # a moment; what it says itself does not.
    said = rf"^(?:(?:error|warning): )?(?:{re.escape(run.name)}: |stopped (?:at once )?by )"
    if NO_FAILURE.search(text) or re.search(said, text, re.MULTILINE):
        return False
    # A job that began after the scheduler was asked lives, and one that cannot be asked for may.
    patience = ASK_EVERY if jobs.known else SILENT_AT_FIRST
    return time.time() - log.written > patience or ERROR.search(text) is not None


def newest_of_study(logs: Sequence[JobLog], study: str, run: RunSettings) -> JobLog | None:
    """The newest of a run's logs that may be this study's."""
    own = (log for log in reversed(logs) if _is_of_study("\n".join(end_of(log.path)), study, run))
    return next(own, None)


def _is_of_study(text: str, study: str, run: RunSettings) -> bool:
    """Whether nothing in a log speaks against that: jobs name files that they work on."""
    named = re.findall(rf"(?<!\S)results/([^/\s]+)/runs/{re.escape(run.name)}/", text)
    return not named or study in named


def cause(log: JobLog) -> list[str]:
    """The lines that tell why a job failed, to show; its last ones where none are known to."""
    lines = end_of(log.path)
    ends = [number for number, line in enumerate(lines) if END.match(line)]
    if ends:
        before = [line for line in lines[: ends[0]] if not DESCRIPTION.match(line)]
        lines = before[-SHOWN:] + [line for line in lines[ends[0] :] if SLURM_SAYS.match(line)]
    return [for_terminal(line) for line in lines[-SHOWN:]]
