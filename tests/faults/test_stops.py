"""What ends a run before its end, in processes of their own: it is told, and nothing is lost."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from child_runs import FORK, Home, wait_until
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.supervision.launch import PARENT
from resnet_sizes.training.supervision.stopping import AT_ONCE_AFTER, HUNG, TIME_IS_UP

STEP = 0.1
"""Seconds of a step that is slowed down; a run has 40 of them."""

RUN = {"images": 160, "epochs": 4}


@pytest.fixture
def home(whole: Home, folder: Path, request: pytest.FixtureRequest) -> Home:
    """The same run, but for its features not begun."""
    return whole.not_begun(folder / re.sub(r"\W", "-", request.node.name))


def each_step(happens: Callable[[int], object]) -> Callable[[], None]:
    """To be called in a process that is to train: what happens at its nth step."""

    def arrange() -> None:
        step = Trainer._step
        count = 0

        def with_it(self: Trainer, *arguments: object) -> object:
            nonlocal count
            count += 1
            happens(count)
            return step(self, *arguments)

        Trainer._step = with_it

    return arrange


slow_steps = each_step(lambda number: time.sleep(STEP))


def slow_steps_without_hangup() -> None:
    """As a run that was started with nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    slow_steps()


def in_mid_run(home: Home, log: str = "log.txt") -> Callable[[], object]:
    """Whether steps have been made, as the estimate after the fifth tells."""
    return lambda: re.search(r"about .* for \d+ steps", home.said(log))


def goes_on_to_the_same_end(home: Home, whole: Home, resumed: int = 1) -> None:
    home.finish()
    assert home.result() == whole.result()
    assert home.metrics().resumed == resumed


def joined(process: BaseProcess) -> int | None:
    process.join(60)
    return process.exitcode


@pytest.mark.slow
def test_signals_stop_the_command_within_a_step_and_5_s_and_it_goes_on(folder: Path) -> None:
    home = Home(folder / "signals", images=192, epochs=2)
    whole = home.copy_to(folder / "signals-whole")
    whole.finish()
    step = sum(epoch.training_seconds for epoch in whole.metrics().epochs) / 24
    waits = []
    # A new Python, and a copy of this one, which need not load torch.
    for start, number in ((home.start, signal.SIGTERM), (home.fork, signal.SIGINT)):
        process = start()
        wait_until(in_mid_run(home), 120)
        started = time.monotonic()
        os.kill(process.pid, number)
        status = process.wait(60) if isinstance(process, subprocess.Popen) else joined(process)
        waits.append(time.monotonic() - started)
        assert status == 128 + number, home.said()
        assert f"stopped by {number.name} in epoch" in home.said()
        assert "Its checkpoint is written; the same command goes on from there." in home.said()
        assert home.checkpoints()
    print(f"from signal to exit: {max(waits):.2f} s at most, with steps of {step:.2f} s")
    assert max(waits) < step + 5
    goes_on_to_the_same_end(home, whole, resumed=2)


