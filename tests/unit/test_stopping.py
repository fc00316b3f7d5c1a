"""When a run stops before its end: signals, the terminal, and the process that waits for it.

The signals are raised in this process; what a whole run makes of them is in tests/faults.
"""

import signal
import threading
from collections.abc import Iterator

import pytest

from resnet_sizes.io.errors import Stopped
from resnet_sizes.training.supervision import stopping
from resnet_sizes.training.supervision.launch import JOB_ENDS, PARENT
from resnet_sizes.training.supervision.stopping import StopRequest


@pytest.fixture(autouse=True)
def _undone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(PARENT, raising=False)
    monkeypatch.delenv(JOB_ENDS, raising=False)
    monkeypatch.setattr(stopping, "LOOK_EVERY", 0.0)
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread may handle signals")
    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("hangup", "outlives"), [(signal.SIG_IGN, True), (signal.SIG_DFL, False)], ids=["nohup", ""]
)
def test_only_a_run_under_nohup_outlives_its_terminal_and_its_parent(
    hangup: signal.Handlers, outlives: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal.signal(signal.SIGHUP, hangup)
    living = True
    monkeypatch.setattr(stopping, "is_alive", lambda *_: living)
    with StopRequest() as stop:
        assert (signal.getsignal(signal.SIGHUP) == signal.SIG_IGN) is outlives
        assert signal.getsignal(signal.SIGTERM) == stop._heard
        assert stop.reason() is None
        living = False
        assert (stop.reason() is None) is outlives
    assert signal.getsignal(signal.SIGHUP) == hangup


def test_a_run_that_a_script_has_put_into_the_background_is_not_stopped_by_its_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does to what stands before an `&`
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.reason() is None
        signal.raise_signal(signal.SIGTERM)
        assert stop.reason() == ("SIGTERM", 128 + signal.SIGTERM)


def test_a_parent_that_is_gone_before_the_first_look_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    monkeypatch.setattr(stopping, "is_alive", lambda *_: False)
    assert StopRequest().reason() is None


def test_a_signal_is_a_reason_and_a_second_one_at_once_is_the_same() -> None:
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop.reason() == ("SIGTERM", 128 + signal.SIGTERM)


def test_a_later_signal_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "AT_ONCE_AFTER", 0.0)
    with StopRequest():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped, match="at once by SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
