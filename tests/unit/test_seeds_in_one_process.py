"""Several seeds in one process: each is what it is alone, and they share what costs time."""

import os
import signal
from pathlib import Path

import pytest

from copied_process import copied
from resnet_sizes.io.errors import Stopped
from resnet_sizes.io.files import read_record, write_json
from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.features import cache
from resnet_sizes.training.job import job
from resnet_sizes.training.job import run as engine
from resnet_sizes.training.job.job import train_runs
from resnet_sizes.training.supervision.launch import RunOptions
from small_runs import run_of, small_dataset, weights_file

PROBE = {"weights": "backbone.pth", "trainable": "head", "normalisation": "imagenet"}
SEEDS = (0, 1, 2)


class Study:
    """Run files of some seeds, as a workflow lays them out."""

    def __init__(self, folder: Path, **changes) -> None:
        self.folder = folder
        self.dataset = small_dataset(folder / "results" / "probe")
        self.weights = weights_file(folder / "backbone.pth", "resnet18", seed=7)
        write_json(folder / "weights.json", self.weights)
        self.runs = []
        for seed in SEEDS:
            settings = {"epochs": 3, "reading": PROBE, "initial_weights": self.weights.initial}
            run = run_of(self.dataset, seed=seed, protocol="mine", **(settings | changes))
            files = StudyFolder(folder / "results" / "probe").run(run)
            write_json(files.run, run)
            self.runs.append((run, files))

    def command(self, *seeds: int):
        """`resnet-sizes train` with the run files of these seeds."""
        files = [str(self.runs[seed][1].run.relative_to(self.folder)) for seed in seeds]
        options = ["--dataset", str(self.dataset), "--weights", "weights.json", "--device", "cpu"]
        return copied().run(["train", *files, *options], self.folder)

    def metrics(self, seed: int) -> Metrics:
        return read_record(self.runs[seed][1].metrics, Metrics, "")

    def predictions(self, seed: int) -> bytes:
        return self.runs[seed][1].predictions.read_bytes()


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path / "together")


@pytest.fixture
def no_clock(monkeypatch):
    for name in ("WARM_UP_SECONDS", "TIMED_SECONDS"):
        monkeypatch.setattr(f"resnet_sizes.training.features.extraction.{name}", 1e-9)


def losses(metrics: Metrics) -> list[float]:
    return [value for epoch in metrics.epochs for value in (epoch.train_loss, epoch.test_loss)]


def test_each_seed_gets_what_it_gets_alone_bit_by_bit(study, tmp_path):
    assert study.command(*SEEDS).returncode == 0
    alone = Study(tmp_path / "alone")
    for seed in SEEDS:
        assert alone.command(seed).returncode == 0
        assert study.predictions(seed) == alone.predictions(seed)
        assert losses(study.metrics(seed)) == losses(alone.metrics(seed))
        assert study.runs[seed][1].log.read_text().count("\n") == 3
    assert losses(study.metrics(0)) != losses(study.metrics(1))


def test_each_seed_measures_its_own_times_and_no_seed_is_another_s_company(study):
    assert study.command(*SEEDS).returncode == 0
    found = [study.metrics(seed) for seed in SEEDS]
    assert [each.feature_cache.reused for each in found] == [False, True, True]
    assert len({each.feature_cache.forward_seconds for each in found}) == 3
    assert all(each.sharing.shared == 0 for each in found)


def test_seeds_that_are_trained_as_a_whole_share_a_process_too(tmp_path):
    whole = {"reading": {}, "initial_weights": None, "epochs": 1}
    together, alone = (Study(tmp_path / name, **whole) for name in ("together", "alone"))
    assert together.command(0, 1).returncode == 0
    assert alone.command(1).returncode == 0
    assert together.predictions(1) == alone.predictions(1)


def test_device_images_and_features_are_taken_once(study, monkeypatch, no_clock):
    monkeypatch.chdir(study.folder)
    taken: dict[str, int] = {}

    def counted(module, name):
        real = getattr(module, name)

        def call(*arguments):
            taken[name] = taken.get(name, 0) + 1
            return real(*arguments)

        monkeypatch.setattr(module, name, call)

    counted(job, "device_slot")
    counted(cache, "_read")
    monkeypatch.setattr(engine.DeviceData, "on", _counting(taken, engine.DeviceData.on))
    assert len(list(train_runs(study.runs, study.dataset, "cpu", study.weights))) == 3
    assert taken == {"device_slot": 1, "_read": 1, "on": 1}


def _counting(taken, real):
    def on(*arguments):
        taken["on"] = taken.get("on", 0) + 1
        return real(*arguments)

    return on


def test_what_has_results_stays_as_it_is(study):
    assert study.command(1).returncode == 0
    before = study.metrics(1)
    said = study.command(*SEEDS).stderr
    assert study.metrics(1) == before
    assert all(f"mine/resnet18/seed-{seed}: done" in said for seed in SEEDS)


def test_new_results_are_kept_for_the_jobs_to_come(study):
    assert study.command(0, 1).returncode == 0
    assert study.command(0).returncode == 0
    for seed in (0, 1):
        kept = RunFolder(study.folder / "work/kept/probe" / study.runs[seed][0].name)
        assert kept.metrics.read_bytes() == study.runs[seed][1].metrics.read_bytes()


def test_a_seed_that_fails_stops_no_other(study):
    study.runs[1][1].metrics.mkdir()  # where its results should go
    done = study.command(*SEEDS)
    assert done.returncode == 1
    assert "error: mine/resnet18/seed-1: not trained, for the reason above" in done.stderr
    assert "metrics.json" in done.stderr
    assert study.metrics(2).run.seed == 2


def test_runs_of_another_reading_are_refused(study):
    path = study.runs[1][1].run
    other = read_record(path, RunFile, "").model_copy(update={"epochs": 9})
    write_json(path, other)
    done = study.command(0, 1)
    assert done.returncode == 1
    assert "seed-1/run.json: differs from" in done.stderr
    assert "in more than its seed; allowed: the seeds of one reading" in done.stderr


def test_a_stop_in_the_second_seed_loses_nothing(study, tmp_path, monkeypatch, no_clock):
    monkeypatch.chdir(study.folder)
    options = RunOptions(study=StudyFolder(study.folder / "results" / "probe"))
    real = engine._append

    def append(log, epoch):
        real(log, epoch)
        if "seed-1" in str(log):
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(engine, "_append", append)
        with pytest.raises(Stopped, match=r"seed-1: stopped by SIGTERM in epoch 2"):
            list(train_runs(study.runs, study.dataset, "cpu", study.weights, options))
    first = study.metrics(0)
    assert not study.runs[1][1].metrics.exists()
    list(train_runs(study.runs, study.dataset, "cpu", study.weights, options))
    assert study.metrics(0) == first
    assert [study.metrics(seed).resumed for seed in SEEDS] == [0, 1, 0]
    alone = Study(tmp_path / "alone")
    assert alone.command(1).returncode == 0
    assert study.predictions(1) == alone.predictions(1)
