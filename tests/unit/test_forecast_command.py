"""What the command forecast prints and writes: rows, sums, several devices, problems."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from child_runs import FORK, wait_until
from copied_process import copied
from pretend_gpus import PretendGpus, uuid
from resnet_sizes.cli.app import app, main
from resnet_sizes.forecast import study
from resnet_sizes.forecast.cost import (
    Cost,
)
from resnet_sizes.schemas.operations import Forecast, RunForecast, kind_hash
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.schemas.run.run import run_settings
from resnet_sizes.study.loading import load_study

REPOSITORY = Path(__file__).resolve().parents[2]
MB = 1_000_000


def write_study(folder, **changes):
    for name in ("config", "articles"):
        (folder / name).symlink_to(REPOSITORY / name)
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
    assert "scratch-32  resnet18" in done.stdout
    assert "All in turn: " in done.stdout
    assert "Nothing has been started." in done.stderr
    assert "With data, evidence and report the study takes about" in done.stderr
    written = [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    assert written == [tmp_path / "results/one/forecast.json"]
    there = ["articles", "config", "one.yaml", "results"]
    assert sorted(path.name for path in tmp_path.iterdir()) == there
    found = Forecast.model_validate_json(written[0].read_text(encoding="utf-8"))
    assert found.device.kind == "cpu"
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
        device=Device(kind="cpu", name="a CPU", threads=1),
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
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        command.said = done.output
        rows = {}
        for line in done.stdout.splitlines():
            protocol, *cells = re.split(r"  +", line)
            if cells:
                rows[f"{protocol}/{cells[0]}"] = line
        (rows["in turn"],) = re.findall(r"^All in turn.*", done.stdout, re.MULTILINE)
        return rows

    return command


def test_the_last_line_is_the_sum_of_times(forecast_of):
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
    assert "3.0 GB" in rows["scratch-32/resnet18"]


def test_what_is_around_the_runs_is_told_by_how_long_a_process_takes_to_begin(forecast_of):
    cost = Cost(process_seconds=10, training_seconds=100)
    rows = forecast_of({"scratch-32/resnet18": cost}, models=["resnet18"], seeds=[0, 1])
    assert "1 min 56 s" in rows["scratch-32/resnet18"]  # 100 s and 1.6 times 10 s
    assert "evidence and report the study takes about 4 min 37 s in turn" in forecast_of.said
    written = json.loads(Path("results/one/forecast.json").read_text(encoding="utf-8"))
    assert written["study_seconds"] == pytest.approx(2 * 116 + 4.5 * 10)


def test_a_run_file_that_leaves_the_format_to_the_device_takes_a_process_too(forecast_of):
    cost = Cost(process_seconds=10, training_seconds=100)
    definitions = {"scratch-32": {"precision": "auto"}}
    rows = forecast_of(
        {"scratch-32/resnet18": cost},
        models=["resnet18"],
        seeds=[0],
        protocol_definitions=definitions,
    )
    assert "2 min 06 s" in rows["scratch-32/resnet18"]


def test_a_gpu_that_a_run_holds_is_waited_for_and_then_held(tmp_path):
    gpus = PretendGpus(tmp_path / "machine")
    gpus.are("a")
    holder = gpus.hold("other", seconds=4)
    wait_until(holder.begun)
    command, overlay, *_ = write_study(tmp_path, models=["resnet18"])

    def forecast():
        gpus.enter()
        os.chdir(tmp_path)

        def measured(run, counts, device_name):
            Path("held.txt").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
            return Cost(training_seconds=20)

        study.forecast_run = measured
        sys.argv[1:] = ["--log", "said.txt", command, overlay]
        main()

    process = FORK.Process(target=forecast)
    process.start()
    said = tmp_path / "said.txt"
    wait_until(lambda: said.exists() and "the forecast of one: waits until" in said.read_text())
    assert not (tmp_path / "held.txt").exists()
    holder.record()
    process.join(60)
    assert (tmp_path / "held.txt").read_text() == uuid("a")
    assert process.exitcode == 0, said.read_text()


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
    assert re.search(r"fp32 +- +- +-", rows["scratch-32/resnet18"])
    assert "ZeroDivisionError: of a kernel" in forecast_of.said
    assert rows["in turn"] == "All in turn, without 1 that could not be measured: 2 min 30 s"
