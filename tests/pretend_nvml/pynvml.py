"""NVIDIA's management library as a file tells: GPUs that are not there, for tests.

The file that PRETEND_GPUS names holds a list, one mapping per GPU: `uuid`, `name`, `processes`
(by number, the names of their programs), `capability` (two numbers), `memory` (in GiB), `joules`
that it has taken, and `instances`, a list of the same, where the GPU is divided. It is read at each
call, so a test may change it meanwhile. PRETEND_DRIVER is the driver's version. With
PRETEND_ON_CPU a run that holds a GPU computes on the CPU; otherwise it ends, since torch does not
see these GPUs.
"""

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace


class NVMLError(Exception):
    """As the real one."""


def _gpus():
    return json.loads(Path(os.environ["PRETEND_GPUS"]).read_text(encoding="utf-8"))


def _all():
    return [each for gpu in _gpus() for each in (gpu, *gpu.get("instances", []))]


def nvmlInit():
    if "PRETEND_GPUS" not in os.environ:
        raise NVMLError("Driver Not Loaded")


def nvmlSystemGetDriverVersion():
    return os.environ.get("PRETEND_DRIVER", "580.95.05")


def nvmlDeviceGetCount():
    return len(_gpus())


def nvmlDeviceGetHandleByIndex(index):
    gpu = _gpus()[index]
    if gpu.get("hidden"):
        raise NVMLError("Insufficient Permissions")
    return gpu["uuid"]


def nvmlDeviceGetHandleByUUID(uuid):
    return uuid


def _of(handle):
    found = [gpu for gpu in _all() if gpu["uuid"] == handle]
    if not found:
        raise NVMLError("Not Found")
    return found[0]


def nvmlDeviceGetUUID(handle):
    return handle


def nvmlDeviceGetName(handle):
    return _of(handle).get("name", "Pretend GPU")


def _told(handle, what):
    if what not in _of(handle):
        raise NVMLError("Not Supported")
    return _of(handle)[what]


def nvmlDeviceGetCudaComputeCapability(handle):
    return tuple(_told(handle, "capability"))


def nvmlDeviceGetMemoryInfo(handle):
    return SimpleNamespace(total=int(_told(handle, "memory") * 2**30))


def nvmlDeviceGetTotalEnergyConsumption(handle):
    return int(_told(handle, "joules") * 1000)


def nvmlDeviceGetComputeRunningProcesses(handle):
    return [SimpleNamespace(pid=int(pid)) for pid in _of(handle).get("processes", {})]


def nvmlSystemGetProcessName(pid):
    for gpu in _all():
        if str(pid) in gpu.get("processes", {}):
            return gpu["processes"][str(pid)]
    raise NVMLError("Not Found")


class _WhenTorchComes:
    """Notes what the environment then allows: torch looks for devices only once."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torch" and "PRETEND_GPUS" in os.environ:
            seen = os.environ.get("CUDA_VISIBLE_DEVICES", "not set")
            Path(os.environ["PRETEND_GPUS"]).with_suffix(".torch").write_text(seen)
        if name == "resnet_sizes.training.job.run" and "PRETEND_ON_CPU" in os.environ:
            from resnet_sizes.training.devices.gpu_slots import DeviceSlot

            DeviceSlot.torch_name = "cpu"


sys.meta_path.insert(0, _WhenTorchComes)
