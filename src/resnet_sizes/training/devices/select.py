"""Turns `training.device` into a torch device, and describes that device for the metrics file."""

import contextlib
import os
import platform
import re
from pathlib import Path

import psutil
import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.metrics import Device
from resnet_sizes.training.devices.gpus import Gpu
from resnet_sizes.training.devices.torch_build import has_code_for, missing_gpu, no_code


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
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            reason = None if count else missing_gpu()
            raise UserError(
                f"training.device, or --device: found {name!r}; "
                + (reason or f"torch sees {count} CUDA device(s). Set it to auto or cpu.")
            )
        capability = torch.cuda.get_device_capability(device)
        if not has_code_for(capability):
            raise no_code([(torch.cuda.get_device_name(device), capability)])
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError(
            "training.device, or --device: found 'mps', but torch sees no MPS device. "
            "Set training.device to auto or cpu."
        )
    return device


def set_threads(threads: int | str) -> int:
    """Set torch's CPU threads; `auto` takes what the scheduler or the system allows.

    Snakemake and Slurm hand a job's share of the cores over as OMP_NUM_THREADS or as the
    processor affinity.
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
    threads = torch.get_num_threads()
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        own = torch.cuda.current_device() if device.index is None else device.index
        return Device(
            kind="cuda",
            name=properties.name,
            index=gpu.index if gpu else own,
            uuid=gpu.uuid if gpu else None,
            memory_bytes=properties.total_memory,
            threads=threads,
        )
    return Device(
        kind="mps" if device.type == "mps" else "cpu",
        name=_told_by_linux("/proc/cpuinfo", "model name")
        or platform.processor()
        or platform.machine()
        or "CPU",
        memory_bytes=int(psutil.virtual_memory().total),
        threads=threads,
    )


def peak_memory(device: torch.device) -> int:
    """Bytes: the allocator's peak on CUDA, the process's peak elsewhere."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    # On Linux ru_maxrss begins with what the parent process had.
    if peak := _told_by_linux("/proc/self/status", "VmHWM"):
        return int(peak.split()[0]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if platform.system() == "Darwin" else most * 1024)


def forget_peak(device: torch.device) -> None:
    """Let the peak of memory begin at what is held now.

    Outside CUDA and Linux it cannot be forgotten, and a later peak is never lower than an earlier
    one.
    """
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
