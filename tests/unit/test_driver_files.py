"""The GPUs that the driver's files tell of, where the management library is missing."""

from pathlib import Path

import pytest

from pretend_driver import make_node, tell
from pretend_gpus import uuid
from resnet_sizes.training.devices import driver_files
from resnet_sizes.training.devices.driver_files import gpus_by_files
from resnet_sizes.training.devices.nvml import Gpu


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's files."""
    monkeypatch.setattr(driver_files, "ROOT", tmp_path)
    return tmp_path


def test_gpus_are_counted_in_the_order_of_the_bus(root: Path) -> None:
    for minor in (0, 1, 2):
        make_node(root, minor)
    (root / "dev" / "nvidiactl").touch()
    (root / "dev" / "nvidia-uvm").touch()
    tell(root, "0000:c1:00.0", 0, uuid("a"))
    tell(root, "0000:21:00.0", 1, model="Other GPU")
    tell(root, "10000:01:00.0", 2)
    found = gpus_by_files()
    assert found == [
        Gpu(0, None, "Other GPU", node="nvidia1"),
        Gpu(1, uuid("a"), "Pretend GPU", node="nvidia0"),
        Gpu(2, None, "Pretend GPU", node="nvidia2"),
    ]
    assert [str(gpu) for gpu in found[:2]] == [
        "GPU 0 (Other GPU)",
        f"GPU 1 (Pretend GPU, {uuid('a')})",
    ]


def test_a_gpu_that_may_not_be_opened_or_is_excluded_does_not_count(root: Path) -> None:
    for minor in (1, 2, 3):
        make_node(root, minor)
    (root / "dev" / "nvidia0").symlink_to("nowhere")
    for minor in range(4):
        tell(root, f"0000:0{minor}:00.0", minor, excluded=minor == 2)
    found = gpus_by_files()
    assert found is not None
    assert [(gpu.index, gpu.node) for gpu in found] == [(0, "nvidia1"), (1, "nvidia3")]


def test_without_what_the_driver_tells_the_files_in_dev_are_counted(root: Path) -> None:
    for minor in (2, 10):
        make_node(root, minor)
    assert gpus_by_files() == [Gpu(0, node="nvidia2"), Gpu(1, node="nvidia10")]
    tell(root, "0000:01:00.0", 10)
    (root / "proc/driver/nvidia/gpus/0000:02:00.0/information").mkdir(parents=True)
    assert gpus_by_files() == [
        Gpu(0, node="nvidia2"),
        Gpu(1, None, "Pretend GPU", node="nvidia10"),
    ]


def test_a_machine_without_such_files_tells_nothing(root: Path) -> None:
    assert gpus_by_files() is None
    tell(root, "0000:01:00.0", 0)  # as in a container that was given no GPU
    assert gpus_by_files() is None
