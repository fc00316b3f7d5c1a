"""Turns `training.device` into a torch device, and describes that device for the metrics file: what
this build of torch can run on, and why it sees no GPU where there should be one.

Importing torch does not make it look for devices, which it does only once.
"""

import contextlib
import os
import platform
import re
import resource
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.training.devices.gpus import HIDES_ALL, VARIABLE, Gpu, Nvml, visible_gpus
from resnet_sizes.training.supervision.launch import scheduled_since

Capability = tuple[int, int]

LEAST_DRIVERS = {11: 450, 12: 525, 13: 580}
"""The oldest driver that runs programs built for a major version of CUDA (NVIDIA, CUDA
Compatibility, "Minor Version Compatibility", table 1)."""

JOB_GPUS = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS", "SLURM_GPUS_ON_NODE")
"""Environment variables in which Slurm puts the GPUs of a job, or how many it asked for."""

ON_THE_CPU = (
    "To train on the CPU all the same, set training.device to cpu: in the study, or by --config "
    "'training={device: cpu}' at the end of the command snakemake."
)


def select_device(name: str) -> torch.device:
    """`auto` (CUDA, then MPS, then the CPU) or a named device, which must exist.

    Raises UserError if it does not, if this torch has no code for it, or if `auto` would mean the
    CPU although there is a GPU, or a scheduler's job has asked for one.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return select_device("cuda")
        if reason := missing_gpu():
            raise UserError(f"training.device: found 'auto'; {reason}")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d{1,3})?", name):
        raise UserError(f"--device: found {name!r}; allowed: auto, cpu, mps, cuda, cuda:N.")
    device = torch.device(name)
    count = torch.get_device_module(device).device_count()
    if (device.index or 0) >= count:
        reason = None if count or device.type != "cuda" else missing_gpu()
        seen = f"torch sees {count} {device.type.upper()} device(s). Set it to auto or cpu."
        raise UserError(f"training.device, or --device: found {name!r}; {reason or seen}")
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if not has_code_for(capability):
            raise no_code([(torch.cuda.get_device_name(device), capability)])
    return device


def set_threads(threads: int | str) -> int:
    """Set torch's CPU threads; `auto` takes what the scheduler or the system allows.

    Snakemake and Slurm hand a job's cores over as OMP_NUM_THREADS or as the processor affinity.
    """
    if threads == "auto":
        told = os.environ.get("OMP_NUM_THREADS", "")
        affinity = getattr(os, "sched_getaffinity", None)  # which macOS and Windows lack
        cores = len(affinity(0)) if affinity else os.cpu_count() or 1
        threads = int(told) if told.isdigit() and int(told) > 0 else cores
    torch.set_num_threads(int(threads))
    return int(threads)


def describe(device: torch.device, gpu: Gpu | None = None) -> Device:
    """What the metrics record of the device. `gpu` is what the machine calls it: torch, which
    sees no other, calls it 0."""
    found: dict[str, Any] = {"kind": device.type, "threads": torch.get_num_threads()}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        own = torch.cuda.current_device() if device.index is None else device.index
        found |= {"index": gpu.index if gpu else own, "uuid": gpu and gpu.uuid}
        return Device(name=properties.name, memory_bytes=properties.total_memory, **found)
    told = _told_by_linux("/proc/cpuinfo", "model name")
    name = told or platform.processor() or platform.machine() or "CPU"
    return Device(name=name, memory_bytes=int(psutil.virtual_memory().total), **found)


def peak_memory(device: torch.device) -> int:
    """Bytes: the allocator's peak on CUDA, the process's peak elsewhere."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    # On Linux ru_maxrss begins with what the parent process had.
    if peak := _told_by_linux("/proc/self/status", "VmHWM"):
        return int(peak.split()[0]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if platform.system() == "Darwin" else most * 1024)


