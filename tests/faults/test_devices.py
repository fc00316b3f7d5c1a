"""Runs that want devices: each has one to itself, and what is shared is said."""

import os
import re
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from test_stops import in_mid_run, slow_steps

from child_runs import FORK, Home, wait_until
from pretend_gpus import PretendGpus, overlaps, uuid
from resnet_sizes.schemas.run.metrics import Sharing
from resnet_sizes.training.devices.gpu_slots import device_slot
from resnet_sizes.training.devices.locks import LOCKS
from resnet_sizes.training.supervision.stopping import TIME_IS_UP

RUN = {"images": 160, "epochs": 4}
"""Forty steps."""


@pytest.fixture
def gpus(tmp_path: Path) -> PretendGpus:
    return PretendGpus(tmp_path / "machine")


def test_three_times_as_many_runs_as_devices_never_meet_on_one(gpus: PretendGpus) -> None:
    gpus.are("a", "b", "c")
    runs = [gpus.hold(f"run-{number}", seconds=1.5) for number in range(9)]
    records = [run.record() for run in runs]
    assert overlaps(records) == []
    assert {record["visible"] for record in records} == {uuid("a"), uuid("b"), uuid("c")}
    assert {record["index"] for record in records} == {0, 1, 2}
    assert not any(record["torch"] for record in records)
    waited = [run for run in runs if "waits until a run ends" in run.said()]
    assert len(waited) >= 6, "the first three alone found a device at once"


def test_runs_that_meet_on_a_device_would_be_seen() -> None:
    times = {"visible": "x", "since": 0.0, "until": 2.0}
    met = [{"run": "a"} | times, {"run": "b"} | times | {"since": 1.0}]
    assert overlaps(met) == [("a", "b")]


def test_a_wait_names_who_holds_the_devices_and_ends_when_one_is_killed(gpus: PretendGpus) -> None:
    gpus.are("a", "b")
    first, second = gpus.hold("first"), gpus.hold("second")
    wait_until(lambda: first.begun() and second.begun())
    third = gpus.hold("third", seconds=0)
    wait_until(lambda: "waits until a run ends" in third.said())
    said = third.said()
    assert "all 2 GPUs that it may use are taken" in said
    for holder in (first, second):
        assert f"(process {holder.process.pid}, since 20" in said
    killed = time.monotonic()
    freed = second.visible()
    second.end()
    record = third.record()
    first.end()
    assert record["visible"] == freed
    assert record["since"] - killed < 3  # type: ignore[operator]


@pytest.mark.parametrize(
    ("visible", "device", "taken"),
    [
        ("2,0", "auto", "c"),
        ("1", "auto", "b"),
        (uuid("b"), "auto", "b"),
        ("GPU-c", "cuda", "c"),
        (None, "cuda:1", "b"),
        ("2,0", "cuda:1", "a"),
        ("", "auto", None),
        ("-1", "auto", None),
        (None, "cpu", None),
    ],
)
def test_only_allowed_devices_are_taken(
    gpus: PretendGpus, visible: str | None, device: str, taken: str | None
) -> None:
    gpus.are("a", "b", "c")
    record = gpus.hold("run", seconds=0, device=device, visible=visible).record()
    assert record["visible"] == (visible if taken is None else uuid(taken))
    assert record["index"] == (None if taken is None else "abc".index(taken))


def test_devices_of_others_come_last_and_are_said_to_be_shared(gpus: PretendGpus) -> None:
    gpus.are({"uuid": uuid("a"), "processes": {"4": "/opt/tool/bin/train --secret"}}, "b")
    first = gpus.hold("first")
    wait_until(first.begun)
    assert first.visible() == uuid("b")
    assert "warning" not in first.said()
    second = gpus.hold("second", seconds=0)
    assert second.record()["visible"] == uuid("a")
    first.end()
    assert "no GPU is idle. Other processes compute on GPU 0" in second.said()
    assert "(train); it is taken all the same, and times on it are longer" in second.said()


