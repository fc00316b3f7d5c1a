"""Checkpoints that are damaged, foreign or cannot be read, and what is kept of them."""

import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from crashed_runs import (
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

from child_runs import Home
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.run.metrics import Code
from resnet_sizes.training import tensor_files
from resnet_sizes.training.job import run as run_module
from resnet_sizes.training.supervision import checkpoints
from resnet_sizes.training.supervision.checkpoints import Checkpoints

__all__ = ["_everything_is_told", "crashed", "crashed_once", "home", "not_begun", "whole"]


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
def test_without_a_whole_checkpoint_the_run_starts_from_the_beginning(
    crashed, whole, damage, caplog
):
    for path in crashed.checkpoints():
        damage(path)
    metrics = train(crashed)
    assert "no checkpoint here can be used; the run starts from the beginning" in caplog.text
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

    patch.setattr(checkpoints, "_check_readable", refused)


def refuse_the_library(error: Exception) -> Callable[[pytest.MonkeyPatch], None]:
    def refused(*_: object, **__: object) -> None:
        raise error

    return lambda patch: patch.setattr(tensor_files, "safe_open", refused)


@pytest.mark.parametrize(
    ("refuse", "reason"),
    [
        (refuse_the_disk, "Input/output error"),
        (refuse_the_library(OSError(errno.EMFILE, "Too many open files")), "Too many open files"),
        (refuse_the_library(MemoryError()), "memory is short"),
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


def test_what_killed_attempts_had_half_written_is_removed(crashed):
    folder = crashed.checkpoints()[-1].parent
    half = folder / ".epoch-00004-step-0000002.safetensors.x1y2.tmp.safetensors"
    half.touch()
    assert Checkpoints(folder).newest(content_hash(crashed.run), training_code_hash())
    assert not half.exists()
