"""What NVIDIA's management library tells: which GPUs there are, and who computes on them.

No torch: a device has to be chosen before torch looks for devices.
"""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from resnet_sizes.io.messages import shown_text

GIB = 2**30

UNKNOWN = "a process without a name"
"""What the library will not name: in a container it tells of processes that are not seen there."""


@dataclass(frozen=True)
class Gpu:
    """One GPU, or one instance of a GPU that is divided (MIG)."""

    index: int | None
    """The machine's own number, as nvidia-smi counts; of an instance that of its GPU."""
    uuid: str | None = None
    name: str | None = None
    whole: str | None = None
    """Of an instance, the UUID of its GPU."""
    node: str | None = None
    """Its file in /dev, as `nvidia0`, where the driver's files alone tell that it is there."""
    strength: tuple[int, int, int] | None = None
    """The two parts of its compute capability, and its memory in GiB, where they are known."""

    def __str__(self) -> str:
        number = "GPU" if self.index is None else f"GPU {self.index}"
        known = [text for text in (self.name, self.uuid) if text]
        return f"{number} ({', '.join(known)})" if known else number


class Nvml:
    """The library, for as long as this process lives."""

    def __init__(self, module: Any) -> None:
        self._nvml = module

    @classmethod
    def load(cls) -> "Nvml | None":
        """The library; None where it, its driver or its Python module is missing or broken."""
        try:
            module = importlib.import_module("pynvml")
            problem = module.NVMLError
        except (ImportError, OSError, SyntaxError, AttributeError):
            return None
        try:
            module.nvmlInit()
        except (problem, OSError, AttributeError):
            return None
        return cls(module)

    def gpus(self) -> list[Gpu] | None:
        """All that this process may open, in the library's order; None if it does not tell."""
        try:
            count = int(self._nvml.nvmlDeviceGetCount())
        except self._nvml.NVMLError:
            return None
        return [gpu for index in range(count) for gpu in self._at(index)]

    def _at(self, index: int) -> Iterator[Gpu]:
        """The GPU of a number, or its instances; nothing where a container hides it."""
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            uuid = _text(nvml.nvmlDeviceGetUUID(handle))
        except nvml.NVMLError:
            return
        strength = self._strength(handle, handle)
        whole = Gpu(index, uuid, self._name(handle), strength=strength)
        instances = list(self._instances(handle, whole))
        yield from instances or [whole]

    def _instances(self, handle: Any, whole: Gpu) -> Iterator[Gpu]:
        nvml = self._nvml
        try:
            current, _ = nvml.nvmlDeviceGetMigMode(handle)
            most = nvml.nvmlDeviceGetMaxMigDeviceCount(handle) if current else 0
        except nvml.NVMLError:  # a GPU that cannot be divided
            return
        for number in range(most):
            try:
                instance = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)
                uuid = _text(nvml.nvmlDeviceGetUUID(instance))
            except nvml.NVMLError:  # places without an instance are counted too
                continue
            name, strength = self._name(instance), self._strength(handle, instance)
            yield Gpu(whole.index, uuid, name or whole.name, whole.uuid, strength=strength)

    def _name(self, handle: Any) -> str | None:
        try:
            return _text(self._nvml.nvmlDeviceGetName(handle))
        except self._nvml.NVMLError:
            return None

    def _strength(self, whole: Any, part: Any) -> tuple[int, int, int] | None:
        nvml = self._nvml
        try:
            major, minor = nvml.nvmlDeviceGetCudaComputeCapability(whole)
            memory = nvml.nvmlDeviceGetMemoryInfo(part).total
        except nvml.NVMLError:
            return None
        # Of equal cards one may keep some MiB more for itself.
        return int(major), int(minor), round(memory / GIB)

    def processes(self, gpu: Gpu) -> frozenset[int] | None:
        """The processes that compute on a GPU, by the numbers that the machine gives them; None
        if the library does not tell."""
        if gpu.uuid is None:
            return None
        try:
            handle = self._nvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
            found = self._nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        except self._nvml.NVMLError:
            return None
        return frozenset(int(process.pid) for process in found)

    def program(self, process: int) -> str:
        """The name of a process's program, without its folder and arguments: metrics are
        published, and what others do is their own."""
        try:
            words = _text(self._nvml.nvmlSystemGetProcessName(process)).split()
        except self._nvml.NVMLError:
            return UNKNOWN
        return shown_text(PurePath(words[0]).name) if words else UNKNOWN


def _text(found: str | bytes) -> str:
    """Older versions of the Python module give bytes."""
    return found.decode(errors="replace") if isinstance(found, bytes) else found
