"""What else is seen on the device of a run."""

import os

import pytest

from resnet_sizes.schemas.run.metrics import Sharing
from resnet_sizes.training.devices.device_sharing import LOOK_EVERY, OtherProcesses, SharingMonitor
from resnet_sizes.training.devices.gpus import Gpu


class Listed:
    """A library that lists what a test says."""

    def __init__(self) -> None:
        self.now: set[int] | None = set()

    def processes(self, gpu: Gpu) -> frozenset[int] | None:
        return None if self.now is None else frozenset(self.now)

    def program(self, process: int) -> str:
        return f"program-{process}"


@pytest.fixture
def nvml() -> Listed:
    return Listed()


@pytest.fixture
def others(nvml: Listed) -> OtherProcesses:
    return OtherProcesses(nvml, Gpu(0, "GPU-a"))


def test_the_process_itself_does_not_count(nvml: Listed, others: OtherProcesses) -> None:
    others.before_use()
    nvml.now = {os.getpid()}
    assert others() == []
    nvml.now = {os.getpid(), 5}
    assert others() == ["program-5"]


def test_in_a_container_one_new_process_is_taken_for_this_one(
    nvml: Listed, others: OtherProcesses
) -> None:
    nvml.now = {4}
    assert others.before_use() == {4}
    nvml.now = {4, 900_000_001}
    assert others() == ["program-4"]
    nvml.now = {900_000_001}
    assert others() == []
    nvml.now = {900_000_001, 900_000_002}
    assert others() == ["program-900000002"]


def test_of_two_new_processes_one_counts(nvml: Listed, others: OtherProcesses) -> None:
    others.before_use()
    nvml.now = {900_000_001, 900_000_002}
    assert len(others() or []) == 1
    nvml.now = {900_000_002}
    assert others() == [], "the one that is left is this process"


def test_a_list_that_does_not_even_show_this_process_tells_nothing(
    nvml: Listed, others: OtherProcesses
) -> None:
    others.before_use()
    monitor = SharingMonitor(others)
    monitor.look()
    nvml.now = None
    monitor.look(at_once=True)
    assert monitor.record() is None


def test_looks_are_counted_and_names_kept_once() -> None:
    seen = iter([[], ["a"], ["a", "b"]])
    monitor = SharingMonitor(lambda: next(seen))
    for _ in range(3):
        monitor.look(at_once=True)
    assert monitor.record() == Sharing(looks=3, shared=2, others=["a", "b"])


def test_short_epochs_do_not_look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    monkeypatch.setattr("time.monotonic", lambda: moment)
    monitor = SharingMonitor(lambda: [])
    for moment in (0.0, 0.1, LOOK_EVERY, LOOK_EVERY + 0.1):  # noqa: B007
        monitor.look()
    record = monitor.record()
    assert record is not None
    assert record.looks == 2


def test_what_earlier_attempts_saw_is_kept() -> None:
    monitor = SharingMonitor(lambda: ["b"])
    monitor.look()
    monitor.resume_from(Sharing(looks=4, shared=1, others=["a"]))
    assert monitor.record() == Sharing(looks=5, shared=2, others=["a", "b"])
    blind = SharingMonitor()
    blind.resume_from(Sharing(looks=4, shared=1, others=["a"]))
    blind.look()
    assert blind.record() == Sharing(looks=4, shared=1, others=["a"])
    blind.resume_from(None)
    assert blind.record() == Sharing(looks=4, shared=1, others=["a"])


@pytest.mark.parametrize(
    "changes", [{"shared": 3}, {"others": []}, {"shared": 0}, {"looks": 0, "shared": 0}]
)
def test_a_record_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"shared|looks"):
        Sharing(**({"looks": 2, "shared": 1, "others": ["a"]} | changes))
