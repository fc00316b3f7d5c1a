"""The jobs that Slurm holds for a study's runs."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from resnet_sizes.io.messages import shown_text
from resnet_sizes.schemas.operations import QueuedJob
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunSettings

PATIENCE = 10.0
"""Seconds in which squeue has to answer."""

FIELDS = ("%i", "%A", "%T", "%r", "%j", "%k", "%Z")
"""Job, its plain number, state, reason, name, comment, working directory: `man squeue`."""

SEPARATOR = "\t"

PENDING_STATES = frozenset({"PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"})
"""States of a job that is not under way; the others are."""

OF_TRAINING = re.compile(
    r"(?:rule_train(?:_seeds)?_wildcards_|(?:rs|resnet-sizes)\.train(?:_seeds)?\.)(.+)"
)
"""How a job names its run: Snakemake's Slurm plugin in the comment
`rule_train_wildcards_PROTOCOL_MODEL_SEED`, our profile for other executors in the name
`rs.train.PROTOCOL MODEL SEED` or the like."""


@dataclass(frozen=True)
class Jobs:
    """The user's jobs in the queue."""

    known: bool = False
    """Whether the scheduler answered: a job that is not here is then not in the user's queue."""
    problem: str | None = None
    by_id: dict[str, QueuedJob] = field(default_factory=dict)
    """All of them: a run may have been submitted from anywhere."""
    by_label: dict[str, QueuedJob] = field(default_factory=dict)
    """Those submitted from the study's working directory, by the run in their label."""

    def of(self, run: RunSettings, progress: RunProgress | None) -> QueuedJob | None:
        """The job of a run: the one that its progress file names, or one whose label fits.

        Labels name no study: equal runs of two studies in one folder have the same."""
        own = progress.job.id if progress and progress.job else None
        return self.by_id.get(own or "") or self.by_label.get(
            normal_label(f"{run.protocol}_{run.model}_{run.seed}")
        )


def normal_label(text: str) -> str:
    """`protocol_model_seed`, however a profile separates them."""
    plain = re.sub(r"\b(protocol|model|seed)=", "", text)
    return re.sub(r"[\s,./_]+|seed-(?=\d+$)", "_", plain).replace("__", "_")


def read_queue(root: Path) -> Jobs:
    """The user's jobs; labels are those of jobs that were submitted from `root`."""
    squeue = shutil.which("squeue")
    if squeue is None:
        return Jobs()
    command = [squeue, "--me", "--array", "--noheader", f"--format={SEPARATOR.join(FIELDS)}"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=True
        )
    except (subprocess.SubprocessError, OSError) as error:
        reason = str(error).removeprefix(f"Command '{command}' ")
        said = (getattr(error, "stderr", None) or "").strip().splitlines() or [reason]
        problem = f"squeue failed: {shown_text(said[-1])}; queued runs may be shown as waiting"
        return Jobs(problem=problem)
    jobs = Jobs(known=True)
    for line in done.stdout.splitlines():
        parts = line.split(SEPARATOR)
        if len(parts) != len(FIELDS):
            continue
        number, plain, state, reason, name, comment, folder = parts
        why = shown_text(reason) if reason not in ("", "None") else None
        job = QueuedJob(scheduler="slurm", id=number, state=state, reason=why)
        jobs.by_id.update({number: job, plain: job})
        for named in filter(None, map(OF_TRAINING.fullmatch, (comment, name))):
            if Path(folder).resolve() == root.resolve():
                jobs.by_label[normal_label(named[1])] = job
    return jobs
