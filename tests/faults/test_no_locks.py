"""A file system without locks, as Lustre is where it is mounted so: a kill makes no run wait."""

import errno
import fcntl
import os

from test_stops import in_mid_run, slow_steps

from child_runs import Home, wait_until

RUN = {"images": 160, "epochs": 4}
"""Forty steps."""


def without_locks() -> None:
    """To be called in a fork."""

    def flock(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    fcntl.flock = flock


def test_after_a_kill_the_run_says_that_nothing_is_locked_and_goes_on(
    home: Home, whole: Home
) -> None:
    killed = home.fork(before=lambda: (without_locks(), slow_steps()))
    wait_until(in_mid_run(home))
    killed.kill()
    killed.join()
    again = home.fork(before=without_locks)
    again.join(60)
    assert again.exitcode == 0, home.said()
    assert home.result() == whole.result()
    told = "cannot be locked ([Errno 38] Function not implemented); see that no other process"
    said = home.said()
    assert "warning: work/" in said, "the run"
    assert f".safetensors: {told}" in said, "the features"
    assert "devices cannot be locked ([Errno 38] Function not implemented). The run goes" in said
    assert home.metrics().sharing is None
