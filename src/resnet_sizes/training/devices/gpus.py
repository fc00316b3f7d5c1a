"""Which GPUs there are, which of them a run may use, and how CUDA is shown one of them.

A device has to be chosen before torch looks for devices, so this process's torch is not asked.
"""

import ctypes
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown_text

VARIABLE = "CUDA_VISIBLE_DEVICES"

HIDES_ALL = ("", "-1", "NoDevFiles", "none", "void")
"""Values of CUDA_VISIBLE_DEVICES with which people and schedulers show no GPU."""

GIB = 2**30

UNKNOWN = "a process without a name"
"""In a container NVML lists processes that are not seen there, and has no names for them."""

DRIVERS = ("libcuda.so.1", "nvcuda.dll")
"""CUDA's driver, without which torch sees no GPU."""

TORCH_LISTS = """
import json, torch
found = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
print(json.dumps([[p.name, str(p.uuid), p.major, p.minor, p.total_memory] for p in found]))
"""

TORCH_SECONDS = 120.0
"""After which a process that only lists devices is taken to hang."""


@dataclass(frozen=True)
class Gpu:
    """One GPU, or one instance of a GPU that is divided (MIG)."""

    index: int | None
    """As nvidia-smi counts, of an instance that of its GPU; as CUDA counts where torch lists."""
    uuid: str | None = None
    name: str | None = None
    whole: str | None = None
    """The UUID of the GPU that an instance is a part of."""
    strength: tuple[int, int, int] | None = None
    """The two parts of its compute capability, and its memory in GiB, where they are known."""
    entry: str | None = None
    """What CUDA_VISIBLE_DEVICES has to hold to show it, where that is not its UUID or number."""

    def __str__(self) -> str:
        number = "GPU" if self.index is None else f"GPU {self.index}"
        known = [text for text in (self.name, self.uuid) if text]
        return f"{number} ({', '.join(known)})" if known else number


class Nvml:
    """NVIDIA's management library, for as long as this process lives."""

    def __init__(self, module: Any) -> None:
        self._nvml = module

    @classmethod
    def load(cls) -> "Nvml | None":
        """The library; None where it, its driver or its Python module is missing or broken."""
        try:
            module = importlib.import_module("pynvml")
            module.nvmlInit()
        except Exception:  # a module that is not NVIDIA's may raise anything
            return None
        return cls(module)

    def _ask(self, function: str, *arguments: Any) -> Any:
        """What a function of the library returns; None where it refuses."""
        try:
            found = getattr(self._nvml, function)(*arguments)
        except self._nvml.NVMLError:
            return None
        # Older versions of the Python module give bytes.
        return found.decode(errors="replace") if isinstance(found, bytes) else found

    def driver(self) -> str | None:
        """The version of the driver, such as 535.104.05; None if it does not say."""
        return self._ask("nvmlSystemGetDriverVersion")  # type: ignore[no-any-return]

    def gpus(self) -> list[Gpu] | None:
        """All that this process may open, in the library's order; None if it does not say."""
        count = self._ask("nvmlDeviceGetCount")
        return None if count is None else [gpu for at in range(count) for gpu in self._at(at)]

    def _at(self, index: int) -> Iterator[Gpu]:
        """The GPU of a number, or its instances; nothing where a container hides it."""
        whole = self._ask("nvmlDeviceGetHandleByIndex", index)
        uuid = None if whole is None else self._ask("nvmlDeviceGetUUID", whole)
        if uuid is None:
            return
        instances = list(self._instances(whole))
        for part, own in instances or [(whole, uuid)]:
            name = self._ask("nvmlDeviceGetName", part) or self._ask("nvmlDeviceGetName", whole)
            yield Gpu(index, own, name, uuid if instances else None, self._strength(whole, part))

    def _instances(self, whole: Any) -> Iterator[tuple[Any, str]]:
        """The handles and UUIDs of a divided GPU's instances."""
        mode = self._ask("nvmlDeviceGetMigMode", whole)
        most = self._ask("nvmlDeviceGetMaxMigDeviceCount", whole) if mode and mode[0] else None
        for number in range(most or 0):  # places without an instance are counted too
            part = self._ask("nvmlDeviceGetMigDeviceHandleByIndex", whole, number)
            uuid = None if part is None else self._ask("nvmlDeviceGetUUID", part)
            if uuid is not None:
                yield part, uuid

    def _strength(self, whole: Any, part: Any) -> tuple[int, int, int] | None:
        capability = self._ask("nvmlDeviceGetCudaComputeCapability", whole)
        memory = self._ask("nvmlDeviceGetMemoryInfo", part)
        if capability is None or memory is None:
            return None
        return _rounded_strength(capability[0], capability[1], memory.total)

    def processes(self, gpu: Gpu) -> frozenset[int] | None:
        """The processes that compute on a GPU, by the numbers that the machine gives them; None
        if the library does not say."""
        if gpu.uuid is None:
            return None
        handle = self._ask("nvmlDeviceGetHandleByUUID", gpu.uuid)
        found = handle and self._ask("nvmlDeviceGetComputeRunningProcesses", handle)
        return None if found is None else frozenset(int(process.pid) for process in found)

    def program(self, process: int) -> str:
        """The name of a process's program, without its folder and arguments: metrics are
        published, and what others do is their own."""
        words = (self._ask("nvmlSystemGetProcessName", process) or "").split()
        return shown_text(PurePath(words[0]).name) if words else UNKNOWN


