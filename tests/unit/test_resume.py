"""A run that was stopped or killed goes on from its checkpoint, and ends as if it had not been."""

import json
import os
import shutil
import signal
import time

import pytest
from crashed_runs import (
    STEPS,
    Crash,
    _everything_is_told,
    at_step,
    crash,
    crashed,
    crashed_once,
    home,
    not_begun,
    train,
    whole,
)

from child_runs import PROBE, Home
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import Stopped
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.job import checkpointing, results
from resnet_sizes.training.job import run as run_module
from small_runs import CPU

__all__ = ["_everything_is_told", "crashed", "crashed_once", "home", "not_begun", "whole"]


def test_a_crashed_run_goes_on_and_ends_as_if_it_had_not_crashed(crashed, whole, caplog):
    assert [path.stem for path in crashed.checkpoints()] == [
        "epoch-00003-step-0000003",
        "epoch-00004-step-0000001",
    ]
    metrics = train(crashed)
    assert "goes on in epoch 4 after step 1, from its checkpoint" in caplog.text
    assert crashed.result() == whole.result()
    assert metrics.resumed == 1
    assert (metrics.resumptions[0].epoch, metrics.resumptions[0].step) == (4, 1)


def test_of_an_interrupted_run_nothing_is_left_in_the_work_folder(crashed):
    train(crashed)
    assert not (crashed.work / content_hash(crashed.run)).exists()


def test_the_log_has_each_epoch_once(crashed):
    with crashed.files.log.open("a", encoding="utf-8") as log:
        log.write('{"epoch": 4, "train_lo')  # a kill in the middle of a line
    train(crashed)
    lines = crashed.files.log.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]


def test_a_signal_stops_after_the_step_with_a_checkpoint(home, whole, monkeypatch):
    at_step(monkeypatch, 8, lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Stopped) as stopped:
        train(home, checkpoint_minutes=60)
    assert stopped.value.status == 143
    assert "stopped by SIGTERM in epoch 3 after step 2" in str(stopped.value)
    assert "the same command goes on from there" in str(stopped.value)
    assert home.checkpoints()[-1].stem == "epoch-00003-step-0000002"
    assert train(home).resumed == 1
    assert home.result() == whole.result()


def stopped_in_evaluation(home: Home, patch: pytest.MonkeyPatch, epoch: int) -> Stopped:
    """A run that is interrupted in the evaluation after an epoch."""
    evaluate = Trainer.test_logits
    count = 0

    def signalled(self: Trainer, *arguments: object) -> object:
        nonlocal count
        count += 1
        if count == epoch:
            os.kill(os.getpid(), signal.SIGINT)
        return evaluate(self, *arguments)

    patch.setattr(Trainer, "test_logits", signalled)
    with pytest.raises(Stopped) as stopped:
        train(home, checkpoint_minutes=60)
    return stopped.value


def test_a_signal_in_the_evaluation_keeps_the_whole_epoch_s_steps(home, whole, monkeypatch):
    assert stopped_in_evaluation(home, monkeypatch, epoch=2).status == 130
    assert home.checkpoints()[-1].stem == f"epoch-00002-step-{STEPS:07d}"
    train(home)
    assert home.result() == whole.result()


def test_a_schedule_goes_on_where_only_the_first_evaluation_was_left(tmp_path, monkeypatch):
    reading = PROBE | {"optimizer": "sgd", "momentum": 0.9, "schedule": "cosine"}
    home = Home.of_probe(tmp_path / "home", reading=reading, epochs=3)
    whole = home.copy_to(tmp_path / "whole")
    train(whole)
    stopped_in_evaluation(home, monkeypatch, epoch=1)
    assert train(home).resumed == 1  # without a warning, which would be an error here
    assert home.result() == whole.result()


def test_the_signals_are_those_of_before_when_a_run_has_ended(home):
    before = signal.getsignal(signal.SIGTERM)
    train(home)
    assert signal.getsignal(signal.SIGTERM) == before