def forget_peak(device: torch.device) -> None:
    """Let the peak of memory begin at what is held now. Outside CUDA and Linux it cannot be
    forgotten, and a later peak is never lower than an earlier one."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with contextlib.suppress(OSError):  # proc(5): 5 resets VmHWM
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _told_by_linux(file: str, name: str) -> str | None:
    """What the first line `name: …` of such a file says; None where there is none."""
    with contextlib.suppress(OSError):
        for line in Path(file).read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(name):
                return line.partition(":")[2].strip()
    return None


def has_code_for(capability: Capability) -> bool:
    """Whether this torch's kernels run on GPUs of a compute capability.

    Binary code (`sm_…`) runs on GPUs of its own major capability, from its minor one on; PTX
    (`compute_…`) on all later ones (CUDA C++ Programming Guide, "Binary Compatibility", "PTX
    Compatibility"). True where torch does not say.
    """
    codes = _codes()
    return not codes or any(
        capability >= own and (kind == "compute" or capability[0] == own[0]) for kind, own in codes
    )


def _codes() -> list[tuple[str, Capability]]:
    # Not get_arch_list, which makes older versions of torch look for devices.
    flags = torch._C._cuda_getArchFlags() if torch.version.cuda else None
    found = re.findall(r"\b(sm|compute)_(\d+)(\d)", flags or "")
    return [(kind, (int(major), int(minor))) for kind, major, minor in found]


def no_code(gpus: Iterable[tuple[object, Capability]]) -> UserError:
    """The error where torch has no code for these GPUs, each with its capability."""
    listed = list(gpus)
    there = ", ".join(f"{gpu}, of compute capability {a}.{b}" for gpu, (a, b) in listed)
    able = sorted({own for _, own in _codes()})
    return UserError(
        f"training.device: torch {torch.__version__} has no code for {there}; it has code for "
        f"{', '.join(f'{a}.{b}' for a, b in able)}. For "
        "newer GPUs: pip install --upgrade torch torchvision. For older ones: "
        f"{_older_build()}. {ON_THE_CPU}"
    )


def _pair(build: str = "") -> str:
    names = ("torch", "torchvision")
    return " ".join(f"{name}=={version(name).partition('+')[0]}{build}" for name in names)


def _older_build() -> str:
    """The command that installs the build for the oldest GPUs and drivers: CUDA 12.6, with code
    for capabilities 5.0 to 9.0 (torch/cuda/__init__.py, PYTORCH_RELEASES_CODE_CC)."""
    return f"pip install {_pair('+cu126')} --index-url https://download.pytorch.org/whl/cu126"


def missing_gpu() -> str | None:
    """Why torch, which sees no CUDA device, should see one, and what to do; None where there is
    no sign of a GPU, or all are hidden. To be asked when torch has looked."""
    nvml, named = Nvml.load(), os.environ.get(VARIABLE)
    asked = next(filter(os.environ.get, JOB_GPUS), None)
    if there := visible_gpus(nvml, os.environ) if nvml else []:
        sign = f"there is {', '.join(map(str, there))}"
    elif named is not None and named.strip() not in HIDES_ALL:
        sign = f"{VARIABLE} is {named!r}"
    elif asked:
        sign = f"the job has asked for a GPU ({asked} is {os.environ[asked]!r})"
    elif scheduled_since() is not None:
        sign = "the job that Snakemake has submitted asks for a GPU"
    else:
        return None
    sign += f", but torch {torch.__version__} sees no GPU. It is built"
    cuda, driver = torch.version.cuda, nvml and nvml.driver()
    if cuda is None:
        build = f"pip install --force-reinstall {_pair()}"
        return f"{sign} without CUDA; with it: {build}. {ON_THE_CPU}"
    least = LEAST_DRIVERS.get(int(cuda.split(".")[0]), 0)
    found = f"the driver here is {driver}" if driver else "nvidia-smi tells which is here"
    return (
        f"{sign} for CUDA {cuda}, which needs driver {least} or newer; {found}. Update the "
        f"driver, or with {LEAST_DRIVERS[12]} or newer take an older build: {_older_build()}. If "
        "it is new enough, see what is wrong: python -c 'import torch; torch.cuda.init()'; in a "
        f"job, whether it has a GPU: srun --gpus=1 nvidia-smi. {ON_THE_CPU}"
    )
