"""Which of unequal or divided GPUs a run takes."""

from pathlib import Path

import pytest

from child_runs import wait_until
from pretend_gpus import PretendGpus, uuid

DISPLAY = {"uuid": uuid("a"), "capability": [7, 5], "memory": 2}
SMALL, LARGE = (
    {"uuid": uuid(letter), "capability": [8, 6], "memory": memory}
    for letter, memory in (("b", 23.98), ("c", 48))
)
TWIN = SMALL | {"uuid": uuid("d"), "memory": 24}


@pytest.fixture
def gpus(tmp_path: Path) -> PretendGpus:
    return PretendGpus(tmp_path / "machine")


def taken_in_turn(gpus: PretendGpus, runs: int, visible: str | None = None) -> str:
    """The letters of the GPUs that so many runs take, one after another."""
    held = []
    for number in range(runs):
        held.append(gpus.hold(f"run-{number}", visible=visible))
        wait_until(held[-1].begun)
    for run in held:
        run.end()
    return "".join(run.visible().removeprefix("GPU-")[0] for run in held)


def test_of_idle_ones_the_strongest_is_taken_first(gpus: PretendGpus) -> None:
    gpus.are(DISPLAY, SMALL, LARGE, TWIN)
    assert taken_in_turn(gpus, 4) == "cbda"


def test_a_weak_one_that_is_idle_comes_before_a_strong_one_in_use(gpus: PretendGpus) -> None:
    gpus.are(DISPLAY, LARGE | {"processes": {"4": "train"}})
    assert taken_in_turn(gpus, 2) == "ac"


def test_where_the_library_does_not_tell_of_each_the_order_stays(gpus: PretendGpus) -> None:
    gpus.are(DISPLAY, {"uuid": uuid("b")}, LARGE)
    assert taken_in_turn(gpus, 3) == "abc"


def test_an_order_that_somebody_has_set_is_kept(gpus: PretendGpus) -> None:
    gpus.are(DISPLAY, SMALL, LARGE | {"processes": {"4": "train"}})
    assert taken_in_turn(gpus, 3, visible="2,0,1") == "abc"


def test_a_study_that_numbers_its_device_counts_as_the_machine_does(gpus: PretendGpus) -> None:
    gpus.are(DISPLAY, LARGE)
    assert gpus.hold("run", seconds=0, device="cuda:0").record()["visible"] == uuid("a")


def test_of_a_divided_gpu_each_instance_that_is_named_is_taken(gpus: PretendGpus) -> None:
    gpus.are({"uuid": uuid("a"), "instances": [{"uuid": "MIG-1"}, {"uuid": "MIG-2"}]}, "b")
    held = []
    for expected in ("MIG-1", "MIG-2"):
        held.append(gpus.hold(f"run-{expected}", visible="MIG-1,MIG-2"))
        wait_until(held[-1].begun)
        assert held[-1].visible() == expected
    late = gpus.hold("late", visible="MIG-1,MIG-2")
    wait_until(lambda: "waits until a run ends" in late.said())
    for run in (*held, late):
        run.end()
