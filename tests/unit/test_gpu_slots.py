"""Which device a run holds where no library tells of the machine's, and what is said of it."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from pretend_gpus import OF_A_JOB, uuid
from resnet_sizes.training.devices.gpu_slots import DeviceSlot, device_slot
from resnet_sizes.training.devices.gpus import Gpu, Nvml
from resnet_sizes.training.devices.locks import LOCKS

Take = Callable[..., DeviceSlot | None]


class Listed:
    """A library that lists these GPUs, which are idle."""

    def __init__(self) -> None:
        self.found: list[Gpu] = []

    def gpus(self) -> list[Gpu]:
        return self.found

    def processes(self, gpu: Gpu) -> frozenset[int]:
        return frozenset()


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> list[Gpu]:
    """What the management library lists; there is none while the list is empty."""
    library = Listed()
    monkeypatch.setattr(Nvml, "load", lambda: library if library.found else None)
    return library.found


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Take]:
    """Start a run in an environment of its own, which is then `os.environ`; its slot, or None
    if it has to wait."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_A_JOB}
    kept[LOCKS] = str(tmp_path / "locks")

    class Waits(Exception):
        pass

    def wait(_: str | None) -> None:
        raise Waits

    with ExitStack() as slots:

        def enter(environment: Mapping[str, str] = {}, device: str = "auto") -> DeviceSlot | None:
            monkeypatch.setattr(os, "environ", kept | environment)
            try:
                return slots.enter_context(device_slot("run", device, wait))
            except Waits:
                return None

        yield enter


def cuda_is_told() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("CUDA_")}


def test_where_nothing_is_known_a_number_is_passed_on_as_it_was_meant(take: Take) -> None:
    for environment in (
        {"CUDA_VISIBLE_DEVICES": "2"},
        {"CUDA_VISIBLE_DEVICES": "3", "CUDA_DEVICE_ORDER": "FASTEST_FIRST"},
    ):
        assert take(environment)
        assert cuda_is_told() == environment


def test_a_device_that_torch_chose_and_no_lock_holds_is_told_of(
    take: Take, caplog: pytest.LogCaptureFixture
) -> None:
    slot = take()
    assert slot.gpu is None
    assert slot.monitor("cuda").seen is None
    assert "no lock holds it: runs side by side may take the same. Set CUDA_VISIBLE_DEVICES" in (
        caplog.text
    )
    caplog.clear()
    take({"CUDA_VISIBLE_DEVICES": "0"}).monitor("cuda")
    assert "no lock holds it" not in caplog.text


@pytest.mark.parametrize(
    ("job", "other"),
    [
        ({"SLURM_JOB_ID": "7"}, {"SLURM_JOB_ID": "8"}),
        ({"PBS_JOBID": "7.host"}, {"PBS_JOBID": "8.host"}),
        ({"LSB_JOBID": "7"}, {"LSB_JOBID": "8"}),
        ({"JOB_ID": "7", "SGE_TASK_ID": "undefined"}, {"JOB_ID": "8", "SGE_TASK_ID": "undefined"}),
        ({"FLUX_JOB_ID": "f7"}, {"FLUX_JOB_ID": "f8"}),
    ],
)
def test_the_numbers_of_a_schedulers_job_are_its_own(
    take: Take, job: dict[str, str], other: dict[str, str]
) -> None:
    number = {"CUDA_VISIBLE_DEVICES": "0"}
    assert take(job | number)
    assert take(other | number)
    assert take(number)
    for again in (job, other, {}):
        assert take(again | number) is None


def test_jobs_that_see_the_whole_machine_do_not_meet_on_a_gpu(
    listed: list[Gpu], take: Take
) -> None:
    listed += [Gpu(0, uuid("a")), Gpu(1, uuid("b"))]
    assert take({"SLURM_JOB_ID": "7"}).gpu.uuid == uuid("a")
    assert cuda_is_told() == {"CUDA_VISIBLE_DEVICES": uuid("a")}
    assert take({"SLURM_JOB_ID": "8"}).gpu.uuid == uuid("b")
    assert take({"PBS_JOBID": "9"}) is None
