"""A file system without locks, as Lustre is where it is mounted so: a kill makes no run wait."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_stops import in_mid_run, slow_steps

from child_runs import FORK, Home, wait_until
from data_studies import study_on
from local_server import Answer, LocalServer, serve
from resnet_sizes.data.fetch import fetch_images

RUN = {"images": 160, "epochs": 4}
"""Forty steps."""

CONTENT = os.urandom(200_000)
NAME = "archive.tar.gz"


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
    told = "cannot be locked (the file system has no locks: Function not implemented)"
    said = home.said()
    assert f"{told}. The run goes on; see that no other process trains it" in said
    assert f".safetensors: {told}" in said, "the features"
    assert f"devices {told}. The run goes on" in said
    assert home.metrics().sharing is None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve() as running:
        yield running


def test_two_downloads_at_once_are_both_right(server: LocalServer, tmp_path: Path) -> None:
    # The second is quick, and done while the first is in the middle of the file.
    slow = server.add("/slow", Answer(CONTENT, sent=199_995, drip=0.2))
    quick = server.add("/quick", Answer(CONTENT))
    folder = tmp_path / "downloads"

    def run(address: str) -> None:
        without_locks()
        cifar10 = {
            "file": NAME,
            "md5": hashlib.md5(CONTENT).hexdigest(),
            "bytes": len(CONTENT),
            "origin": address,
        }
        downloads = {"folder": str(folder), "timeout": 5, "cifar10": cifar10, "allow_http": True}
        assert fetch_images(study_on({"source": "cifar10"}, downloads)) == folder / NAME

    first = FORK.Process(target=run, args=(slow,))
    first.start()
    wait_until(lambda: list(folder.glob("*.part")))
    second = FORK.Process(target=run, args=(quick,))
    second.start()
    second.join(30)
    assert first.is_alive()
    first.join(30)
    assert (first.exitcode, second.exitcode) == (0, 0)
    assert (folder / NAME).read_bytes() == CONTENT
    assert not list(folder.glob("*.part"))
