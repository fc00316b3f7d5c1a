"""The forecast: measured steps, multiplied; it starts nothing and says what would not work."""

import os
import signal
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner

from copied_process import copied
from resnet_sizes.cli.app import app
from resnet_sizes.forecast import cost as forecast
from resnet_sizes.forecast import study
from resnet_sizes.forecast.cost import (
    Cost,
    Counts,
    cost_on_features,
    cost_on_images,
    forecast_run,
    measured_cost,
    shared_features,
)
from resnet_sizes.forecast.measure import STEPS, Epochs
from resnet_sizes.schemas.operations import Forecast, RunForecast, kind_hash
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.schemas.run.run import run_settings
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.study.loading import load_study
from resnet_sizes.training.engine.networks import build_network
from resnet_sizes.training.features.extraction import keeps_features
from small_runs import CPU, run_of

REPOSITORY = Path(__file__).resolve().parents[2]
COUNTS = Counts(train=1000, test=200, classes=10)
IMAGES = (COUNTS.train + COUNTS.test) * 3 * 32 * 32
RANDOM = InitialWeights(name="random", file="random", sha256="0" * 64)
PROBE = {"weights": "V1", "trainable": "head"}
MB = 1_000_000


@pytest.fixture
def device(monkeypatch):
    """A device on which everything takes fixed seconds and bytes; it lists what was asked of it.

    An image takes 0.5 s to train, 0.25 s to evaluate and 0.125 s to compute features of; it
    takes 10 MB, 2 MB and 3 MB above 100 MB. Calls are (images trained, images evaluated), or
    the images whose features were computed.
    """
    calls = []

    def measure_epochs(run, network, classes, device, batch_size, evaluated, *, peak_of_evaluation):
        calls.append((batch_size, evaluated))
        peak = 2 * MB * evaluated if peak_of_evaluation else 10 * MB * batch_size
        return Epochs(2, 0.5 * STEPS * batch_size, 0.25 * evaluated, 100 * MB + peak)

    def features_with(run, network, classes, device, images):
        calls.append(images)
        return 0.125 * images, (100 + 3 * images) * MB

    def measure_head(run, width, classes, device):
        return 0.01, 0.001

    monkeypatch.setattr(forecast, "measure_epochs", measure_epochs)
    monkeypatch.setattr(forecast, "features_with", features_with)
    monkeypatch.setattr(forecast, "measure_head", measure_head)
    return calls


def cost_of(run, device=CPU, counts=COUNTS):
    network = build_network(run.model, run.reading, counts.classes)
    kind = cost_on_features if keeps_features(run) else cost_on_images
    return kind(run, network, counts, device)


def test_every_image_is_trained_on_and_evaluated_in_every_epoch(device):
    cost = cost_of(run_of(None, epochs=3))
    assert cost.training_seconds == pytest.approx(0.5 * 3 * 1000)
    assert cost.evaluation_seconds == pytest.approx(0.25 * 3 * 200)
    assert cost.feature_seconds == 0


def test_a_batch_too_slow_to_be_measured_is_extrapolated_in_memory(device):
    cost = cost_of(run_of(None, batch_size=256))
    # 8 images take 2 × (2 × 4 s) and more than the budget: 4 times as many are still measured.
    assert [trained for trained, _ in device if trained != 2] == [8, 32]
    assert cost.peak_memory_bytes == (100 + 10 * 256) * MB + IMAGES


def test_the_budget_allows_as_many_images_as_their_warm_steps_take(device, monkeypatch):
    # 8 images take 2 × (2 × 4 + 0.25) = 16.5 s, of which one is evaluated.
    monkeypatch.setattr(forecast, "BUDGET", 16.5 * 10)
    cost_of(run_of(None, batch_size=256))
    assert [trained for trained, _ in device if trained != 2] == [8, 80]


