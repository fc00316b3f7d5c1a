"""Runs that fail of themselves: what is told, and what is on the disk afterwards."""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from test_stops import WAITS, each_step, in_mid_run

from child_runs import Home, wait_until
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.training.job import results, run


def failed(home: Home, before: Callable[[], object], *options: str) -> str:
    """The error of a run in which something is made to fail."""
    process = home.fork(*options, before=before)
    process.join()
    assert process.exitcode == 1, home.said()
    assert "Traceback" not in home.said()
    assert not home.files.metrics.exists()
    assert not home.files.predictions.exists()
    return home.said().rsplit("error: ", 1)[1]


def losses_are_nan() -> None:
    cross_entropy = torch.nn.functional.cross_entropy
    count = 0

    def nan_later(*arguments: object, **options: object) -> torch.Tensor:
        nonlocal count
        count += 1
        loss = cross_entropy(*arguments, **options)  # type: ignore[arg-type]
        return loss * float("nan") if count == 10 else loss

    torch.nn.functional.cross_entropy = nan_later  # type: ignore[assignment]


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_epochs_before(home: Home) -> None:
    error = failed(home, losses_are_nan)
    assert "is nan (learning rate 0.0005, precision fp32)" in error
    assert "Lower training.learning_rate" in error
    assert len(home.files.log.read_text(encoding="utf-8").splitlines()) == 2


def out_of_memory(number: int) -> None:
    if number == 8:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")


def test_without_memory_the_remedy_is_named_and_the_run_goes_on_later(
    home: Home, whole: Home
) -> None:
    error = failed(home, each_step(out_of_memory), "--checkpoint-minutes", "0")
    assert "the device ran out of memory with batch_size 16" in error
    assert "Set training.evaluation_batch_size below" in error
    assert home.checkpoints()[-1].stem == "epoch-00003-step-0000001"
    home.finish()
    assert home.result() == whole.result()


LONG_AGO = "2020-01-01T00:00:00Z"


def the_clock_jumps_back(number: int) -> None:
    if number == 5:
        clock, wall = time.time, "utc_now"
        time.time = lambda: clock() - 200_000_000
        for module in (results, run):
            setattr(module, wall, lambda: LONG_AGO)


def test_a_clock_that_jumps_back_changes_no_time_and_no_result(home: Home, whole: Home) -> None:
    process = home.fork("--checkpoint-minutes", "0", before=each_step(the_clock_jumps_back))
    process.join()
    assert process.exitcode == 0, home.said()
    assert home.result() == whole.result()
    for epoch in home.metrics().epochs:
        assert 0 < epoch.training_seconds < 60
        assert 0 < epoch.evaluation_seconds < 60
    assert 0 < home.metrics().training_seconds < 300
    assert home.metrics().finished == LONG_AGO < home.metrics().started


def test_results_are_taken_from_another_process_whose_clock_jumped_back(
    home: Home, whole: Home
) -> None:
    def slow_on_a_clock_that_jumps_back(number: int) -> None:
        the_clock_jumps_back(number)
        time.sleep(0.3)

    first = home.fork(before=each_step(slow_on_a_clock_that_jumps_back))
    wait_until(in_mid_run(home))
    second = home.fork(log="second.txt")
    wait_until(lambda: WAITS in home.said("second.txt"))
    for process in (first, second):
        process.join(60)
        assert process.exitcode == 0
    assert "the other process has finished it" in home.said("second.txt")
    assert home.metrics().finished == LONG_AGO
    assert home.result() == whole.result()


def test_old_results_are_not_taken_for_those_of_the_process_that_was_waited_for(
    whole: Home, tmp_path: Path
) -> None:
    home = whole.copy_to(tmp_path)
    first = home.fork(before=each_step(lambda number: time.sleep(0.3)))
    wait_until(in_mid_run(home))
    second = home.fork(log="second.txt")
    wait_until(lambda: WAITS in home.said("second.txt"))
    first.kill()
    second.join(60)
    assert second.exitcode == 0
    assert "the other process has finished it" not in home.said("second.txt")
    assert "goes on in epoch" in home.said("second.txt")
    assert home.metrics().resumed == 1
    assert home.result() == whole.result()


def test_a_clock_that_went_back_between_two_attempts_finds_the_newest_checkpoint(
    home: Home, whole: Home
) -> None:
    failed(home, each_step(out_of_memory), "--checkpoint-minutes", "0")
    newest = home.checkpoints()[-1]
    import os

    os.utime(newest, (1_000_000_000, 1_000_000_000))  # older than the one before, by its time
    home.finish()
    assert "goes on in epoch 3 after step 1" in home.said()
    assert home.result() == whole.result()
    assert not (home.work / content_hash(home.run)).exists()
