"""What this device, its driver and this build of torch are."""

import os
import shutil
import sysconfig
from pathlib import Path

import torch

from resnet_sizes.device_check.bench import Bench
from resnet_sizes.training.capabilities import fastest_precision
from resnet_sizes.training.devices.gpus import VARIABLE, Nvml, usable_gpus


def facts(bench: Bench) -> None:
    """Record what decides how training goes here."""
    headers = Path(sysconfig.get_path("include"), "Python.h")
    bench.numbers |= {
        "precision: auto": fastest_precision(bench.device),
        "C compiler": next(filter(None, map(shutil.which, ("gcc", "cc", "clang"))), "none"),
        "Python.h": str(headers) if headers.is_file() else "missing",
        "vector instructions": torch.backends.cpu.get_cpu_capability(),
    }
    if bench.device.type == "cuda":
        _cuda(bench)


def _cuda(bench: Bench) -> None:
    found = torch.cuda.get_device_properties(bench.device)
    torch.zeros(1, device=bench.device)  # from now on this process is one of the GPU's
    nvml = Nvml.load()
    gpu = next(iter(usable_gpus(nvml, os.environ)), None)
    uuid = gpu.uuid if gpu else None
    processes = (nvml.processes(gpu) if nvml and gpu else None) or ()
    bench.numbers |= {
        "driver": (nvml and nvml.driver()) or "unknown",
        "cuDNN": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        "capability": f"{found.major}.{found.minor}",
        "architectures of torch": " ".join(torch.cuda.get_arch_list()),
        VARIABLE: os.environ.get(VARIABLE, "not set"),
        "UUID of NVML": uuid or "unknown",
        "UUID of torch": f"GPU-{found.uuid}",
        "MIG": f"an instance of {gpu.whole}" if gpu and gpu.whole else "no",
        "NVML knows this process": "yes" if os.getpid() in processes else f"no: {processes}",
    }
    if uuid and uuid.startswith("GPU-") and uuid != f"GPU-{found.uuid}":
        bench.faults.append(f"NVML and torch see different GPUs: {uuid} and GPU-{found.uuid}")
