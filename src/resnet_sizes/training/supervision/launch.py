"""How a run is started: its options, and what a workflow hands it in its environment."""

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from resnet_sizes.schemas.paths import WORK, StudyFolder
from resnet_sizes.schemas.run.progress import SchedulerJob

PARENT = "RESNET_SIZES_PARENT"
"""The process that waits for the result, as `host:id`. On another machine its number would mean
another process."""

SCHEDULED = "RESNET_SIZES_SCHEDULED"
"""When the job began (Unix time), where a scheduler will end the run when its time is up."""

JOB_ENDS = "SLURM_JOB_END_TIME"
"""When Slurm (23.02 and later) will end the job in which this process runs (Unix time)."""

JOB_VARIABLES = {
    "SLURM_JOB_ID": "slurm",
    "PBS_JOBID": "pbs",
    "LSB_JOBID": "lsf",
    "JOB_ID": "sge",
    "FLUX_JOB_ID": "flux",
}
"""Environment variables in which schedulers put the number of a job."""


@dataclass(frozen=True)
class RunOptions:
    """What decides no result, but how much a stop costs."""

    work: Path = WORK
    """The folder for checkpoints and features."""
    checkpoint_seconds: float = 600.0
    """Between two checkpoints within an epoch."""
    watchdog_seconds: float = 1800.0
    """Without a step, after which the run is taken to hang."""
    time_limit: float | None = None
    """Seconds after which the run stops itself, with a checkpoint."""
    keep_weights: bool = False
    """Whether the trained network is written too."""
    study: StudyFolder | None = None
    """Where results of the runs may lie that were there before a workflow began to repeat them."""


def announce(scheduled: bool) -> None:
    """Name this process to the runs that it starts, and say whether it is a scheduler's job."""
    os.environ[PARENT] = f"{socket.gethostname()}:{os.getpid()}"
    if scheduled:
        # Of several Snakemakes in each other the first began with the job, as a process: on a
        # network file system it has been reading its own code for a while by now.
        if scheduled_since() is None:
            os.environ[SCHEDULED] = str(int(time.time() - process_age()))
    else:  # one that began inside another's job lives longer than what it starts
        os.environ.pop(SCHEDULED, None)


def announced_parent() -> int | None:
    """The process that has been named, if it is one of this machine."""
    host, _, process = os.environ.get(PARENT, "").rpartition(":")
    return int(process) if host == socket.gethostname() and process.isdecimal() else None


def scheduled_since() -> int | None:
    """Unix time of the beginning of the scheduler's job; None outside of one."""
    began = os.environ.get(SCHEDULED, "")
    return int(began) if began.isdecimal() else None


def seconds_to_job_end() -> float | None:
    """Seconds until the scheduler ends the job; None where it does not say."""
    ends = os.environ.get(JOB_ENDS, "")
    left = int(ends) - time.time() if ends.isdecimal() else 0.0
    # A time that is over is that of another job, whose environment a terminal has kept.
    return left if left > 0 else None


def scheduler_job() -> SchedulerJob | None:
    """The scheduler's job in which this process runs, if it is in one."""
    for variable, scheduler in JOB_VARIABLES.items():
        number = os.environ.get(variable, "")
        # JOB_ID alone may be anybody's.
        if number and (variable != "JOB_ID" or "SGE_TASK_ID" in os.environ):
            return SchedulerJob(scheduler=scheduler, id=number)
    return None


def process_age() -> float:
    """Seconds since this process began, to about a second."""
    return max(0.0, time.time() - float(psutil.Process().create_time()))
