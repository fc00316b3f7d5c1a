"""Processes of this machine, from outside."""

import psutil

SAME_START = 60.0
"""Seconds by which two readings of one process's start may differ: clocks are set."""


def start_of_this_process() -> float:
    """When this process began, in seconds since 1970."""
    return float(psutil.Process().create_time())


def start_of(process: int) -> float | None:
    """The same of any process; None where it is gone or not told."""
    try:
        return float(psutil.Process(process).create_time())
    except psutil.Error:
        return None


def is_alive(process: int, started: float | None = None) -> bool:
    """Whether a process is there and no zombie; with `started`, whether it is still that one."""
    try:
        found = psutil.Process(process)
        if found.status() == psutil.STATUS_ZOMBIE:
            return False
        return started is None or abs(found.create_time() - started) < SAME_START
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
