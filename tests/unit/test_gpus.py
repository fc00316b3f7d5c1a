"""Which GPUs there are, and which of them a process may use."""

import subprocess
import sys
from pathlib import Path

import pytest

from pretend_gpus import PretendGpus, uuid
from resnet_sizes.io.errors import UserError
from resnet_sizes.training.devices.gpus import Gpu, visible_gpus, wanted_gpus

A, B, C = (Gpu(index, uuid(letter), "Pretend GPU") for index, letter in enumerate("abc"))
TWIN = Gpu(3, f"{uuid('a')}-twin", "Pretend GPU")


class Listed:
    """A library that lists these."""

    def __init__(self, gpus: list[Gpu]) -> None:
        self._gpus = gpus

    def gpus(self) -> list[Gpu]:
        return self._gpus


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (None, [A, B, C, TWIN]),
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("0", [A]),
        (" 2 , 0 ", [C, A]),
        ("1,7,0", [B]),  # a number that no GPU has ends the list
        ("1,-1,0", [B]),
        ("1,1", []),
        ("GPU-b,GPU-c", [B, C]),
        (f"{uuid('b')},0", [B, A]),
        ("GPU-", []),  # the beginning of several
        ("GPU-x", []),
        ("MIG-x,1", [Gpu(None, "MIG-x"), B]),  # an instance, which is not listed
    ],
)
def test_the_environment_is_read_as_cuda_reads_it(named: str | None, expected: list[Gpu]) -> None:
    environment = {} if named is None else {"CUDA_VISIBLE_DEVICES": named}
    assert visible_gpus(Listed([A, B, C, TWIN]), environment) == expected


def test_the_strongest_come_first_and_equal_ones_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    display, card, twin, large = (
        Gpu(index, strength=strength)
        for index, strength in enumerate([(3, 5, 2), (8, 6, 24), (8, 6, 24), (8, 6, 48)])
    )
    hopper = Gpu(4, strength=(9, 0, 16))
    listed = [display, card, twin, large, hopper]
    assert wanted_gpus(listed, "auto") == [hopper, large, card, twin, display]
    assert wanted_gpus(listed, "cuda:1") == [card], "a number counts as the machine does"
    unknown = Gpu(5)
    assert wanted_gpus([display, unknown, card], "cuda") == [display, unknown, card]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3,4")
    assert wanted_gpus(listed, "auto") == listed, "an order that somebody has set is kept"


def test_without_a_list_of_the_machine_only_what_the_environment_names_is_known() -> None:
    assert visible_gpus(None, {}) == []
    named = visible_gpus(None, {"CUDA_VISIBLE_DEVICES": "3,GPU-b,MIG-c,what,0"})
    assert named == [Gpu(3), Gpu(None, "GPU-b"), Gpu(None, "MIG-c")]
    assert [str(gpu) for gpu in named] == ["GPU 3", "GPU (GPU-b)", "GPU (MIG-c)"]


@pytest.mark.parametrize(
    ("device", "expected"),
    [("auto", [B, A]), ("cuda", [B, A]), ("cuda:1", [A]), ("cpu", []), ("mps", []), ("gpu", [])],
)
def test_the_device_of_the_study_chooses_among_the_visible(
    device: str, expected: list[Gpu]
) -> None:
    assert wanted_gpus([B, A], device) == expected


def test_a_number_beyond_the_visible_is_an_error_that_lists_them() -> None:
    with pytest.raises(UserError, match=r"cuda:0 is GPU 1 .*Set training.device"):
        wanted_gpus([B], "cuda:1")
    assert wanted_gpus([], "cuda:1") == [], "torch tells of what it does not see"


LISTING = """
import sys
from resnet_sizes.training.devices.gpus import Nvml
nvml = Nvml.load()
for gpu in nvml.gpus() if nvml else ["no library"]:
    print(gpu, *(gpu.strength or ()) if nvml else "", *sorted(nvml.processes(gpu)) if nvml else "")
"""


def listed(environment: dict[str, str]) -> list[str]:
    """What a process on that machine finds."""
    command = [sys.executable, "-W", "error", "-c", LISTING]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [line.strip() for line in found.stdout.splitlines()]


def test_all_that_are_not_hidden_are_listed(tmp_path: Path) -> None:
    machine = PretendGpus(tmp_path)
    machine.are(
        {"uuid": uuid("a"), "hidden": True},
        {"uuid": uuid("b"), "name": "Large", "capability": [8, 0], "memory": 19.6},
        {"uuid": uuid("c"), "processes": {"7": "x", "8": "y"}},
    )
    assert listed(machine.environment()) == [
        f"GPU 1 (Large, {uuid('b')}) 8 0 20",
        f"GPU 2 (Pretend GPU, {uuid('c')}) 7 8",
    ]


def test_a_library_that_is_missing_or_broken_is_as_none(tmp_path: Path) -> None:
    environment = PretendGpus(tmp_path).environment()
    del environment["PRETEND_GPUS"]
    assert listed(environment) == ["no library"], "no driver"
    for text in (
        "import nothing_of_this_name",
        "def nvmlInit(: pass",
        "NVMLError = OSError",
        "x = 1",
    ):
        (tmp_path / "pynvml.py").write_text(text, encoding="utf-8")
        found = listed(environment | {"PYTHONPATH": f"{tmp_path}:{environment['PYTHONPATH']}"})
        assert found == ["no library"], text