def test_times_count_only_work_that_was_kept(home, monkeypatch):
    step = Trainer._step
    count = 0

    def slow(self: Trainer, *arguments: object) -> object:
        nonlocal count
        count += 1
        time.sleep(1.0 if count == 5 else 0.1 if count < 5 else 0)
        if count == 5:
            raise Crash
        return step(self, *arguments)

    monkeypatch.setattr(Trainer, "_step", slow)
    with pytest.raises(Crash):
        train(home)
    metrics = train(home)
    by_epoch = [epoch.training_seconds for epoch in metrics.epochs]
    assert 0.3 <= by_epoch[0] < 0.9
    assert 0.1 <= by_epoch[1] < 0.9  # the step that was kept, and not the one that was lost
    assert sum(by_epoch[2:]) < 0.4


def test_the_code_is_that_with_which_the_run_began(home, monkeypatch):
    began = training_code_hash()

    def edit() -> None:
        monkeypatch.setattr(results, "training_code_hash", lambda: "f" * 64)

    at_step(monkeypatch, 5, edit)
    assert train(home).code.training_hash == began


def test_other_threads_are_recorded(crashed, monkeypatch):
    describe = run_module.describe
    monkeypatch.setattr(
        run_module,
        "describe",
        lambda device, gpu: describe(device, gpu).model_copy(update={"threads": 7}),
    )
    metrics = train(crashed)
    assert metrics.resumptions[0].before.threads == 1


def test_other_versions_are_recorded(crashed, monkeypatch):
    versions = run_module.versions
    monkeypatch.setattr(run_module, "versions", lambda device: versions(device) | {"torch": "9.0"})
    metrics = train(crashed)
    assert metrics.versions["torch"] == "9.0"
    assert metrics.resumptions[0].versions_before == {"torch": versions(CPU)["torch"]}


def test_another_device_goes_on_and_is_recorded(crashed, monkeypatch):
    here = run_module.describe(CPU, None)
    elsewhere = Device(kind="cpu", name="another processor", threads=1)
    monkeypatch.setattr(run_module, "describe", lambda device, gpu: elsewhere)
    metrics = train(crashed)
    assert [each.device for each in metrics.resumptions] == ["another processor"]
    assert [each.before for each in metrics.resumptions] == [here]
    assert metrics.resumptions[0].versions_before == {}


def test_results_that_cannot_be_written_cost_no_training(home, whole, monkeypatch):
    home.files.folder.mkdir(exist_ok=True)
    home.files.predictions.mkdir()  # no file can take its place
    (home.files.predictions / "x").touch()
    with pytest.raises(run_module.WriteError, match=r"predictions.*cannot be written.*Move"):
        train(home, checkpoint_minutes=60)
    assert not home.files.metrics.exists()
    shutil.rmtree(home.files.predictions)
    at_step(monkeypatch, 1, crash)  # no step is made again
    assert train(home).resumed == 1
    assert home.result() == whole.result()


def test_the_peak_of_memory_is_that_of_all_attempts(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "peak_memory", lambda device: 10**15)
        at_step(patch, 5, crash)
        with pytest.raises(Crash):
            train(home)
    assert train(home).peak_memory_bytes == 10**15


def test_a_last_line_that_was_refused_is_written_once_there_is_room(home, monkeypatch):
    def refuse() -> None:
        home.files.log.unlink()
        home.files.log.mkdir()

    at_end_of_epoch = checkpointing.Checkpointer.at_end_of_epoch

    def permit(self: checkpointing.Checkpointer) -> None:
        at_end_of_epoch(self)
        if home.files.log.is_dir():
            home.files.log.rmdir()

    monkeypatch.setattr(checkpointing.Checkpointer, "at_end_of_epoch", permit)
    at_step(monkeypatch, 6 * STEPS, refuse)
    train(home)
    lines = home.files.log.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
