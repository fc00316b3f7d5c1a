"""One process at a time where several make the same file."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_log = logging.getLogger("resnet_sizes")


@contextmanager
def one_process(target: Path, waiting: str) -> Iterator[None]:
    """Hold the lock of `target`, a hidden file beside it; its folder is made if need be.

    Where another process holds it, `waiting` is logged and this one waits: a wait in silence
    looks like a hang. Raises OSError if no lock can be made there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _log.info("%s", waiting)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