def test_parts_of_a_batch_are_as_many_in_the_smallest_measurement(device):
    run = run_of(None, batch_size=256, gradient_accumulation=16)
    cost = cost_of(run)
    assert [trained for trained, _ in device if trained != 2] == [32, 128]
    # What an image of a whole batch takes has been measured with its parts.
    assert cost.peak_memory_bytes == (100 + 10 * 256) * MB + IMAGES


def test_an_evaluation_larger_than_the_training_decides_the_memory(device):
    counts = Counts(train=1000, test=5000, classes=10)
    cost = cost_of(run_of(None, batch_size=16, evaluation_batch_size=1000), counts=counts)
    assert cost.peak_memory_bytes == (100 + 2 * 1000) * MB + 6000 * 3 * 32 * 32


def test_an_evaluation_has_no_more_images_than_there_are(device):
    cost = cost_of(run_of(None, batch_size=8, evaluation_batch_size=1000))
    assert cost.peak_memory_bytes == (100 + 2 * 200) * MB + IMAGES


def test_cuda_is_measured_with_whole_batches_and_nothing_else(device):
    run = run_of(None, batch_size=256, evaluation_batch_size=150)
    cost = cost_of(run, torch.device("cuda"))
    assert device == [(256, 150)]
    assert cost.training_seconds == pytest.approx(0.5 * 2 * 1000)
    assert cost.peak_memory_bytes == (100 + 10 * 256) * MB + IMAGES


def test_a_probe_costs_one_pass_and_steps_of_the_head(device):
    run = run_of(None, reading=PROBE, initial_weights=RANDOM, epochs=10)
    cost = cost_of(run)
    assert cost.feature_seconds == pytest.approx(0.125 * 1200)
    assert cost.training_seconds == pytest.approx(0.01 * 10 * 63)  # steps of 16 images
    assert cost.evaluation_seconds == pytest.approx(0.001 * 10 * 200)


def test_the_memory_of_a_probe_is_that_of_its_pass_and_its_features(device):
    run = run_of(None, reading=PROBE, initial_weights=RANDOM, evaluation_batch_size=1000)
    cost = cost_of(run)
    # 8 images take 2 × 1 s, so that the budget allows 60, and 1000 are extrapolated.
    assert device == [8, 60]
    features = 2 * 4 * 512 * 1200
    assert cost.peak_memory_bytes == (100 + 3 * 1000) * MB + features + IMAGES


def test_an_evaluation_is_extrapolated_where_it_would_be_too_slow(device):
    cost = cost_of(run_of(None, batch_size=8, evaluation_batch_size=150))
    # 8 images take 2 × 2 s, so that the budget allows 30, and 32 are measured all the same.
    assert [evaluated for trained, evaluated in device if trained == 2] == [8, 32]
    assert cost.peak_memory_bytes == (100 + 2 * 150) * MB + IMAGES


def test_large_images_have_smaller_passes(device):
    reading = PROBE | {"input_size": 224}
    run = run_of(None, reading=reading, initial_weights=RANDOM, evaluation_batch_size=1000)
    cost_of(run, torch.device("cuda"))
    assert device == [64]


def test_a_probe_without_a_cache_goes_through_the_network_in_every_epoch(device):
    run = run_of(None, reading=PROBE, initial_weights=RANDOM, feature_cache=False)
    cost = cost_of(run)
    assert cost.feature_seconds == 0
    assert cost.training_seconds == pytest.approx(0.5 * 2 * 1000)


def test_the_sum_of_a_cost_is_all_of_it():
    cost = Cost(training_seconds=1, evaluation_seconds=2, feature_seconds=4)
    assert cost.seconds == 7


def test_features_are_shared_by_protocols_that_compute_the_same():
    def features(**changes):
        reading = PROBE | changes
        return shared_features(run_of(None, reading=reading, initial_weights=RANDOM))

    assert features() == features(optimizer="sgd")
    assert features(weights="V1") == features(weights="default")  # ResNet-18 has no other
    assert features() != features(input_size=64)
    assert features() != features(normalisation="half")
    assert shared_features(run_of(None)) is None


