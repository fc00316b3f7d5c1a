"""A run that was stopped or killed goes on from its checkpoint, and ends as if it had not been."""

import errno
import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from child_runs import PROBE, Home
from resnet_sizes.records.base import content_hash
from resnet_sizes.records.code import training_code_hash
from resnet_sizes.records.errors import Stopped, UserError
from resnet_sizes.records.metrics import Code, Device, Metrics
from resnet_sizes.training import checkpoints, keeping, provenance
from resnet_sizes.training import run as run_module
from resnet_sizes.training.checkpoints import Checkpoints
from resnet_sizes.training.loop import Trainer
from resnet_sizes.training.turn import Care, train_run
from small_runs import CPU

STEPS = 3
"""Steps of an epoch."""


class Crash(Exception):
    """What no code of ours catches."""


def train(home: Home, checkpoint_minutes: float = 0, work: Path | None = None) -> Metrics:
    care = Care(work=work or home.work, checkpoint_minutes=checkpoint_minutes)
    return train_run(home.run, home.dataset, home.files, "cpu", home.weights, care)


@pytest.fixture(autouse=True)
def _everything_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="resnet_sizes")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run that was left alone."""
    home = Home.of_probe(tmp_path_factory.mktemp("whole"))
    train(home)
    return home


@pytest.fixture(scope="module")
def not_begun(whole: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same run, but for its features not begun."""
    return whole.not_begun(tmp_path_factory.mktemp("not-begun"))


@pytest.fixture
def home(not_begun: Home, tmp_path: Path) -> Home:
    return not_begun.copy_to(tmp_path)


def at_step(patch: pytest.MonkeyPatch, number: int, happens: Callable[[], object]) -> None:
    """Have something happen at the beginning of the nth step from now."""
    step = Trainer._step
    count = 0

    def counted(self: Trainer, *arguments: object) -> object:
        nonlocal count
        count += 1
        if count == number:
            happens()
        return step(self, *arguments)

    patch.setattr(Trainer, "_step", counted)


def crash() -> None:
    raise Crash


