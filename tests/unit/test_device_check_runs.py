"""The checks of a device that make whole runs: a lost lock, other bits and a wrong forecast are
noticed."""

import signal
from types import SimpleNamespace

import pytest

from resnet_sizes.device_check import runs
from resnet_sizes.device_check.bench import Bench
from resnet_sizes.forecast.cost import Cost
from resnet_sizes.training.devices.locks import LOCKS, DeviceLocks, SlotHolder, lock_folder
from small_runs import CPU


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A CPU, with one precision."""
    monkeypatch.setattr(Bench, "precisions", lambda self: ["fp32"])
    return Bench(CPU, True, tmp_path)


class FakeProcess:
    """A run that is somewhere."""

    def poll(self):
        pass

    def send_signal(self, how):
        pass

    def wait(self):
        pass


@pytest.fixture
def home(bench, tmp_path, monkeypatch):
    """A run that has begun, and writes checkpoints."""
    monkeypatch.setenv(LOCKS, str(tmp_path / "locks"))
    monkeypatch.setattr(runs, "FREED", 0.2)
    found = runs.Home(bench, "scratch-32", 8, batch_size=8)
    (found.files.folder / "said.txt").write_text("one\nwarning: two")
    (found.files.folder / "work").mkdir()
    (found.files.folder / "work" / "epoch-1").touch()
    monkeypatch.setattr(runs.Home, "start", lambda self, **how: FakeProcess())
    return found


def test_a_run_that_holds_no_lock_is_noticed(home):
    with pytest.raises(TimeoutError, match=r"while it held a device.*one / warning: two"):
        home.interrupt(signal.SIGKILL, at="work/epoch-*")


def test_a_device_that_is_not_free_after_a_kill_is_noticed(home):
    locks = DeviceLocks(lock_folder())
    locks.hold("GPU-1", SlotHolder(run="a", process=1, since="now"))
    try:
        with pytest.raises(TimeoutError, match=r"not free 0.2 s after SIGKILL"):
            home.interrupt(signal.SIGKILL, at="work/epoch-*")
    finally:
        locks.release()


@pytest.mark.parametrize("different", ["losses", "predictions", "features"])
def test_runs_whose_bits_differ_are_noticed(bench, monkeypatch, different):
    made = []

    def bits(self):
        made.append(self)
        found = {"losses": [1.0], "predictions": b"1", "features": [b"2"]}
        return found if len(made) < 3 else found | {different: None}

    monkeypatch.setattr(runs.Home, "bits", bits)
    monkeypatch.setattr(runs.Home, "interrupt", lambda self, how, at: None)
    runs.runs(bench)
    assert [each.partition(" (")[0] for each in bench.faults] == [
        f"frozen: ArithmeticError: stopped: {different} differ"
    ]
    assert len({home.files.folder for home in made}) == 3


def metrics(**changes):
    whole = {"training_seconds": 10.0, "preparation_seconds": None, "peak_memory_bytes": 100}
    return SimpleNamespace(**(whole | {"feature_cache": None} | changes))


def test_a_forecast_that_is_off_and_a_clock_of_kept_features_are_noticed(bench, monkeypatch):
    seconds = iter([1.0, 1.1, 1.0, 1.04])
    monkeypatch.setattr(
        runs.Home,
        "finish",
        lambda self: metrics(feature_cache=SimpleNamespace(forward_seconds=next(seconds))),
    )
    cost = Cost(once_seconds=1.0, training_seconds=7.0, peak_memory_bytes=100)
    monkeypatch.setattr(runs, "forecast_run", lambda *what: cost)
    runs.forecast(bench)
    assert bench.faults == [
        "scratch-32, training: error: 0.2, allowed 0.15",
        "scratch-32, clock of the pass: error: 0.1, allowed 0.05",
        "probe-224, training: error: 0.2, allowed 0.15",
    ]


def test_a_forecast_that_fails_or_is_of_other_memory_is_noticed(bench, monkeypatch):
    monkeypatch.setattr(runs.Home, "finish", lambda self: metrics())
    costs = iter([Cost(training_seconds=10, peak_memory_bytes=116), Cost(problem="full")])
    monkeypatch.setattr(runs, "forecast_run", lambda *what: next(costs))
    runs.forecast(bench)
    assert [each.partition(" (")[0] for each in bench.faults] == [
        "scratch-32, memory: error: 0.16, allowed 0.15",
        "probe-224: RuntimeError: full",
    ]