def on_cuda(gpus: PretendGpus, *looks: Mapping[str, str]) -> Sharing | None:
    """What a run on the first GPU would record, with these processes there at its looks."""
    answers = FORK.Queue()

    def run() -> None:
        gpus.enter()
        with device_slot("run", "cuda") as slot:
            monitor = slot.monitor("cuda")
            monitor.look()
            for processes in looks:
                named = {pid.replace("own", str(os.getpid())): of for pid, of in processes.items()}
                gpus.are({"uuid": uuid("a"), "processes": named})
                monitor.look(at_once=True)
            answers.put(monitor.seen)

    process = FORK.Process(target=run)
    process.start()
    found: Sharing | None = answers.get(timeout=30)
    process.join()
    return found


def test_what_else_was_on_a_gpu_is_recorded(gpus: PretendGpus) -> None:
    gpus.are("a")
    own = {"own": "python"}
    assert on_cuda(gpus, own, own | {"5": "/opt/other --with arguments"}, own) == Sharing(
        looks=3, shared=1, others=["other"]
    )
    gpus.are({"uuid": uuid("a"), "processes": {"5": "other"}})
    assert on_cuda(gpus, own) == Sharing(looks=2, shared=1, others=["other"])
    gpus.are({"uuid": uuid("a"), "processes": {"5": "other"}})
    hidden = {"999999": "python", "5": "other"}  # as in a container
    assert on_cuda(gpus, hidden, {"999999": "python"}) == Sharing(
        looks=1, shared=1, others=["other"]
    )


def test_torch_comes_when_one_device_is_chosen(gpus: PretendGpus, home: Home) -> None:
    gpus.are({"uuid": uuid("a"), "processes": {"4": "other"}}, "b")
    process = home.start(
        "--device", "auto", environment=gpus.environment() | {"PRETEND_ON_CPU": "yes"}
    )
    assert process.wait(120) == 0, home.said()
    assert gpus.file.with_suffix(".torch").read_text() == uuid("b")
    assert f"takes GPU 1 (Pretend GPU, {uuid('b')})" in home.said()


def test_a_number_that_no_device_has_ends_the_run_and_lists_them(
    gpus: PretendGpus, home: Home
) -> None:
    gpus.are("a", "b")
    process = home.fork("--device", "cuda:2", before=gpus.enter)
    process.join(60)
    assert process.exitcode == 1
    assert "found 'cuda:2', but this process may use 2 GPU(s): cuda:0 is GPU 0" in home.said()
    assert "Set training.device to one of these or to auto" in home.said()


@pytest.mark.parametrize(
    ("options", "number", "status"),
    [((), signal.SIGTERM, 143), (("--time-limit", "0.1"), None, TIME_IS_UP)],
)
def test_a_run_that_waits_for_a_device_can_be_stopped(
    gpus: PretendGpus, home: Home, options: tuple[str, ...], number: int | None, status: int
) -> None:
    gpus.are("a")
    holder = gpus.hold("other")
    wait_until(holder.begun)
    process = home.fork("--device", "auto", *options, before=gpus.enter)
    wait_until(lambda: "the GPU that it may use is taken" in home.said())
    if number is not None:
        os.kill(process.pid, number)
    process.join(15)
    holder.end()
    assert process.exitcode == status, home.said()
    assert "the same command goes on" in home.said()


def test_of_two_runs_that_want_one_slot_the_second_waits(
    gpus: PretendGpus, home: Home, whole: Home, tmp_path: Path
) -> None:
    gpus.are("a")
    later = whole.not_begun(tmp_path / "later")
    later.run = later.run.model_copy(update={"seed": 1})
    later.write_run()
    first = home.fork("--device", "auto", before=lambda: (gpus.enter(), slow_steps()))
    wait_until(in_mid_run(home))
    second = later.fork("--device", "auto", before=gpus.enter)
    wait_until(lambda: "waits until a run ends" in later.said())
    assert f"GPU 0 (Pretend GPU, {uuid('a')}): {home.run.name} (process {first.pid}" in later.said()
    first.join(60)
    second.join(60)
    assert (first.exitcode, second.exitcode) == (0, 0), later.said()
    assert home.metrics().finished <= later.metrics().finished
    assert home.result() == whole.result()
    for each in (home, later):
        assert not each.metrics().shared_device


