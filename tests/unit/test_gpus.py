"""Which GPUs there are, and which of them a process may use."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pretend_gpus import OF_A_JOB, PretendGpus, uuid
from resnet_sizes.io.errors import UserError
from resnet_sizes.training.devices import gpus
from resnet_sizes.training.devices.gpus import (
    Gpu,
    show_only,
    strongest_first,
    torch_gpus,
    usable_gpus,
    visible_gpus,
    wanted_gpus,
)

A, B, C = (Gpu(index, uuid(letter), "Pretend GPU") for index, letter in enumerate("abc"))
HALVES = [Gpu(0, f"MIG-{number}", "Half", uuid("a")) for number in (1, 2)]
"""The first GPU, divided."""
TWIN = Gpu(3, f"{uuid('a')}-twin", "Pretend GPU")


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
        ("MIG-x", []),
    ],
)
def test_the_environment_is_read_as_cuda_reads_it(named: str | None, expected: list[Gpu]) -> None:
    environment = {} if named is None else {"CUDA_VISIBLE_DEVICES": named}
    assert visible_gpus([A, B, C, TWIN], environment) == expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (None, [*HALVES, B, C]),
        ("0", HALVES),
        ("1", [B]),
        ("2,0", [C, *HALVES]),
        ("3", []),
        (uuid("a"), HALVES),
        ("GPU-a,1", [*HALVES, B]),
        ("MIG-2", HALVES[1:]),
        ("MIG-", []),  # the beginning of both
        ("MIG-2,MIG-1", [HALVES[1], HALVES[0]]),
        ("MIG-2,0", []),  # the second would stand twice
    ],
)
def test_a_divided_gpu_counts_once_and_stands_for_its_instances(
    named: str | None, expected: list[Gpu]
) -> None:
    environment = {} if named is None else {"CUDA_VISIBLE_DEVICES": named}
    assert visible_gpus([*HALVES, B, C], environment) == expected


def test_the_strongest_come_first_and_equal_ones_in_their_order() -> None:
    display, card, twin, large = (
        Gpu(index, strength=strength)
        for index, strength in enumerate([(3, 5, 2), (8, 6, 24), (8, 6, 24), (8, 6, 48)])
    )
    hopper = Gpu(4, strength=(9, 0, 16))
    assert strongest_first([display, card, twin, large, hopper]) == [
        *(hopper, large, card, twin, display)
    ]
    unknown = Gpu(5)
    assert strongest_first([display, unknown, card]) == [display, unknown, card]


@pytest.mark.parametrize(
    ("gpu", "expected"),
    [
        (A, uuid("a")),
        (Gpu(1, uuid("b"), entry="MIG-1"), "MIG-1"),
        (Gpu(1, uuid("b"), entry="0"), "0"),
        (Gpu(1), "1"),
    ],
)
def test_cuda_is_shown_one_gpu_by_its_entry_or_uuid_or_else_its_number(
    gpu: Gpu, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    show_only(gpu)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == expected


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


def test_instances_stand_for_their_gpu_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    machine = PretendGpus(tmp_path)
    half = {"uuid": "MIG-2", "name": "Half", "memory": 19.6}
    instances = [{"uuid": "MIG-1", "processes": {"9": "x"}}, half]
    machine.are(
        {"uuid": uuid("a"), "hidden": True},
        {"uuid": uuid("b"), "name": "Large", "capability": [8, 0], "instances": instances},
        {"uuid": uuid("c"), "bytes": True, "processes": {"7": "x", "8": "y"}},
    )
    assert listed(machine.environment()) == [
        "GPU 1 (Pretend GPU, MIG-1) 9",
        "GPU 1 (Half, MIG-2) 8 0 20",
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


PRETEND_TORCH = """
import types

class cuda:
    @staticmethod
    def device_count():
        return len(FOUND)

    @staticmethod
    def get_device_properties(number):
        name, uuid, memory = FOUND[number]
        return types.SimpleNamespace(
            name=name, uuid=uuid, major=8, minor=6, total_memory=memory * 2**30
        )

print("a line that torch prints", file=__import__("sys").stderr)
"""


@pytest.fixture
def torch_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Make a machine without NVML; the environment in which torch sees these GPUs there."""
    monkeypatch.setattr(gpus, "_driver", object)

    def see(*found: tuple[str, str, float], visible: str | None = None) -> dict[str, str]:
        (tmp_path / "torch.py").write_text(f"FOUND = {found!r}{PRETEND_TORCH}", encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if name not in OF_A_JOB}
        named = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
        return kept | {"PYTHONPATH": str(tmp_path)} | named

    return see


def test_without_the_library_a_torch_of_another_process_lists_the_gpus(
    torch_sees: Callable[..., dict[str, str]],
) -> None:
    environment = torch_sees(("Large", "aa-1", 47.99), ("Small", "bb-2", 24.0))
    expected = [
        Gpu(0, "GPU-aa-1", "Large", strength=(8, 6, 48), entry="0"),
        Gpu(1, "GPU-bb-2", "Small", strength=(8, 6, 24), entry="1"),
    ]
    assert usable_gpus(None, environment) == expected
    assert str(expected[0]) == "GPU 0 (Large, GPU-aa-1)"


def test_what_torch_lists_is_shown_as_the_environment_names_it(
    torch_sees: Callable[..., dict[str, str]],
) -> None:
    environment = torch_sees(("Half", "aa-1", 20), ("Small", "bb-2", 24), visible="MIG-x, 3,7")
    found = usable_gpus(None, environment)
    assert [(gpu.index, gpu.uuid, gpu.entry) for gpu in found] == [
        (None, "GPU-aa-1", "MIG-x"),
        (3, "GPU-bb-2", "3"),
    ]
    assert usable_gpus(None, torch_sees(visible="")) == []


def test_a_torch_that_fails_lists_nothing(
    torch_sees: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    environment = torch_sees(visible="2")
    for text in ("raise RuntimeError", "print('no list')", "class cuda: pass"):
        (tmp_path / "torch.py").write_text(text, encoding="utf-8")
        assert torch_gpus(environment) is None, text
    assert usable_gpus(None, environment) == [Gpu(2)], "what the environment names is passed on"


def test_without_a_driver_no_torch_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "DRIVERS", ("libnothing-of-this-name.so",))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("it takes seconds"))
    assert usable_gpus(None, {}) == []
