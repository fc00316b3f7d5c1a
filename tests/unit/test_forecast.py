"""The forecast: measured steps, multiplied; it starts nothing and says what would not work."""

import subprocess
import sys
from pathlib import Path

import pytest

from resnet_sizes.records.weights import InitialWeights
from resnet_sizes.training import forecast
from resnet_sizes.training.forecast import Cost, Counts, forecast_run
from small_runs import run_of

REPOSITORY = Path(__file__).resolve().parents[2]
COUNTS = Counts(train=1000, test=200, classes=10)
RANDOM = InitialWeights(name="random", file="random", sha256="0" * 64)


@pytest.fixture
def measured(monkeypatch):
    """Measures in this process, which is quicker; memory then only grows."""
    monkeypatch.setattr(forecast, "BUDGET", 0.1)
    return lambda run, counts=COUNTS: forecast._measure(run, counts, "cpu")


def test_time_grows_with_images_and_epochs(measured):
    base = measured(run_of(None))
    more = measured(run_of(None, epochs=20), Counts(train=10_000, test=2000, classes=10))
    assert base.training_seconds > 0
    assert base.evaluation_seconds > 0
    assert base.feature_seconds == 0
    # A hundred times the images in all; the machine's own noise is far below a factor of ten.
    assert more.training_seconds > 10 * base.training_seconds


def test_a_probe_costs_one_pass_and_steps_of_the_head(measured):
    probe = {"weights": "V1", "trainable": "head"}
    cached = measured(run_of(None, reading=probe, initial_weights=RANDOM, epochs=10))
    plain = measured(
        run_of(None, reading=probe, initial_weights=RANDOM, epochs=10, feature_cache=False)
    )
    assert cached.feature_seconds > 0
    assert plain.feature_seconds == 0
    assert cached.seconds < plain.seconds


def test_it_is_measured_in_a_process_of_its_own_with_its_peak_of_memory():
    cost = forecast_run(run_of(None), Counts(train=10, test=10, classes=2), "cpu")
    assert cost.problem is None
    assert 50e6 < cost.peak_memory_bytes < 10e9


def test_what_cannot_be_trained_is_said_and_not_raised():
    run = run_of(None, reading={"precision": "tf32"})
    cost = forecast_run(run, COUNTS, "cpu")
    assert "tf32 needs a CUDA GPU" in cost.problem


def test_a_process_that_is_killed_is_told_as_missing_memory(monkeypatch):
    monkeypatch.setattr(forecast, "_measure", _die)
    cost = forecast_run(run_of(None), COUNTS, "cpu")
    assert "memory ran out" in cost.problem
    assert "gradient_accumulation" in cost.problem


def _die(run, counts, device):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def test_the_sum_of_a_cost_is_all_of_it():
    cost = Cost(training_seconds=1, evaluation_seconds=2, feature_seconds=4)
    assert cost.seconds == 7


def test_the_command_prints_a_row_a_run_and_writes_nothing(tmp_path):
    (tmp_path / "config").symlink_to(REPOSITORY / "config")
    overlay = tmp_path / "one.yaml"
    overlay.write_text(
        "name: one\ndataset: {source: digits, limit: {train: 64, test: 32}}\n"
        "models: [resnet18]\nprotocols: [scratch-32]\ntraining: {epochs: 1, batch_size: 16}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "resnet_sizes", "forecast", str(overlay), "--device", "cpu"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "64 training and 32 test images, 1 epochs" in done.stderr
    assert "scratch-32/resnet18" in done.stdout
    assert "in turn" in done.stdout
    assert "Nothing has been started." in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "one.yaml"]
