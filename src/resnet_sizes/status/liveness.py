"""Whether a process trains a run at this moment, as far as that can be seen from outside."""

import math
import socket
import time
from datetime import datetime
from pathlib import Path

from resnet_sizes.io.locks import is_alive, is_held
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.status import QueuedJob
from resnet_sizes.status.scheduler_queue import WAITS, Jobs

SILENT = 120.0
"""Seconds after which a run on another machine, of which nothing else is known, counts as gone."""

SILENT_AT_FIRST = 600.0
"""The same before its first step: reading data and compiling a network tell nothing meanwhile."""


def is_under_way(
    home: Path, progress: RunProgress | None, job: QueuedJob | None, jobs: Jobs
) -> bool | None:
    """Whether a process trains the run: by the process that tells of itself, by the run's lock,
    by its scheduler, or else by how lately it was heard of.

    None where a sign of life is missing and cannot be looked for.
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
            return found.state not in WAITS
    # A lock may not be seen from another machine, and squeue tells of the user's own jobs alone:
    # one that it does not know may be a colleague's.
    steps = progress.step or progress.images
    if age(progress) < (SILENT if steps else SILENT_AT_FIRST):
        return True
    return False if by_slurm else None


def last_word(progress: RunProgress | None) -> float:
    """Unix time at which it was written; the beginning of time where there is none."""
    try:
        moment = datetime.fromisoformat(progress.updated) if progress else None
    except ValueError:
        moment = None
    return moment.timestamp() if moment and moment.tzinfo else -math.inf


def age(progress: RunProgress) -> float:
    """Seconds since it was written."""
    return time.time() - last_word(progress)
