"""Which device a run holds where no library tells of the machine's, and what is said of it."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from pretend_driver import make_node, tell
from pretend_gpus import OF_A_JOB, uuid
from resnet_sizes.training.devices import driver_files
from resnet_sizes.training.devices.gpu_slots import Place, place_for
from resnet_sizes.training.devices.locks import LOCKS
from resnet_sizes.training.devices.nvml import Nvml

Take = Callable[..., Place | None]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of a machine whose management library is missing."""
    monkeypatch.setattr(driver_files, "ROOT", tmp_path)
    monkeypatch.setattr(Nvml, "load", lambda: None)
    return tmp_path


@pytest.fixture
def take(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Take]:
    """Start a run in an environment of its own, which is then `os.environ`; its place, or None
    if it has to wait."""
    kept = {name: value for name, value in os.environ.items() if name not in OF_A_JOB}
    kept[LOCKS] = str(root / "locks")

    class Waits(Exception):
        pass

    def wait(_: str | None) -> None:
        raise Waits

    with ExitStack() as places:

        def enter(environment: Mapping[str, str] = {}, device: str = "auto") -> Place | None:
            monkeypatch.setattr(os, "environ", kept | environment)
            try:
                return places.enter_context(place_for("run", device, wait))
            except Waits:
                return None

        yield enter


def cuda_is_told() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("CUDA_")}


def test_without_the_library_each_run_has_a_gpu_of_its_own(root: Path, take: Take) -> None:
    for minor in (0, 1):
        make_node(root, minor)
    tell(root, "0000:02:00.0", 0)
    tell(root, "0000:01:00.0", 1)
    first = take()
    by_number = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    assert first.gpu.node == "nvidia1"
    assert cuda_is_told() == by_number | {"CUDA_VISIBLE_DEVICES": "0"}
    # Now that one of them is used, the driver tells its UUID.
    tell(root, "0000:01:00.0", 1, uuid("b"))
    second = take()
    assert second.gpu.node == "nvidia0"
    assert cuda_is_told() == by_number | {"CUDA_VISIBLE_DEVICES": "1"}
    assert take() is None
    for named in ("0", uuid("b"), "1,0"):
        assert take({"CUDA_VISIBLE_DEVICES": named}) is None, named


def test_a_uuid_that_the_driver_tells_is_what_cuda_is_told(root: Path, take: Take) -> None:
    make_node(root, 0)
    tell(root, "0000:01:00.0", 0, uuid("a"))
    assert take().gpu.uuid == uuid("a")
    assert cuda_is_told() == {"CUDA_VISIBLE_DEVICES": uuid("a")}


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
    place = take()
    assert place.gpu is None
    assert place.settle("cuda").record() is None
    assert "no lock holds it: runs side by side may take the same. Set CUDA_VISIBLE_DEVICES" in (
        caplog.text
    )
    caplog.clear()
    take({"CUDA_VISIBLE_DEVICES": "0"}).settle("cuda")
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


def test_jobs_that_see_the_whole_machine_do_not_meet_on_a_gpu(root: Path, take: Take) -> None:
    make_node(root, 0)
    make_node(root, 1)
    assert take({"SLURM_JOB_ID": "7"}).gpu.node == "nvidia0"
    assert take({"SLURM_JOB_ID": "8"}).gpu.node == "nvidia1"
    assert take({"PBS_JOBID": "9"}) is None
