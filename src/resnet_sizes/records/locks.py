"""One process at a time where several make the same file."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

_log = logging.getLogger("resnet_sizes")


@contextmanager
def one_process(
    target: Path, waiting: str, meanwhile: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Hold the lock of `target`, a hidden file beside it; its folder is made if need be.

    Where another process holds it, `waiting` is logged and this one waits: a wait in silence
    looks like a hang. `meanwhile` is called every second of the wait and may raise to end it.
    Raises OSError if no lock can be made there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _log.info("%s", waiting)
        _wait(lock, meanwhile)
    except NotImplementedError as error:  # some network file systems have no locks
        raise OSError(str(error)) from error
    try:
        yield
    finally:
        lock.release()


def _wait(lock: FileLock, meanwhile: Callable[[], object]) -> None:
    while True:
        meanwhile()
        try:
            lock.acquire(timeout=1)
        except Timeout:
            continue
        return