def test_real_steps_are_measured_in_a_process_of_their_own():
    run = run_of(None, reading=PROBE, initial_weights=RANDOM)
    cost = forecast_run(run, Counts(train=10, test=10, classes=2), "cpu")
    assert cost.problem is None
    assert cost.feature_seconds > 0
    assert 50e6 < cost.peak_memory_bytes < 10e9


def test_what_cannot_be_trained_is_said_and_not_raised():
    run = run_of(None, reading={"precision": "tf32"})
    cost = forecast_run(run, COUNTS, "cpu")
    assert "tf32 needs a CUDA GPU" in cost.problem


def test_any_failure_is_told_with_its_kind(device, monkeypatch):
    def fail(*arguments, **options):
        raise ZeroDivisionError("of a kernel")

    monkeypatch.setattr(forecast, "measure_epochs", fail)
    cost = measured_cost(run_of(None), COUNTS, "cpu")
    assert cost.problem == "ZeroDivisionError: of a kernel"


def test_a_process_that_is_killed_is_told_as_missing_memory(monkeypatch):
    monkeypatch.setattr(forecast, "measured_cost", _die)
    cost = forecast_run(run_of(None), COUNTS, "cpu")
    assert "memory ran out" in cost.problem
    assert "gradient_accumulation" in cost.problem


def _die(run, counts, device):
    os.kill(os.getpid(), signal.SIGKILL)


def write_study(folder, **changes):
    (folder / "config").symlink_to(REPOSITORY / "config")
    study = {
        "name": "one",
        "dataset": {"source": "digits", "limit": {"train": 64, "test": 32}},
        "models": ["resnet18"],
        "protocols": ["scratch-32"],
        "training": {"epochs": 1, "batch_size": 16},
    }
    (folder / "one.yaml").write_text(yaml.safe_dump(study | changes))
    return ["forecast", "one.yaml", "--device", "cpu"]