def as_in_a_terminal() -> None:
    """Also where the tests themselves were started with nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    slow_steps()


def test_a_terminal_that_is_closed_stops_the_run_with_a_checkpoint(home: Home, whole: Home) -> None:
    process = home.fork(before=as_in_a_terminal)
    wait_until(in_mid_run(home))
    os.kill(process.pid, signal.SIGHUP)
    process.join(60)
    assert process.exitcode == 128 + signal.SIGHUP
    assert "stopped by SIGHUP in epoch" in home.said()
    goes_on_to_the_same_end(home, whole)


def test_a_second_signal_ends_the_run_at_once(home: Home, whole: Home) -> None:
    process = home.fork(before=each_step(lambda number: time.sleep(60 if number == 8 else 0)))
    wait_until(in_mid_run(home))
    time.sleep(0.3)  # by now it sleeps in its eighth step
    os.kill(process.pid, signal.SIGTERM)
    process.join(0.5)
    assert process.is_alive()
    time.sleep(AT_ONCE_AFTER)
    os.kill(process.pid, signal.SIGTERM)
    process.join(10)
    assert process.exitcode == 143
    assert "stopped at once by SIGTERM" in home.said()
    goes_on_to_the_same_end(home, whole)  # from the checkpoint of its beginning


def test_two_signals_close_together_are_one(home: Home, whole: Home) -> None:
    process = home.fork(before=each_step(lambda number: time.sleep(1 if number == 8 else 0)))
    wait_until(in_mid_run(home))
    time.sleep(0.3)  # by now it sleeps in its eighth step
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        os.kill(process.pid, number)
        time.sleep(0.1)
    process.join(20)
    assert process.exitcode == 130
    assert "stopped by SIGINT in epoch 1 after step 8. Its checkpoint is written" in home.said()
    goes_on_to_the_same_end(home, whole)


def test_a_run_whose_named_parent_died_before_its_first_step_stops(
    home: Home, whole: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["true"]) as wanting:
        monkeypatch.setenv(PARENT, f"{socket.gethostname()}:{wanting.pid}")
    process = home.fork(before=slow_steps_without_hangup)
    process.join(60)
    assert process.exitcode == 1
    assert f"the end of the process that had started it ({wanting.pid})" in home.said()
    monkeypatch.delenv(PARENT)
    home.finish()  # it may have been stopped before there was anything to keep
    assert home.result() == whole.result()


def test_a_time_limit_stops_the_run_before_it_is_over(home: Home, whole: Home) -> None:
    started = time.monotonic()
    process = home.fork("--time-limit", "0.15", before=each_step(lambda _: time.sleep(0.4)))
    process.join(60)
    assert time.monotonic() - started < 9.5
    assert process.exitcode == TIME_IS_UP
    assert "stopped by its time limit in epoch" in home.said()
    goes_on_to_the_same_end(home, whole)


def start_by_another(home: Home, before: Callable[[], object]) -> "FORK.Process":
    """A process that starts the run and waits for it."""

    def start() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests themselves may be under nohup
        home.fork(before=before).join()

    other = FORK.Process(target=start)
    other.start()
    wait_until(in_mid_run(home))
    return other


def test_a_run_whose_parent_died_stops_with_a_checkpoint(home: Home, whole: Home) -> None:
    parent = start_by_another(home, slow_steps)
    parent.kill()
    parent.join()
    wait_until(lambda: "stopped by the end of the process that had started it" in home.said())
    assert f"({parent.pid})" in home.said()
    goes_on_to_the_same_end(home, whole)


def test_a_run_under_nohup_is_left_alone(home: Home, whole: Home) -> None:
    parent = start_by_another(home, slow_steps_without_hangup)
    parent.kill()
    parent.join()
    wait_until(home.files.metrics.exists)
    assert home.result() == whole.result()
    assert home.metrics().resumed == 0


@pytest.mark.parametrize(
    ("host", "stops"), [(socket.gethostname(), True), ("another-machine", False)]
)
def test_the_process_that_is_named_is_watched_on_its_own_machine(
    home: Home, whole: Home, host: str, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "600"]) as wanting:
        monkeypatch.setenv(PARENT, f"{host}:{wanting.pid}")
        process = home.fork(before=slow_steps_without_hangup)
        wait_until(in_mid_run(home))
        wanting.kill()
    process.join(60)
    if stops:
        assert process.exitcode == 1
        assert f"the end of the process that had started it ({wanting.pid})" in home.said()
        monkeypatch.delenv(PARENT)
        goes_on_to_the_same_end(home, whole)
    else:
        assert process.exitcode == 0
        assert home.result() == whole.result()


WAITS = "another process trains this run; waiting until it ends"


@pytest.fixture
def two(home: Home) -> "Iterator[tuple[FORK.Process, FORK.Process]]":
    """Two processes on one run, the second waiting."""
    first = home.fork(before=slow_steps)
    wait_until(in_mid_run(home))
    second = home.fork("--checkpoint-minutes", "0", log="second.txt")
    wait_until(lambda: WAITS in home.said("second.txt"))
    yield first, second
    for process in (first, second):
        process.kill()
        process.join()


def test_a_second_process_takes_the_results_of_the_first(home: Home, whole: Home, two) -> None:
    first, second = two
    first.join(60)
    second.join(60)
    assert (first.exitcode, second.exitcode) == (0, 0)
    assert "the other process has finished it" in home.said("second.txt")
    assert home.result() == whole.result()
    assert home.metrics().resumed == 0


def test_a_second_process_goes_on_where_the_first_was_killed(home: Home, whole: Home, two) -> None:
    first, second = two
    first.kill()
    second.join(60)
    assert second.exitcode == 0
    assert "goes on in epoch" in home.said("second.txt")
    assert home.metrics().resumed == 1
    assert home.result() == whole.result()


def test_a_process_that_waits_can_be_stopped(home: Home, two) -> None:
    _, second = two
    os.kill(second.pid, signal.SIGINT)
    second.join(10)
    assert second.exitcode == 130


def hang(number: int) -> None:
    if number == 8:
        time.sleep(600)


def test_a_hung_step_ends_the_run_with_its_stacks_in_the_log(home: Home, whole: Home) -> None:
    options = ("--watchdog-minutes", "0.12", "--checkpoint-minutes", "0")
    process = home.fork(*options, before=each_step(hang))
    process.join(60)
    assert process.exitcode == HUNG
    assert "no step ended for" in home.said()
    assert re.search(r"test_stops.py\", line \d+ in hang\n", home.said())
    goes_on_to_the_same_end(home, whole)
