"""The locks of devices in a folder of one's own, and in one for several people."""

import errno
import fcntl
import json
import os
import stat
import tempfile
from pathlib import Path

import pytest

from child_runs import FORK
from resnet_sizes.io.locks import one_process
from resnet_sizes.training.devices.locks import LOCKS, DeviceLocks, SlotHolder, lock_folder

NOBODY = 65534


def holder(run: str) -> SlotHolder:
    return SlotHolder(run=run, process=os.getpid(), since="2026-01-01T00:00:00Z")


@pytest.fixture
def common(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that all may write, as /tmp is."""
    folder = tmp_path / "common"
    folder.mkdir()
    folder.chmod(0o1777)
    monkeypatch.setenv(LOCKS, str(folder))
    return folder


def test_a_device_is_held_by_one_and_told_of_until_it_is_free(tmp_path: Path) -> None:
    first, second = DeviceLocks(tmp_path), DeviceLocks(tmp_path)
    assert first.hold("GPU-a/1", holder("first"))
    assert not second.hold("GPU-a/1", holder("second"))
    found = second.holder("GPU-a/1")
    assert found is not None
    assert found.run == "first"
    assert second.hold("GPU-b", holder("second"))
    first.release()
    assert second.holder("GPU-a/1") is None
    assert second.hold("GPU-a/1", holder("third"))
    second.release()
    assert first.hold("GPU-b", holder("fourth"))
    first.release()


def test_only_what_is_held_now_is_listed(tmp_path: Path) -> None:
    locks = DeviceLocks(tmp_path)
    assert locks.hold("cpu-0", holder("first"))
    left = json.dumps(holder("killed").model_dump())
    (tmp_path / "cpu-1.json").write_text(left, encoding="utf-8")
    (tmp_path / "cpu-2.json").write_text("{", encoding="utf-8")
    assert [(key, found.run) for key, found in locks.held("cpu")] == [("cpu-0", "first")]
    locks.release()


def test_what_steers_a_terminal_is_not_repeated() -> None:
    assert str(holder("a\x1b[2J")).isprintable()


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_a_file_system_without_locks_is_said_to_have_none_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    locks = DeviceLocks(tmp_path)
    for _ in range(2):  # nothing is left for which the second would wait
        with pytest.raises(OSError, match=os.strerror(number)):
            locks.hold("cpu-0", holder("run"))
        caplog.clear()
        with one_process(tmp_path / "file", "waiting") as waited:
            assert not waited
        assert f"file: cannot be locked ([Errno {number}] {os.strerror(number)})" in caplog.text
    (tmp_path / "cpu-1.json").write_text(json.dumps(holder("x").model_dump()), encoding="utf-8")
    assert list(locks.held("cpu")) == []


def test_a_lock_that_may_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "cpu-0.lock").mkdir()
    with pytest.raises(OSError, match=r"cpu-0\.lock"):
        DeviceLocks(tmp_path).hold("cpu-0", holder("run"))


def test_a_common_folder_holds_one_for_each_machine_that_all_may_write(common: Path) -> None:
    folder = lock_folder()
    assert folder.parent == common
    assert stat.S_IMODE(folder.stat().st_mode) == 0o777
    assert lock_folder() == folder


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can be somebody else"
)
def test_two_people_take_turns_on_a_device_of_a_common_folder(common: Path) -> None:
    for part in (common, *common.parents):
        if part != Path(tempfile.gettempdir()) and part.is_relative_to(tempfile.gettempdir()):
            part.chmod(part.stat().st_mode | 0o011)
    folder = lock_folder()
    answers = FORK.Queue()

    def as_another() -> None:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        locks = DeviceLocks(folder)
        held = locks.hold("GPU-a", holder("another's"))
        told = locks.holder("GPU-a")
        answers.put((held, told and told.run))
        locks.release()

    def ask_another() -> object:
        process = FORK.Process(target=as_another)
        process.start()
        process.join(30)
        assert process.exitcode == 0
        return answers.get(timeout=5)

    locks = DeviceLocks(folder)
    assert locks.hold("GPU-a", holder("own"))
    assert ask_another() == (False, "own")
    locks.release()
    assert ask_another() == (True, "another's")
    assert locks.hold("GPU-a", holder("own"))
    locks.release()
