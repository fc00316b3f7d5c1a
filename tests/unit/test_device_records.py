"""What the metrics record of a CUDA device, which here is not there."""

from types import SimpleNamespace

import pytest
import torch

from pretend_gpus import uuid
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.training.devices.gpus import Gpu, Nvml
from resnet_sizes.training.devices.select import describe
from resnet_sizes.training.job.results import versions

MEMORY = 24 * 2**30


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only one that torch sees, and calls 0."""
    properties = SimpleNamespace(name="Pretend GPU", total_memory=MEMORY)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)


def test_the_held_gpu_is_recorded_with_the_machines_number_and_its_uuid() -> None:
    assert describe(torch.device("cuda"), Gpu(3, uuid("d"), "Pretend GPU")) == Device(
        kind="cuda",
        name="Pretend GPU",
        index=3,
        uuid=uuid("d"),
        memory_bytes=MEMORY,
        threads=torch.get_num_threads(),
    )


@pytest.mark.parametrize(("name", "index"), [("cuda", 0), ("cuda:2", 2)])
def test_of_a_device_that_no_lock_holds_torchs_number_is_recorded(name: str, index: int) -> None:
    found = describe(torch.device(name))
    assert (found.kind, found.index, found.uuid) == ("cuda", index, None)


def test_versions_of_cuda_cudnn_and_the_driver_are_recorded(monkeypatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    nvml = SimpleNamespace(
        nvmlInit=lambda: None, NVMLError=OSError, nvmlSystemGetDriverVersion=lambda: "580.65.06"
    )
    monkeypatch.setattr(Nvml, "load", lambda: Nvml(nvml))
    found = versions(torch.device("cuda"))
    assert (found["cuda"], found["cudnn"], found["driver"]) == ("13.0", "91002", "580.65.06")
    assert "driver" not in versions(torch.device("cpu"))
    monkeypatch.setattr(Nvml, "load", lambda: None)
    assert "driver" not in versions(torch.device("cuda"))
