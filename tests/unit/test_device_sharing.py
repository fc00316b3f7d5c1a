"""What else is seen on the device of a run."""

import pytest

from resnet_sizes.schemas.run.metrics import Sharing
from resnet_sizes.training.devices.gpu_slots import LOOK_EVERY, SharingMonitor


def test_a_list_that_tells_nothing_is_no_look() -> None:
    monitor = SharingMonitor(lambda: None)
    monitor.look(at_once=True)
    assert monitor.seen is None


def test_looks_are_counted_and_names_kept_once() -> None:
    seen = iter([[], ["a"], ["a", "b"]])
    monitor = SharingMonitor(lambda: next(seen))
    for _ in range(3):
        monitor.look(at_once=True)
    assert monitor.seen == Sharing(looks=3, shared=2, others=["a", "b"])


def test_short_epochs_do_not_look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    monkeypatch.setattr("time.monotonic", lambda: moment)
    monitor = SharingMonitor(lambda: [])
    for moment in (0.0, 0.1, LOOK_EVERY, LOOK_EVERY + 0.1):  # noqa: B007
        monitor.look()
    record = monitor.seen
    assert record is not None
    assert record.looks == 2


def test_what_earlier_attempts_saw_is_kept() -> None:
    monitor = SharingMonitor(lambda: ["b"])
    monitor.look()
    monitor.resume_from(Sharing(looks=4, shared=1, others=["a"]))
    assert monitor.seen == Sharing(looks=5, shared=2, others=["a", "b"])
    blind = SharingMonitor()
    blind.resume_from(Sharing(looks=4, shared=1, others=["a"]))
    blind.look()
    assert blind.seen == Sharing(looks=4, shared=1, others=["a"])
    blind.resume_from(None)
    assert blind.seen == Sharing(looks=4, shared=1, others=["a"])


@pytest.mark.parametrize(
    "changes", [{"shared": 3}, {"others": []}, {"shared": 0}, {"looks": 0, "shared": 0}]
)
def test_a_record_that_contradicts_itself_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"shared|looks"):
        Sharing(**({"looks": 2, "shared": 1, "others": ["a"]} | changes))
