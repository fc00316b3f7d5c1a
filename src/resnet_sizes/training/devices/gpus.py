"""Which GPUs there are, which of them a run may use, and how CUDA is shown one of them.

A device has to be chosen before torch looks for devices, so this process's torch is not asked.
"""

import importlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import shown_text

VARIABLE = "CUDA_VISIBLE_DEVICES"

HIDES_ALL = ("", "-1", "NoDevFiles", "none", "void")
"""Values of CUDA_VISIBLE_DEVICES with which people and schedulers show no GPU."""

UNKNOWN = "a process without a name"
"""In a container NVML lists processes that are not seen there, and has no names for them."""


@dataclass(frozen=True)
class Gpu:
    """One GPU, or one instance of a GPU that is divided (MIG), of which its UUID alone is known."""

    index: int | None
    """As nvidia-smi counts."""
    uuid: str | None = None
    name: str | None = None
    strength: tuple[int, int, int] | None = None
    """The two parts of its compute capability, and its memory in GiB, where they are known."""

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
            return getattr(self._nvml, function)(*arguments)
        except self._nvml.NVMLError:
            return None

    def driver(self) -> str | None:
        """The version of the driver, such as 535.104.05; None if it does not say."""
        return self._ask("nvmlSystemGetDriverVersion")  # type: ignore[no-any-return]

    def gpus(self) -> list[Gpu] | None:
        """All that this process may open, in the library's order; None if it does not say."""
        count = self._ask("nvmlDeviceGetCount")
        found = (self._at(number) for number in range(count or 0))
        return None if count is None else [gpu for gpu in found if gpu]

    def _at(self, index: int) -> Gpu | None:
        """The GPU of a number; None where a container hides it."""
        handle = self._ask("nvmlDeviceGetHandleByIndex", index)
        uuid = None if handle is None else self._ask("nvmlDeviceGetUUID", handle)
        if uuid is None:
            return None
        capability = self._ask("nvmlDeviceGetCudaComputeCapability", handle)
        memory = self._ask("nvmlDeviceGetMemoryInfo", handle)
        # In GiB: of equal cards one may keep some MiB more for itself.
        strength = capability and memory and (*map(int, capability), round(memory.total / 2**30))
        return Gpu(index, uuid, self._ask("nvmlDeviceGetName", handle), strength)

    def joules(self, gpu: Gpu) -> float | None:
        """What a GPU has taken since its driver was loaded; None of one that does not count it, as
        those before Volta and instances of a divided one."""
        handle = self._ask("nvmlDeviceGetHandleByUUID", gpu.uuid) if gpu.uuid else None
        told = handle and self._ask("nvmlDeviceGetTotalEnergyConsumption", handle)
        return None if told is None else int(told) / 1e3

    def processes(self, gpu: Gpu) -> frozenset[int] | None:
        """The processes that compute on a GPU, by the machine's numbers; None if it is silent."""
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


def visible_gpus(nvml: Nvml | None, environment: Mapping[str, str]) -> list[Gpu]:
    """The machine's GPUs, or those of them that CUDA_VISIBLE_DEVICES allows, in its order.

    Where nothing lists the machine's GPUs, all that is known is what the environment names. A list
    ends at the first entry that names no GPU, and one with an entry that stands twice allows none
    (CUDA C++ Programming Guide, "CUDA Environment Variables"). Numbers are those of nvidia-smi. An
    instance of a GPU that is divided (MIG) counts where it is named.
    """
    machine, named = nvml.gpus() if nvml else None, environment.get(VARIABLE)
    if named is None:
        return machine or []
    found: list[Gpu] = []
    for entry in named.split(","):
        gpu = _named(entry.strip(), machine)
        if gpu is None:
            break
        if gpu in found:
            return []
        found.append(gpu)
    return found


def _named(entry: str, machine: Sequence[Gpu] | None) -> Gpu | None:
    """The GPU of an entry; None where it names none, or several."""
    if entry.isdecimal():
        if machine is None:
            return Gpu(int(entry))
        return machine[int(entry)] if int(entry) < len(machine) else None
    if not entry.startswith(("GPU-", "MIG-")):
        return None
    if machine is None or entry.startswith("MIG-"):
        return Gpu(None, entry)
    found = [gpu for gpu in machine if (gpu.uuid or "").startswith(entry)]
    return found[0] if len(found) == 1 else None


def wanted_gpus(visible: Sequence[Gpu], name: str) -> list[Gpu]:
    """Those that a run takes the first free one of; none where it is made on the processor.

    `name` is `training.device`. The strongest come first, by compute capability, then memory, where
    these are known of each and nobody has set an order. Raises UserError for a number of no GPU.
    """
    if name in ("auto", "cuda"):
        if VARIABLE in os.environ or any(gpu.strength is None for gpu in visible):
            return list(visible)
        return sorted(visible, key=lambda gpu: gpu.strength or (), reverse=True)
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
