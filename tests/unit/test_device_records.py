"""What the metrics record of a CUDA device, which here is not there."""

from types import SimpleNamespace

import pytest
import torch

from pretend_gpus import uuid
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.training.devices.gpus import Gpu
from resnet_sizes.training.devices.select import describe

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
