"""The jobs that Slurm holds for a study's runs."""

import re
import shutil
import subprocess
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.run.run import RunSettings
from resnet_sizes.schemas.status import QueuedJob

PATIENCE = 10.0
"""Seconds in which squeue has to answer."""

ASK_EVERY = 15.0
"""Seconds between two questions: a busy scheduler has better to do."""

FIELDS = ("%i", "%A", "%T", "%r", "%j", "%k", "%Z")
"""Job, its plain number, state, reason, name, comment, working directory: `man squeue`."""

SEPARATOR = "\t"

WAITS = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"})
"""States of a job that is not under way; the others are."""


@dataclass(frozen=True)
class Jobs:
    """What is in the queue of the user."""

    known: bool
    """Whether the scheduler answered: what is not here is then not in the user's queue."""
    problem: str | None
    by_id: dict[str, QueuedJob]
    """All of them: a run may have been submitted from anywhere."""
    by_label: dict[str, QueuedJob]
    """Those of the study's working directory, by the run that a job's comment or name tells of."""

    def of(
        self, run: RunSettings, recorded: str | None, told: str | None, taken: Collection[str] = ()
    ) -> QueuedJob | None:
        """The job of a run: the one that Snakemake recorded, or that the run itself told of, or
        one whose label fits. Labels name no study, so they come last, and never give a job that
        is `taken`: recorded for something."""
        for number in (recorded, told):
            if number in self.by_id:
                return self.by_id[number]
        found = None if recorded else self.by_label.get(label_of(run))
        return None if found is None or found.id in taken else found


NOTHING = Jobs(known=False, problem=None, by_id={}, by_label={})


def label_of(run: RunSettings) -> str:
    """How the labels of jobs name a run, once `_label` has read them."""
    return _plain(f"{run.protocol}_{run.model}_{run.seed}")


class SchedulerQueue:
    """Asks squeue, where there is one, and no more often than is decent."""

    def __init__(self, root: Path) -> None:
        """`root` is the directory that the jobs were submitted from."""
        self._root = root
        self._jobs = NOTHING
        self._asked = float("-inf")

    def jobs(self) -> Jobs:
        """What it said last, at most some seconds ago."""
        if time.monotonic() - self._asked >= ASK_EVERY:
            self._jobs = read_queue(self._root)
            self._asked = time.monotonic()
        return self._jobs


def read_queue(root: Path) -> Jobs:
    """The user's jobs; labels are those of jobs that were submitted from `root`."""
    squeue = shutil.which("squeue")
    if squeue is None:
        return NOTHING
    command = [squeue, "--me", "--array", "--noheader", f"--format={SEPARATOR.join(FIELDS)}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=True
        )
    except subprocess.TimeoutExpired:
        return _without(f"squeue did not answer within {PATIENCE:.0f} s")
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"status {error.returncode}"]
        return _without(f"squeue failed: {shown_text(lines[-1])}")
    except OSError as error:
        return _without(f"squeue cannot be called ({error.strerror})")
    by_id: dict[str, QueuedJob] = {}
    by_label: dict[str, QueuedJob] = {}
    for line in done.stdout.splitlines():
        parts = line.split(SEPARATOR)
        if len(parts) != len(FIELDS):
            continue
        number, plain, state, reason, name, comment, folder = parts
        why = shown_text(reason) if reason not in ("", "None") else None
        job = QueuedJob(scheduler="slurm", id=number, state=state, reason=why)
        by_id[number] = by_id[plain] = job
        labels = [label for text in (comment, name) if (label := _label(text))]
        if labels and _is_same(Path(folder), root):
            by_label.update(dict.fromkeys(labels, job))
    return Jobs(known=True, problem=None, by_id=by_id, by_label=by_label)


def _without(problem: str) -> Jobs:
    return Jobs(
        known=False,
        problem=f"{problem}; which runs are queued is known as far as their own files tell",
        by_id={},
        by_label={},
    )


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False


def _label(text: str) -> str | None:
    """The run that a job's comment or name tells of; None where it tells of none.

    Snakemake's Slurm plugin writes the comment `rule_train_wildcards_PROTOCOL_MODEL_SEED`; our
    profile for other executors names the job `rs.train.PROTOCOL MODEL SEED` or the like.
    """
    found = re.fullmatch(r"(?:rule_train_wildcards_|(?:rs|resnet-sizes)\.train\.)(.+)", text)
    return _plain(re.sub(r"\b(protocol|model|seed)=", "", found[1])) if found else None


def _plain(text: str) -> str:
    return re.sub(r"[\s,./_]+|seed-(?=\d+$)", "_", text).replace("__", "_")
