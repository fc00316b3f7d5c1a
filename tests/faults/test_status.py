"""`resnet-sizes status` beside runs that go on, end, fail, are stopped and are killed."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread

import pytest
from looked_studies import LOG, ago, done, home, looked, shown, train, trained
from test_failing_runs import losses_are_nan
from test_stops import slow_steps

from child_runs import wait_until
from copied_process import copied
from pretend_gpus import PretendGpus, uuid
from resnet_sizes.io.locks import is_held
from resnet_sizes.schemas.paths import PROGRESS
from resnet_sizes.training.supervision.progress import ProgressFile
from small_runs import small_arrays, write_small_dataset
from study_homes import TRAINED, StudyHome

__all__ = ["done", "home"]


@pytest.fixture
def slow(home: StudyHome) -> Iterator[BaseProcess]:
    """A run with slow steps that has ended an epoch, and tells of itself more often than others."""

    def slower_and_told() -> None:
        slow_steps()
        slow_steps()
        ProgressFile.is_due.__defaults__ = (0.2,)

    process = home.fork(before=slower_and_told, log=LOG)
    wait_until(lambda: (told := home.progress()) and told.remaining_seconds and told.epoch > 1)
    yield process
    process.kill()
    process.join()


def test_a_run_in_another_process_shows_epoch_loss_time_and_device(
    home: StudyHome, slow: BaseProcess
) -> None:
    run = trained()
    assert run.state == "running"
    assert run.progress
    assert run.progress.process == slow.pid
    assert run.progress.device
    assert run.progress.device.kind == "cpu"
    assert 0 < run.progress.loss < 3
    assert 0 < run.remaining_seconds < 60
    text = shown()
    assert text.startswith("tiny: 0 of 2 runs done, 1 running, 1 waiting")
    row = next(line for line in text.splitlines() if line.startswith(TRAINED))
    assert re.search(r"running +epoch [1-4]/4, step \d+/10, loss \d\.\d{4} +[\d.]+ s", row), row
    assert f"process {slow.pid}" in row


def test_a_run_that_waits_for_a_device_says_who_holds_it(home: StudyHome, tmp_path: Path) -> None:
    gpus = PretendGpus(tmp_path / "machine")
    gpus.are("a")
    holder = gpus.hold("another-run")
    wait_until(holder.begun)
    process = home.fork("--device", "auto", before=gpus.enter, log=LOG)
    try:
        wait_until(lambda: "waits until a run ends" in home.said(LOG))
        run = trained()
        assert run.state == "running"
        assert f"GPU 0 (Pretend GPU, {uuid('a')}): another-run (process" in run.note
        assert "waiting for a device; the GPU that it may use is taken" in shown()
    finally:
        holder.end()
        process.join()
    assert process.exitcode == 0, home.said(LOG)


def test_a_killed_run_is_stale_and_goes_on_to_done(home: StudyHome, slow: BaseProcess) -> None:
    slow.kill()
    slow.join()
    run = trained()
    assert run.state == "stale"
    assert f"process {slow.pid} on " in run.note
    assert run.log == LOG
    assert "epoch 1/4" in "\n".join(run.last_lines)
    assert run.goes_on_from
    assert f"log: {LOG}" in shown()
    train(home)
    run = trained()
    assert run.state == "done"
    assert run.test_accuracy == home.metrics().final_test_accuracy
    assert not home.home.exists()


def test_a_stopped_run_waits_and_says_where_it_goes_on(home: StudyHome, slow: BaseProcess) -> None:
    slow.terminate()
    slow.join()
    assert slow.exitcode == 128 + signal.SIGTERM
    run = trained()
    assert run.state == "waiting"
    assert "stopped by SIGTERM" in run.note
    kept = re.fullmatch(r"epoch-(\d+)-step-(\d+)", home.checkpoints()[-1].stem)
    assert kept
    assert run.goes_on_from
    assert (run.goes_on_from.epoch, run.goes_on_from.step) == (int(kept[1]), int(kept[2]))
    assert re.search(r"waiting .*goes on in epoch \d after step \d", shown())


def test_a_run_that_fails_shows_its_error_and_its_log(home: StudyHome) -> None:
    process = home.fork(before=losses_are_nan, log=LOG)
    process.join()
    assert process.exitcode == 1
    run = trained()
    assert run.state == "failed"
    assert "is nan (learning rate 0.0005" in run.last_lines[0]
    text = shown()
    assert text.startswith("tiny: 0 of 2 runs done, 1 waiting, 1 failed")
    assert "Lower training.learning_rate" in text
    assert f"log: {LOG}" in text


def test_a_run_that_fails_before_its_first_step_has_failed(home: StudyHome) -> None:
    write_small_dataset(home.dataset, small_arrays(60, 20))
    process = home.fork(log=LOG)
    process.join()
    assert process.exitcode == 1
    assert trained().state == "failed"
    assert "but the run was planned for" in shown()
    (home.home / PROGRESS).unlink()  # one that failed before it could report
    assert trained().state == "failed"
    assert "but the run was planned for" in shown()


def test_a_second_attempt_takes_away_the_failure_of_the_first(home: StudyHome) -> None:
    process = home.fork(before=losses_are_nan, log=LOG)
    process.join()
    process = home.fork(before=slow_steps, log=LOG)
    try:
        wait_until(lambda: (told := home.progress()) and not told.ended)
        assert trained().state == "running"
    finally:
        process.kill()
        process.join()


def test_results_of_other_settings_are_outdated(done: StudyHome, home: StudyHome) -> None:
    train(home)
    assert trained().state == "done"
    home.ask_for(learning_rate=0.001)
    run = trained()
    assert run.state == "outdated"
    assert "learning_rate" in run.note


def test_results_without_predictions_are_invalid(home: StudyHome) -> None:
    train(home)
    home.files.predictions.unlink()
    run = trained()
    assert run.state == "invalid"
    assert "predictions.safetensors" in run.note


@pytest.mark.parametrize(("silent", "state"), [(30, "running"), (300, "stale")])
def test_a_run_on_another_machine_is_judged_by_when_it_was_heard_of(
    home: StudyHome, slow: BaseProcess, silent: float, state: str
) -> None:
    slow.kill()
    slow.join()
    home.change_progress(host="elsewhere", updated=ago(silent))
    assert trained().state == state


def test_the_rest_of_a_study_is_that_of_its_runs_where_all_of_them_can_be_estimated(
    home: StudyHome,
) -> None:
    home.tell(epoch=2, step=3, remaining_seconds=100)
    assert looked().remaining_seconds is None  # nothing like the waiting run has been finished
    home.ask_for(seeds=[0])
    home.tell(epoch=2, step=3, remaining_seconds=100)
    left = looked().remaining_seconds
    assert left is not None
    assert 80 < left <= 100
    assert "about 1 min" in shown()


def test_a_process_that_has_the_number_of_a_killed_run_is_not_taken_for_it(
    home: StudyHome, slow: BaseProcess
) -> None:
    slow.kill()
    slow.join()
    living = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        told = home.progress()
        assert told
        home.change_progress(process=living.pid, process_started=told.process_started - 3600)
        assert trained().state == "stale"
    finally:
        living.kill()
        living.wait()


def test_a_disk_that_refuses_the_progress_file_stops_no_run(
    done: StudyHome, home: StudyHome
) -> None:
    (home.home / PROGRESS).mkdir(parents=True)  # no file can take its place
    train(home)
    assert home.result() == done.result()


def test_looking_writes_nothing_and_delays_no_run(home: StudyHome) -> None:
    lock = home.home.with_name(f".{home.home.name}.lock")
    lock.unlink(missing_ok=True)
    assert is_held(home.home) is False
    assert not lock.exists()
    over = Event()
    seen = set()

    def look() -> None:
        while not over.is_set():
            seen.add(is_held(home.home))
            time.sleep(0.001)

    looking = Thread(target=look)
    process = home.fork(before=slow_steps, log=LOG)
    looking.start()
    try:
        wait_until(lambda: (told := home.progress()) and told.device)
        stamp = lock.stat()
        assert is_held(home.home) is True
        assert (lock.stat().st_mtime_ns, lock.stat().st_size) == (stamp.st_mtime_ns, stamp.st_size)
    finally:
        over.set()
        looking.join()
        process.kill()
        process.join()
    assert seen == {False, True}
    assert "another process" not in home.said(LOG)


def test_the_watch_ends_by_itself_when_all_runs_are_done(home: StudyHome) -> None:
    home.ask_for(seeds=[0])
    watching = subprocess.Popen(
        [sys.executable, "-m", "resnet_sizes", "status", "tiny", "--watch"],
        cwd=home.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    process = home.fork(before=slow_steps, log=LOG)
    output, _ = watching.communicate(timeout=60)
    process.join()
    assert watching.returncode == 0
    assert "tiny: 1 of 1 runs done" in output
    assert output.strip().endswith("All runs are done.")


def test_nothing_is_read_of_torch_and_an_answer_takes_two_seconds_at_most(home: StudyHome) -> None:
    code = (
        "import sys, time; start = time.monotonic(); sys.argv = ['', 'status', 'tiny']\n"
        "from resnet_sizes.cli.app import app\n"
        "app(standalone_mode=False)\n"
        "print(time.process_time(), 'torch' in sys.modules, file=sys.stderr)"
    )
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    seconds, torch = made.stderr.split()[-2:]
    assert torch == "False"
    assert float(seconds) < 2


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("results/none/study.json", "resnet-sizes study write"),
        ("none", "results/none/study.json: no such file"),
        ("none", "Studies that have begun here: tiny"),
    ],
)
def test_a_study_that_has_not_begun_is_an_error_with_what_to_do(
    home: StudyHome, named: str, said: str
) -> None:
    made = copied().run(["status", named], home.folder)
    assert made.returncode == 1
    assert said in made.stderr
    assert "Traceback" not in made.stderr


def test_what_a_log_holds_cannot_steer_the_terminal(home: StudyHome) -> None:
    path = home.folder / LOG
    path.write_text("2026-11-24 12:00:00 error: \x1b[2J[bold]no[/bold]\n", encoding="utf-8")
    text = shown()
    assert "\x1b" not in text
    assert "[bold]no[/bold]" in text