def _rounded_strength(major: int, minor: int, memory: int) -> tuple[int, int, int]:
    # Of equal cards one may keep some MiB more for itself.
    return int(major), int(minor), round(memory / GIB)


def usable_gpus(nvml: Nvml | None, environment: Mapping[str, str]) -> list[Gpu]:
    """The GPUs that this process may use: as NVML lists them, or else as torch does."""
    machine = nvml.gpus() if nvml else None
    seen = torch_gpus(environment) if machine is None else None
    return visible_gpus(machine, environment) if seen is None else seen


def torch_gpus(environment: Mapping[str, str]) -> list[Gpu] | None:
    """The visible GPUs as a torch in a process of its own lists them, in CUDA's order; None
    where there is no driver or torch fails. It takes seconds."""
    if _driver() is None:
        return None
    try:
        listing = subprocess.run(
            [sys.executable, "-P", "-c", TORCH_LISTS],
            env=dict(environment),
            capture_output=True,
            timeout=TORCH_SECONDS,
            check=True,
        )
        found = json.loads(listing.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    named = environment.get(VARIABLE)
    entries = [str(at) for at in range(len(found))] if named is None else named.split(",")
    return [
        Gpu(
            int(entry) if entry.strip().isdecimal() else None,
            f"GPU-{uuid}",
            name,
            strength=_rounded_strength(major, minor, memory),
            entry=entry.strip(),
        )
        for entry, (name, uuid, major, minor, memory) in zip(entries, found, strict=False)
    ]


def _driver() -> ctypes.CDLL | None:
    for library in DRIVERS:
        with suppress(OSError):
            return ctypes.CDLL(library)
    return None


def counted_by_driver() -> int:
    """How many GPUs CUDA's driver counts; none where it is missing or fails. From then on this
    process knows no others, so that a device has to be chosen before."""
    driver, count = _driver(), ctypes.c_int(0)
    if driver is None or driver.cuInit(0) != 0:
        return 0
    return 0 if driver.cuDeviceGetCount(ctypes.byref(count)) else count.value


def visible_gpus(machine: Sequence[Gpu] | None, environment: Mapping[str, str]) -> list[Gpu]:
    """Those of the machine's GPUs that CUDA_VISIBLE_DEVICES allows, in its order.

    `machine` is None where nothing lists the machine's GPUs; then all that is known is what the
    environment names. A list ends at the first entry that names no GPU, and one with an entry
    that stands twice allows none (CUDA C++ Programming Guide, "CUDA Environment Variables").
    Numbers are those of nvidia-smi. A GPU that is divided stands for its instances.
    """
    named = environment.get(VARIABLE)
    if named is None:
        return list(machine or [])
    found: list[Gpu] = []
    for entry in named.split(","):
        gpus = _named(entry.strip(), machine)
        if not gpus:
            break
        if any(gpu in found for gpu in gpus):
            return []
        found += gpus
    return found


def _named(entry: str, machine: Sequence[Gpu] | None) -> list[Gpu]:
    """The GPU of an entry, or its instances; nothing where it names none, or several."""
    if re.fullmatch(r"\d+", entry):
        if machine is None:
            return [Gpu(int(entry))]
        # A container's numbers count what the container shows, and a divided GPU once.
        shown = list(dict.fromkeys(gpu.index for gpu in machine))
        return [gpu for gpu in machine if gpu.index in shown[int(entry) : int(entry) + 1]]
    if not entry.startswith(("GPU-", "MIG-")):
        return []
    if machine is None:
        return [Gpu(None, entry)]
    uuids = {gpu: (gpu.uuid or "", gpu.whole or "") for gpu in machine}
    found = [gpu for gpu in machine if any(uuid.startswith(entry) for uuid in uuids[gpu])]
    different = {gpu.uuid if entry.startswith("MIG-") else gpu.index for gpu in found}
    return found if len(different) == 1 else []


def wanted_gpus(visible: Sequence[Gpu], name: str) -> list[Gpu]:
    """Those that a run takes one of; none where it is made on the machine's processor.

    `name` is `training.device`. Raises UserError for a number that no visible GPU has.
    """
    if name in ("auto", "cuda"):
        return list(visible)
    number = re.fullmatch(r"cuda:(\d+)", name)
    if not number or not visible:
        return []
    if int(number[1]) >= len(visible):
        listed = ", ".join(f"cuda:{place} is {gpu}" for place, gpu in enumerate(visible))
        raise UserError(
            f"training.device: found {name!r}, but this process may use {len(visible)} GPU(s): "
            f"{listed}. Set training.device to one of these or to auto, or change {VARIABLE}."
        )
    return [visible[int(number[1])]]


def strongest_first(gpus: Sequence[Gpu]) -> list[Gpu]:
    """By what they can compute, then by their memory; equal ones, and all where this is not known
    of each, in the order in which they come."""
    if any(gpu.strength is None for gpu in gpus):
        return list(gpus)
    return sorted(gpus, key=lambda gpu: gpu.strength or (), reverse=True)


def show_only(gpu: Gpu) -> None:
    """Have CUDA show this process one GPU."""
    os.environ[VARIABLE] = gpu.entry or gpu.uuid or str(gpu.index)