@pytest.fixture(scope="module")
def crashed_once(not_begun: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run that crashed in its 11th step: the second of its fourth epoch."""
    home = not_begun.copy_to(tmp_path_factory.mktemp("crashed"))
    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, 11, crash)
        with pytest.raises(Crash):
            train(home)
    return home


@pytest.fixture
def crashed(crashed_once: Home, tmp_path: Path) -> Home:
    return crashed_once.copy_to(tmp_path)


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


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-100] ^= 4
    path.write_bytes(content)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def change_the_record(path: Path) -> None:
    content = path.read_bytes()
    changed = content.replace(b'\\"step\\":1', b'\\"step\\":2')
    assert changed != content
    path.write_bytes(changed)


def overwrite(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 not a checkpoint")


DAMAGES = [truncate, flip_a_bit, empty, change_the_record, overwrite]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(crashed, whole, damage, caplog):
    newest = crashed.checkpoints()[-1]
    damage(newest)
    metrics = train(crashed)
    assert f"{newest}: is " in caplog.text
    assert "and is not used" in caplog.text
    assert "goes on in epoch 3 after step 3" in caplog.text
    assert metrics.resumed == 1
    assert crashed.result() == whole.result()


@pytest.mark.parametrize("damage", DAMAGES[:2])
def test_without_a_whole_checkpoint_the_run_begins_anew_and_says_so(crashed, whole, damage, caplog):
    for path in crashed.checkpoints():
        damage(path)
    metrics = train(crashed)
    assert "no checkpoint here can be used; the run begins anew" in caplog.text
    assert metrics.resumed == 0
    assert crashed.result() == whole.result()


def test_a_checkpoint_of_another_run_is_not_used(crashed, whole, tmp_path, caplog):
    other = Home.of_probe(tmp_path / "other", seed=1)
    theirs = other.work / content_hash(other.run)
    shutil.copytree(crashed.work, other.work)
    (other.work / content_hash(crashed.run)).rename(theirs)
    assert train(other).resumed == 0
    assert "belongs to another run and is not used" in caplog.text
    assert other.result() != whole.result()


OTHER_CODE = Code(training_hash="f" * 64, git_commit=None, git_dirty=None)


def test_a_checkpoint_of_other_training_code_is_not_used(crashed, whole, monkeypatch, caplog):
    monkeypatch.setattr(run_module, "code", lambda: OTHER_CODE)
    kept = {path.name: path.read_bytes() for path in crashed.checkpoints()}
    with monkeypatch.context() as patch:
        at_step(patch, 1, crash)
        with pytest.raises(Crash):
            train(crashed)
    assert "was written by another version of the training code and is not used" in caplog.text
    for name, content in kept.items():
        assert f"for that version it is kept as {name}.unused" in caplog.text
        [aside] = crashed.work.rglob(f"{name}.unused")
        assert aside.read_bytes() == content
    [resumption] = train(crashed).resumptions  # from what the other version wrote itself
    assert (resumption.epoch, resumption.step) == (1, 0)
    assert crashed.result() == whole.result()


def refuse_the_disk(patch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    patch.setattr(checkpoints, "_look_through", refused)


def refuse_the_library(error: Exception) -> Callable[[pytest.MonkeyPatch], None]:
    def refused(*_: object, **__: object) -> None:
        raise error

    return lambda patch: patch.setattr(checkpoints, "safe_open", refused)


@pytest.mark.parametrize(
    ("refuse", "reason"),
    [
        (refuse_the_disk, "Input/output error"),
        (refuse_the_library(OSError(errno.EMFILE, "Too many open files")), "Too many open files"),
        (refuse_the_library(MemoryError()), "memory is short"),
        (refuse_the_library(RuntimeError("unable to mmap 9 bytes")), "unable to mmap 9 bytes"),
    ],
)
def test_a_checkpoint_that_cannot_be_read_for_now_is_kept(
    crashed, whole, monkeypatch, refuse, reason
):
    kept = crashed.checkpoints()
    with monkeypatch.context() as patch:
        refuse(patch)
        with pytest.raises(UserError, match=f"cannot be read for now .{reason}"):
            train(crashed)
    assert crashed.checkpoints() == kept
    assert train(crashed).resumed == 1
    assert crashed.result() == whole.result()


@pytest.mark.parametrize("damage", [None, truncate])
def test_checkpoints_that_cannot_be_used_take_no_place_from_new_ones(
    crashed, whole, damage, monkeypatch
):
    for path in crashed.checkpoints():  # of later steps than those that follow
        if damage:
            damage(path)
    monkeypatch.setattr(run_module, "code", lambda: OTHER_CODE)
    with monkeypatch.context() as patch:
        at_step(patch, 2, crash)
        with pytest.raises(Crash):
            train(crashed)
    assert crashed.checkpoints()[-1].stem == "epoch-00001-step-0000001"
    assert train(crashed).resumed == 1
    assert crashed.result() == whole.result()


def test_the_code_is_that_with_which_the_run_began(home, monkeypatch):
    began = training_code_hash()

    def edit() -> None:
        monkeypatch.setattr(provenance, "training_code_hash", lambda: "f" * 64)

    at_step(monkeypatch, 5, edit)
    assert train(home).code.training_hash == began


def test_more_threads_are_told(crashed, monkeypatch, caplog):
    describe = run_module.describe
    monkeypatch.setattr(
        run_module,
        "describe",
        lambda device, gpu: describe(device, gpu).model_copy(update={"threads": 7}),
    )
    metrics = train(crashed)
    assert "7 threads: from here on its numbers are rounded otherwise" in caplog.text
    assert metrics.resumptions[0].before.threads == 1


def test_other_versions_are_told_and_recorded(crashed, monkeypatch, caplog):
    versions = run_module.versions
    monkeypatch.setattr(run_module, "versions", lambda device: versions(device) | {"torch": "9.0"})
    metrics = train(crashed)
    assert "was begun with other versions of torch" in caplog.text
    assert metrics.versions["torch"] == "9.0"
    assert metrics.resumptions[0].versions_before == {"torch": versions(CPU)["torch"]}


def test_another_device_goes_on_and_is_recorded(crashed, monkeypatch, caplog):
    here = run_module.describe(CPU, None)
    elsewhere = Device(kind="cpu", name="another processor", threads=1)
    monkeypatch.setattr(run_module, "describe", lambda device, gpu: elsewhere)
    metrics = train(crashed)
    assert (
        "goes on on another processor, 1 threads: from here on its numbers are rounded"
        in caplog.text
    )
    assert [each.device for each in metrics.resumptions] == ["another processor"]
    assert [each.before for each in metrics.resumptions] == [here]
    assert metrics.resumptions[0].versions_before == {}


def test_two_checkpoints_are_kept_at_most(home, monkeypatch):
    counts = []
    write = Checkpoints.write

    def counted(self: Checkpoints, *arguments: object) -> bool:
        written = write(self, *arguments)
        counts.append(len(home.checkpoints()))
        return written

    monkeypatch.setattr(Checkpoints, "write", counted)
    train(home)
    assert max(counts) == 2
    assert len(counts) > 6


def test_no_flipped_bit_of_a_checkpoint_passes(crashed):
    newest = crashed.checkpoints()[-1]
    for path in crashed.checkpoints()[:-1]:
        path.unlink()
    content = newest.read_bytes()
    wanted = content_hash(crashed.run), training_code_hash()
    assert Checkpoints(newest.parent).newest(*wanted) is not None
    draw = random.Random(0)
    header = 8 + int.from_bytes(content[:8], "little")
    places = [draw.randrange(header) for _ in range(300)]
    places += [draw.randrange(header, len(content)) for _ in range(100)]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << draw.randrange(8)
        newest.write_bytes(damaged)
        found = Checkpoints(newest.parent).newest(*wanted)
        assert found is None, f"bit of byte {place}"


def test_a_checkpoint_that_cannot_be_written_stops_no_run(home, whole, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("in place of a folder")
    train(home, work=blocked)
    assert "cannot be written" in caplog.text
    assert "The run goes on" in caplog.text
    assert home.result() == whole.result()


def test_results_that_cannot_be_written_cost_no_training(home, whole, monkeypatch):
    home.files.folder.mkdir(exist_ok=True)
    home.files.predictions.mkdir()  # no file can take its place
    (home.files.predictions / "x").touch()
    with pytest.raises(run_module.WriteError, match=r"predictions.*cannot be written.*Make room"):
        train(home, checkpoint_minutes=60)
    assert not home.files.metrics.exists()
    shutil.rmtree(home.files.predictions)
    at_step(monkeypatch, 1, crash)  # no step is made again
    assert train(home).resumed == 1
    assert home.result() == whole.result()


def test_what_killed_attempts_had_half_written_is_removed(crashed):
    folder = crashed.checkpoints()[-1].parent
    half = folder / ".epoch-00004-step-0000002.safetensors.x1y2.tmp.safetensors"
    half.touch()
    assert Checkpoints(folder).newest(content_hash(crashed.run), training_code_hash())
    assert not half.exists()


def test_the_peak_of_memory_is_that_of_all_attempts(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(keeping, "peak_memory", lambda device: 10**15)
        at_step(patch, 5, crash)
        with pytest.raises(Crash):
            train(home)
    assert train(home).peak_memory_bytes == 10**15


def test_a_last_line_that_was_refused_is_written_once_there_is_room(home, monkeypatch):
    def refuse() -> None:
        home.files.log.unlink()
        home.files.log.mkdir()

    at_end_of_epoch = keeping.Keeper.at_end_of_epoch

    def permit(self: keeping.Keeper) -> None:
        at_end_of_epoch(self)
        if home.files.log.is_dir():
            home.files.log.rmdir()

    monkeypatch.setattr(keeping.Keeper, "at_end_of_epoch", permit)
    at_step(monkeypatch, 6 * STEPS, refuse)
    train(home)
    lines = home.files.log.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4, 5, 6]
