"""What a build of torch can run on, told by the code in it; tried on builds that are not here."""

import pytest
import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.training.devices import select
from resnet_sizes.training.devices.gpus import Gpu, Nvml
from resnet_sizes.training.devices.select import (
    has_code_for,
    missing_gpu,
    no_code,
    select_device,
)

OF_2_14 = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
CUDA = torch.device("cuda")


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch):
    """Set the code that torch holds, and the CUDA that it is built for."""

    def of(flags: str | None, cuda: str | None = "13.0") -> None:
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch._C, "_cuda_getArchFlags", lambda: flags, raising=False)

    return of


@pytest.mark.parametrize(
    ("flags", "able", "unable"),
    [
        (OF_2_14, [(7, 5), (8, 0), (8, 9), (9, 0), (12, 1)], [(6, 1), (7, 0), (11, 0), (13, 0)]),
        ("sm_90a sm_120 compute_120", [(9, 0), (12, 0), (13, 0)], [(8, 9), (10, 0)]),
        ("sm_50 sm_60 sm_70", [(5, 2), (6, 1), (7, 5)], [(3, 5), (8, 0)]),
        (None, [(3, 5), (9, 0)], []),
    ],
)
def test_code_runs_on_its_generation_and_what_is_translated_on_later_ones(
    build, flags, able, unable
) -> None:
    build(flags)
    assert all(map(has_code_for, able))
    assert not any(map(has_code_for, unable))


def test_a_torch_without_cuda_refuses_no_capability(build) -> None:
    build("sm_90", cuda=None)
    assert has_code_for((7, 0))


def test_a_newer_gpu_wants_a_newer_torch_and_an_older_one_another_build(build) -> None:
    build(OF_2_14)
    assert "has code for 7.5, 8.0, 8.6, 9.0, 10.0, 12.0. For newer GPUs: pip" in str(
        no_code([("GPU 0", (13, 0))])
    )
    told = str(no_code([("GPU 0", (13, 0)), ("GPU 1", (7, 0))]))
    assert "GPU 0, of compute capability 13.0, GPU 1, of compute capability 7.0;" in told
    assert "+cu126 --index-url https://download.pytorch.org/whl/cu126" in told


def test_a_device_that_nothing_listed_is_looked_at_when_torch_has_it(build, monkeypatch) -> None:
    build(OF_2_14)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla V100")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 0))
    for name in ("auto", "cuda", "cuda:0"):
        with pytest.raises(UserError, match=r"no code for Tesla V100, of compute capability 7\.0"):
            select_device(name)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 6))
    assert select_device("auto") == CUDA


class Management:
    """Of NVML, what is asked for."""

    def __init__(self, driver: str | None) -> None:
        self._driver = driver

    def gpus(self) -> list[Gpu]:
        return [Gpu(0, "GPU-a", "A100")]

    def driver(self) -> str | None:
        return self._driver


@pytest.mark.parametrize(
    ("cuda", "driver", "told"),
    [
        ("13.0", "535.104.05", r"needs driver 580 or newer; the driver here is 535\.104\.05\. Upd"),
        ("13.0", "535.104.05", r"with 525 or newer take an older build: pip install torch==[\d.]+"),
        ("12.6", "470.82.01", r"needs driver 525 or newer.*Update the driver, or.*To train on"),
        (
            "11.8",
            "460.32.03",
            r"needs driver 450 or newer; the driver here is.*see what is wrong",
        ),
        ("13.0", None, r"needs driver 580 or newer; nvidia-smi tells which is here\. Update"),
        (None, "580.65.06", r"built without CUDA; with it: pip install --force-reinstall torch=="),
    ],
)
def test_a_gpu_that_torch_misses_is_told_with_the_driver_that_it_needs(
    build, monkeypatch, cuda, driver, told
) -> None:
    build(OF_2_14, cuda)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(Nvml, "load", lambda: Management(driver))
    with pytest.raises(UserError, match=rf"found 'auto'; there is GPU 0 \(A100, GPU-a\).*{told}"):
        select_device("auto")
    with pytest.raises(UserError, match=rf"found 'cuda'; there is GPU 0.*{told}"):
        select_device("cuda")


def test_where_nothing_speaks_of_a_gpu_torch_is_believed(monkeypatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", *select.JOB_GPUS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Nvml, "load", lambda: None)
    assert missing_gpu() is None
    monkeypatch.setattr(select, "missing_gpu", lambda: None)
    with pytest.raises(UserError, match=r"'cuda'; torch sees 0 CUDA device\(s\)\. Set it to auto"):
        select_device("cuda")
