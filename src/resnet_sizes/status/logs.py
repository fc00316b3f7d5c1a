"""How a run ended, from logs: its own, and those that schedulers keep of its jobs."""

import re
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.status.slurm import label_of, normal_label

READ = 64 * 1024
"""Bytes read from the end of a log."""

LONGEST_LINE = 1000

COMMAND_ERROR = re.compile(r"(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d )?error: ")
"""How the command begins the message with which it fails."""

ERROR_LINES = 12
"""Lines shown of that message."""

SLURM_LOGS = ".snakemake/slurm_logs/rule_train*/*/*.log"
"""Logs of Snakemake's Slurm plugin: `PROTOCOL_MODEL_SEED/JOB.log`."""

GENERIC_LOGS = ".snakemake/cluster_logs/train*.log"
"""Logs of profiles/cluster-generic: `train.PROTOCOL.MODEL.SEED.JOB.log`."""

NO_FAILURE = re.compile(
    r"^(?:Finished jobid: "
    r"|slurmstepd\S*: error: \*\*\* JOB .* CANCELLED AT \S+ (?:DUE TO PREEMPTION )?\*\*\*)",
    re.MULTILINE,
)
"""In the log of a job that succeeded (the Slurm plugin may keep these too) or was cancelled."""

ANY_ERROR = re.compile(r"error\b|not found|no such file|permission denied", re.IGNORECASE)

SNAKEMAKE_ENDS = re.compile(r"RuleException|Error in rule ")
"""How Snakemake begins its message on a failed job; the cause stands before it."""

SLURM_ERROR = re.compile(r"slurmstepd\S*: error: ")

CAUSE_LINES = 3
"""Lines shown of a job's failure."""


def log_end(path: Path) -> list[str]:
    """The last lines of a log, without empty ones; none where it cannot be read."""
    if not path.is_file():  # a pipe would never end
        return []
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - READ))
            text = file.read(READ).decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()]


def error_at_end(path: Path) -> list[str]:
    """The error with which a command's log ends, as lines to show; none if there is none."""
    lines = log_end(path)
    starts = [n for n, line in enumerate(lines) if COMMAND_ERROR.match(line)]
    error = lines[starts[-1] :] if starts else []
    if len(error) > ERROR_LINES:  # of a traceback, its first line and its last ones
        error = [error[0], "…", *error[-ERROR_LINES + 2 :]]
    return [for_terminal(line) for line in error]


def for_terminal(line: str) -> str:
    """A line without secrets and control characters, cut where it is very long."""
    return shown_text(line.expandtabs().rstrip(), LONGEST_LINE)


@dataclass(frozen=True)
class JobLog:
    """What a scheduler keeps of the output of one job."""

    path: Path
    job: str
    """Its number, as in the file's name."""
    written: float
    """Unix time."""

    @cached_property
    def lines(self) -> list[str]:
        """Its last ones."""
        return log_end(self.path)

    @property
    def text(self) -> str:
        """The same in one piece."""
        return "\n".join(self.lines)

    def is_of(self, study: str, run: RunSettings) -> bool:
        """Whether it may be a study's: jobs print the names of their files."""
        named = re.findall(rf"(?<!\S)results/([^/\s]+)/runs/{re.escape(run.name)}/", self.text)
        return not named or study in named

    def failed_early(self, run: RunSettings, patience: float) -> bool:
        """Whether the job failed before the run printed a line: on a node without the command,
        say. A log without an error counts after `patience` seconds of silence."""
        # Lines of the command's log, which Snakemake may print when a later job fails, begin with
        # a moment; the command's own output does not.
        printed = rf"^(?:(?:error|warning): )?(?:{re.escape(run.name)}: |stopped (?:at once )?by )"
        if NO_FAILURE.search(self.text) or re.search(printed, self.text, re.MULTILINE):
            return False
        # A job that began after the scheduler was asked lives.
        return time.time() - self.written > patience or ANY_ERROR.search(self.text) is not None

    def cause(self) -> list[str]:
        """The lines that tell why the job failed, to show; its last ones where none are known."""
        ends = [number for number, line in enumerate(self.lines) if SNAKEMAKE_ENDS.match(line)]
        before = self.lines[: ends[0]] if ends else self.lines
        after = [line for line in self.lines[len(before) :] if SLURM_ERROR.match(line)]
        return [for_terminal(line) for line in before[-CAUSE_LINES:] + after[-CAUSE_LINES:]]


class JobLogs:
    """The logs of jobs that were submitted from a directory, at one look."""

    def __init__(self, root: Path) -> None:
        found = [(path, path.parent.name, path.stem) for path in root.glob(SLURM_LOGS)]
        for path in root.glob(GENERIC_LOGS):
            label, _, number = path.stem.partition(".")[2].rpartition(".")
            found.append((path, label, number))
        self._by_label: defaultdict[str, list[JobLog]] = defaultdict(list)
        for path, label, number in found:
            with suppress(OSError):
                log = JobLog(path, number, path.stat().st_mtime)
                self._by_label[normal_label(label)].append(log)

    def of(self, study: str, run: RunSettings, since: float) -> list[JobLog]:
        """Those of a run's jobs that were written since then (Unix time), the newest first."""
        found = [log for log in self._by_label[label_of(run)] if log.written >= since]
        ours = [log for log in found if log.is_of(study, run)]
        return sorted(ours, key=lambda log: log.written, reverse=True)