def test_a_run_that_waits_is_not_taken_to_hang(gpus: PretendGpus, home: Home) -> None:
    gpus.are("a")
    holder = gpus.hold("other", seconds=7)
    wait_until(holder.begun)
    process = home.fork("--device", "auto", "--watchdog-minutes", "0.1", before=gpus.enter)
    wait_until(lambda: "waits until a run ends" in home.said())
    assert holder.record()["visible"] == uuid("a")
    process.join(60)
    assert process.exitcode == 0, home.said()


def test_a_second_process_on_one_run_holds_no_device(gpus: PretendGpus, home: Home) -> None:
    gpus.are("a", "b")
    first = home.fork("--device", "auto", before=lambda: (gpus.enter(), slow_steps()))
    wait_until(in_mid_run(home))
    second = home.fork("--device", "auto", before=gpus.enter, log="second.txt")
    wait_until(lambda: "another process trains this run" in home.said("second.txt"))
    assert gpus.hold("other", seconds=0).record()["visible"] == uuid("b")
    first.join(60)
    second.join(60)
    assert (first.exitcode, second.exitcode) == (0, 0)
    assert "takes GPU" not in home.said("second.txt")


def with_locks_in(folder: Path) -> None:
    os.environ[LOCKS] = str(folder)


def test_runs_that_meet_on_the_processor_say_so_and_keep_it_through_a_stop(
    home: Home, whole: Home, tmp_path: Path
) -> None:
    locks = tmp_path / "locks"

    def slow() -> None:
        with_locks_in(locks)
        slow_steps()

    other = whole.not_begun(tmp_path / "other")
    other.run = other.run.model_copy(update={"seed": 1})
    other.write_run()
    first = home.fork(before=slow)
    wait_until(in_mid_run(home))
    second = other.fork(before=slow)
    wait_until(in_mid_run(other))
    assert f"other runs are made on this machine's processor as well ({home.run.name})" in (
        other.said()
    )
    os.kill(second.pid, signal.SIGTERM)
    second.join(30)
    first.join(60)
    alone = other.fork(before=lambda: with_locks_in(locks))
    alone.join(60)
    assert (first.exitcode, second.exitcode, alone.exitcode) == (0, 143, 0)
    assert home.metrics().sharing.others == [other.run.name]
    assert other.metrics().sharing.others == [home.run.name]
    assert 1 <= other.metrics().sharing.shared < other.metrics().sharing.looks
    assert other.metrics().resumed == 1
    assert whole.metrics().sharing.looks >= 2
    assert not whole.metrics().shared_device
    assert home.result() == whole.result()


def test_what_a_killed_run_has_left_does_not_count(home: Home, tmp_path: Path) -> None:
    locks = tmp_path / "locks"
    killed = home.fork(before=lambda: (with_locks_in(locks), slow_steps()))
    wait_until(in_mid_run(home))
    killed.kill()
    killed.join()
    assert list(locks.glob("*/cpu-0.json"))
    again = home.fork(before=lambda: with_locks_in(locks))
    again.join(60)
    assert again.exitcode == 0, home.said()
    assert not home.metrics().shared_device


def test_without_a_place_for_locks_the_run_says_so_and_goes_on(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    process = home.fork(before=lambda: with_locks_in(tmp_path / "file"))
    process.join(60)
    assert process.exitcode == 0, home.said()
    assert re.search(r"warning: .*devices cannot be locked \(.*file", home.said())
    assert home.metrics().sharing is None


def test_a_folder_of_somebody_else_is_not_used_for_locks(home: Home) -> None:
    nobody = 4_000_000_000 + os.getpid()
    folder = Path(f"/tmp/resnet-sizes-{nobody}")
    folder.mkdir()

    def as_another() -> None:
        del os.environ[LOCKS]
        os.getuid = lambda: nobody

    try:
        process = home.fork(before=as_another)
        process.join(60)
    finally:
        folder.rmdir()
    assert process.exitcode == 1
    assert f"{folder}: is not a folder of yours" in home.said()
    assert LOCKS in home.said()
