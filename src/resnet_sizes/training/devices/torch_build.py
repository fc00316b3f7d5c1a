"""What this build of torch can run on, and why it sees no GPU where there should be one.

Importing torch does not make it look for devices, which it does only once; nothing here does.
"""

import os
import re
from collections.abc import Iterable
from importlib.metadata import version

import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.training.devices.gpus import (
    HIDES_ALL,
    VARIABLE,
    Nvml,
    counted_by_driver,
    visible_gpus,
)
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
    """The error where torch has no code for the GPUs that a run may take, given with their
    capabilities."""
    listed = list(gpus)
    there = ", ".join(f"{gpu}, of compute capability {a}.{b}" for gpu, (a, b) in listed)
    able = sorted({own for _, own in _codes()})
    is_newer = all(capability > able[-1] for _, capability in listed)
    newer = "a newer one: pip install --upgrade torch torchvision"
    return UserError(
        f"training.device: torch {torch.__version__} has no code for {there}; it has code for "
        f"{', '.join(f'{a}.{b}' for a, b in able)}. Install "
        f"{newer if is_newer else f'a build for older GPUs: {_older_build()}'}. {ON_THE_CPU}"
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
    nvml = Nvml.load()
    sign = _sign_of_gpu(nvml)
    return sign and f"{sign}, but torch {torch.__version__} sees no GPU. {_remedy(nvml)}"


def _sign_of_gpu(nvml: Nvml | None) -> str | None:
    named = os.environ.get(VARIABLE)
    hidden = named is not None and named.strip() in HIDES_ALL
    if there := visible_gpus(nvml.gpus() or [], os.environ) if nvml else []:
        return f"there is {', '.join(map(str, there))}"
    if named is not None and not hidden:
        return f"{VARIABLE} is {named!r}"
    for name in JOB_GPUS:
        if os.environ.get(name):
            return f"the job has asked for a GPU ({name} is {os.environ[name]!r})"
    if scheduled_since() is not None:
        return "the job that Snakemake has submitted asks for a GPU"
    count = 0 if hidden else counted_by_driver()
    return f"CUDA's driver counts {count} GPU(s)" if count else None


def _remedy(nvml: Nvml | None) -> str:
    cuda, driver = torch.version.cuda, nvml and nvml.driver()
    if cuda is None:
        build = f"pip install --force-reinstall {_pair()}"
        return f"It is built without CUDA; with it: {build}. {ON_THE_CPU}"
    least = LEAST_DRIVERS.get(int(cuda.split(".")[0]), 0)
    found = f"the driver here is {driver}" if driver else "nvidia-smi tells which is here"
    needs = f"It is built for CUDA {cuda}, which needs driver {least} or newer; {found}."
    major = int(driver.split(".")[0]) if driver else least
    if major < least:
        older = f", or take an older build: {_older_build()}" if major >= LEAST_DRIVERS[12] else ""
        return f"{needs} Update the driver{older}. {ON_THE_CPU}"
    return (
        f"{needs} To see what is wrong: python -c 'import torch; torch.cuda.init()'; in a job, "
        f"whether it has a GPU: srun --gpus=1 nvidia-smi. {ON_THE_CPU}"
    )
