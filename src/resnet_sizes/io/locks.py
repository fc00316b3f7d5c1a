"""One process at a time where several make the same file, and whether a process still lives."""

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

_log = logging.getLogger("resnet_sizes")

GLANCE = 0.2
"""Seconds after which a process that only looks whether a lock is held (`is_held`) has freed it."""


@contextmanager
def one_process(
    target: Path, waiting: str, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[bool]:
    """Hold the lock of `target`, a hidden file beside it; its folder is made if need be.

    Where another process holds it, `waiting` is logged and this one waits: a wait in silence
    looks like a hang. `meanwhile` is called every second of the wait and may raise to end it.
    Yields whether it had to wait. Where no lock can be made, as on some network file systems, it
    says so and holds none.
    """
    lock = kernel_lock(_lock_of(target))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        waits = not take(lock, GLANCE)
    except OSError as error:
        _log.warning(
            f"warning: {target}: cannot be locked ({error}); see that no other process makes it too"
        )
        yield False
        return
    if waits:
        _log.info(waiting)
        meanwhile()
        while not take(lock, 1):
            meanwhile()
    try:
        yield waits
    finally:
        lock.release()


def kernel_lock(path: Path, mode: int = -1) -> FileLock:
    """A lock that the kernel frees whatever ends its holder. `mode` is the file's, where others
    may take it as well."""
    # The other kind is a file that a killed process leaves, for which the next would wait forever.
    return FileLock(path, mode=mode, fallback_to_soft=False)


def take(lock: FileLock, seconds: float = 0) -> bool:
    """Whether the lock could be taken within some seconds. Raises OSError where the file system has
    none, or the file cannot be made."""
    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return False
    return True


def _lock_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def is_held(target: Path) -> bool | None:
    """Whether a process holds the lock of `target`, as `is_locked`."""
    return is_locked(_lock_of(target))


def is_locked(lock: Path) -> bool | None:
    """Whether a process holds a lock, this one among them; None where that cannot be known.

    Nothing is written, and nothing waits. The look itself takes a shared lock for some
    microseconds, which `one_process` passes over.
    """
    try:
        # As filelock opens it, but never to make or to change it.
        handle = os.open(lock, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return None
    else:
        return False
    finally:
        os.close(handle)  # which frees the lock


SAME_START = 60.0
"""Seconds by which two readings of one process's start may differ: clocks are set."""


def start_of(process: int) -> float | None:
    """When a process began, in seconds since 1970; None where it is gone or not accessible."""
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