def test_the_command_prints_a_row_per_run_and_writes_nothing_but_the_forecast(tmp_path):
    arguments = write_study(tmp_path)
    done = copied().run(arguments, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "64 training and 32 test images, 1 epochs" in done.stderr
    assert "scratch-32/resnet18" in done.stdout
    assert "in turn" in done.stdout
    assert "Nothing has been started." in done.stderr
    written = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert written == [tmp_path / "results/one/forecast.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config", "one.yaml", "results"]
    found = Forecast.model_validate_json(written[0].read_text(encoding="utf-8"))
    assert (found.train_images, found.test_images, found.device.kind) == (64, 32, "cpu")
    (run,) = found.runs
    assert (run.protocol, run.model, run.precision) == ("scratch-32", "resnet18", "fp32")
    assert run.seconds > 0
    assert run.peak_memory_bytes > 50e6


def test_a_forecast_is_of_the_study_that_was_measured_and_of_all_its_seeds(tmp_path):
    write_study(tmp_path)
    study = load_study([tmp_path / "one.yaml"], tmp_path / "config/config.yaml")
    settings = run_settings(study, "scratch-32", "resnet18", 0)
    measured = RunForecast(
        protocol="scratch-32",
        model="resnet18",
        settings_hash=kind_hash(settings),
        precision="fp32",
        seconds=9.0,
        feature_seconds=0.0,
        peak_memory_bytes=1,
    )
    found = Forecast(
        dataset=study.dataset,
        train_images=64,
        test_images=32,
        device=Device(kind="cpu", name="a CPU", threads=1),
        versions={},
        measured="2026-01-01T00:00:00Z",
        runs=[measured],
    )
    assert found.of(study, settings) == measured
    assert found.of(study, settings.model_copy(update={"seed": 7})) == measured
    assert found.of(study, settings.model_copy(update={"epochs": 9})) is None
    other = study.dataset.model_copy(update={"source": "cifar10"})
    assert found.of(study.model_copy(update={"dataset": other}), settings) is None


@pytest.fixture
def forecast_of(tmp_path, monkeypatch):
    """Runs the command on a study whose runs have fixed costs, by `protocol/model`."""

    def command(costs, **changes):
        monkeypatch.setattr(
            study, "forecast_run", lambda run, *rest: costs[f"{run.protocol}/{run.model}"]
        )
        arguments = write_study(tmp_path, **changes)
        monkeypatch.chdir(tmp_path)
        done = CliRunner().invoke(app, arguments, env={"COLUMNS": "120"})
        assert done.exit_code == 0, done.output
        command.said = done.output
        return {
            line.split("│")[1].strip(): line for line in done.output.splitlines() if "│" in line
        }

    return command


def test_the_last_row_is_the_sum_of_times_and_the_largest_memory(forecast_of):
    rows = forecast_of(
        {
            "scratch-32/resnet18": Cost(training_seconds=20, peak_memory_bytes=3_000 * MB),
            "scratch-32/resnet34": Cost(training_seconds=30, peak_memory_bytes=2_000 * MB),
        },
        models=["resnet18", "resnet34"],
        seeds=[0, 1],
    )
    assert "40 s" in rows["scratch-32/resnet18"]
    assert "1 min 40 s" in rows["in turn"]
    assert "3.0 GB" in rows["in turn"]


def test_the_time_on_several_devices_is_told(forecast_of):
    costs = {"scratch-32/resnet18": Cost(training_seconds=20)}
    forecast_of(costs, models=["resnet18"], seeds=[0, 1, 2])
    assert "On 2, 8 and 64 such devices at once: about 40 s, 20 s and 20 s." in forecast_of.said


@pytest.mark.parametrize(("load", "busy"), [(1.0, False), (3.5, True)])
def test_other_work_that_lengthens_the_measured_times_is_told(forecast_of, monkeypatch, load, busy):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    costs = {"scratch-32/resnet18": Cost(training_seconds=20)}
    forecast_of(costs, models=["resnet18"], seeds=[0], training={"device": "cpu"})
    told = "The machine is busy (load 3.5, 2 processors): idle, it takes less."
    assert (told in forecast_of.said) == busy


def test_features_of_several_protocols_are_counted_once(forecast_of):
    cost = Cost(training_seconds=5, feature_seconds=30)
    rows = forecast_of(
        {"probe-224/resnet152": cost, "literal/resnet152": cost},
        models=["resnet152"],
        protocols=["probe-224", "literal"],
        seeds=[0, 1],
    )
    assert "40 s" in rows["probe-224/resnet152"]
    assert "40 s" in rows["literal/resnet152"]
    assert "50 s" in rows["in turn"]  # 30 s of features and four times 5 s


def test_seeds_are_counted_by_protocol(forecast_of):
    cost = Cost(training_seconds=5)
    rows = forecast_of(
        {"scratch-32/resnet18": cost, "finetune-32/resnet18": cost},
        models=["resnet18"],
        protocols=["scratch-32", "finetune-32"],
        seeds={"default": [0], "scratch-32": [1, 2, 3, 4]},
    )
    assert "20 s" in rows["scratch-32/resnet18"]
    assert "25 s" in rows["in turn"]


def test_a_run_that_cannot_be_measured_leaves_the_others(forecast_of, caplog):
    caplog.set_level("INFO", logger="resnet_sizes")
    rows = forecast_of(
        {
            "scratch-32/resnet18": Cost(problem="ZeroDivisionError: of a kernel"),
            "scratch-32/resnet34": Cost(training_seconds=30),
        },
        models=["resnet18", "resnet34"],
    )
    assert "–" in rows["scratch-32/resnet18"]
    assert "30 s" in rows["in turn, without 1 that could not be measured"]
