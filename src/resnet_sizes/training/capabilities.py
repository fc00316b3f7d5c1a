"""What a device can do for a run, by fixed rules: number formats, compiled code, memory."""

import logging
import os
import shutil
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import CompileMode, Precision, RunFile, RunSettings
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.devices.gpu_slots import candidates
from resnet_sizes.training.devices.gpus import Nvml
from resnet_sizes.training.devices.select import select_device
from resnet_sizes.training.engine.batches import evaluation_batch
from resnet_sizes.training.features.extraction import gpu_memory, pass_batch

log = logging.getLogger("resnet_sizes")

NEEDS: dict[Precision, tuple[int, int]] = {"tf32": (8, 0), "bf16": (8, 0), "fp16": (7, 0)}
"""CUDA capability from which on a precision is computed in hardware: Ampere, Volta."""

LAUNCH_BOUND_SIZE = 32
"""Input size in pixels up to which, with the ImageNet stem, a GPU waits for kernel launches."""

SHORT_OF_MEMORY = (
    "can't allocate memory",  # torch's allocator on the CPU
    "could not create a primitive",  # oneDNN's, which says no more
    "CUDA error: out of memory",  # the driver's own, before torch's allocator has anything
    "CUBLAS_STATUS_NOT_INITIALIZED",  # which needs room on the device
    "MPS backend out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""Parts of what is said where memory is short without an error of its own kind."""


def resolve_auto(settings: RunSettings, device_name: str) -> tuple[Precision, CompileMode]:
    """What `precision: auto` and `compile: auto` mean for a run on a device: a `training.device`.

    Of several GPUs the one with the lowest compute capability decides, since the run may take any.
    torch does not look where something else lists them. Raises UserError if there is none.
    """
    gpus = candidates(Nvml.load(), device_name)
    listed = {gpu.strength[:2]: gpu for gpu in gpus if gpu.strength}
    capability = min(listed, default=None)
    device = torch.device("cuda") if capability else select_device(device_name)
    mode = best_compile_mode(settings.reading, device)
    precision = fastest_precision(device, capability)
    where = f"{listed[capability]}, the weakest of {len(gpus)}" if capability else device.type
    log.info(
        f"{settings.protocol}/{settings.model}: auto means precision {precision} and compile "
        f"{mode} on {where}"
    )
    return precision, mode


def fastest_precision(device: torch.device, capability: tuple[int, int] | None = None) -> Precision:
    """What `precision: auto` means on a device: a fixed rule, never a timing.

    CUDA: bf16 from Ampere on, fp16 on Volta and Turing (the T4), else fp32. CPU: bf16 where the
    processor has instructions for it (AVX512-BF16, AMX): emulated, it is slower than fp32 by far.
    MPS: fp32. `capability` is asked of torch where it is not given.
    """
    if device.type == "cuda":
        capability = capability or torch.cuda.get_device_capability(device)
        if capability >= NEEDS["bf16"]:
            return "bf16"
        return "fp16" if capability >= NEEDS["fp16"] else "fp32"
    return "bf16" if device.type == "cpu" and _cpu_has_bf16() else "fp32"


def check_precision(precision: Precision, device: torch.device) -> None:
    """Raise UserError if the device cannot train in this precision; warn if it only emulates it."""
    if (needs := NEEDS.get(precision)) is None:
        return
    found = device.type
    if found == "cpu" and precision != "tf32":
        if precision == "fp16" or not _cpu_has_bf16():
            log.warning(f"precision {precision} is emulated on this CPU, and far slower than fp32")
        return
    if found == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability >= needs:
            return
        found = "cuda of capability {}.{}".format(*capability)
    raise UserError(
        f"precision: {precision} needs a CUDA GPU of capability {needs[0]}.{needs[1]} or more; the "
        f"device is {found}. Set precision of the protocol to fp32 or auto; where it "
        "is auto already, the run file was written on another device: write it on this one with "
        "resnet-sizes study runs STUDY, and on a cluster name one kind of GPU in the profile."
    )


def _cpu_has_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def best_compile_mode(recipe: TrainingRecipe, device: torch.device) -> CompileMode:
    """What `compile: auto` means for a recipe on a device: a fixed rule, never a timing.

    On CUDA the step is recorded (`cuda-graph`) where kernels end before the next is launched:
    where whole networks are trained on small maps, and where the last layer alone is trained, on
    features that are kept. Otherwise none.
    """
    if recipe.trainable == "head":
        waits = recipe.frozen_batch_norm == "eval" and recipe.augmentation == "none"
    else:
        waits = recipe.stem == "imagenet" and recipe.input_size <= LAUNCH_BOUND_SIZE
    return "cuda-graph" if device.type == "cuda" and waits else "none"


def check_compiler(mode: CompileMode, device: torch.device) -> None:
    """Raise UserError if a mode lacks a GPU to record on, or a compiler, of C++ for the CPU's code
    and of C for what launches a GPU's, with Python's headers."""
    if mode == "cuda-graph" and device.type != "cuda":
        raise UserError(
            f"training.compile: found 'cuda-graph', which needs a CUDA GPU; the device is "
            f"{device.type}. Set training.compile to none or auto; where it is auto already, the "
            "run file was written on another device: write it on this one with resnet-sizes study "
            "runs STUDY."
        )
    if mode in ("none", "cuda-graph"):
        return
    names = ["CXX", "g++", "clang++"] if device.type == "cpu" else ["CC", "gcc", "clang"]
    if not any(map(shutil.which, [os.environ.get(names[0]) or names[1], *names[1:]])):
        raise UserError(
            f"training.compile: found {mode!r}, which needs a compiler ({', '.join(names)}), and "
            "none is there. Install one, or set training.compile to none."
        )
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        raise UserError(
            f"training.compile: found {mode!r}, which compiles against Python.h, and {headers} has "
            "none. Install Python's headers (on Debian and Ubuntu the package python3-dev), or set "
            "training.compile to none."
        )


@contextmanager
def explained_out_of_memory(run: RunFile) -> Iterator[None]:
    """Turn an allocation that failed into a UserError that names the keys to change."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        by_kind = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not by_kind and not any(message in str(error) for message in SHORT_OF_MEMORY):
            raise
        raise UserError(_advice(run, str(error))) from error


def _advice(run: RunFile, reason: str) -> str:
    parts, forward = run.gradient_accumulation, "Set training.evaluation_batch_size below"
    if run.keeps_features:
        here = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        size = pass_batch(run, gpu_memory(here))
        advice = f"{forward} {size}. It is also the batch in which features are computed."
    else:
        size = evaluation_batch(run.evaluation_batch_size, run.reading.input_size)
        advice = (
            f"Set training.gradient_accumulation to {2 * parts}: each step then takes its batch in "
            f"{2 * parts} parts, with the gradient of the whole batch (batch normalisation in "
            "train mode sees the parts, so it is not quite the same training). A smaller "
            "training.batch_size is another experiment. If it failed in an evaluation: "
            f"{forward} {size}."
        )
    # Python's own MemoryError says nothing.
    said = f"torch said: {reason.splitlines()[0]}" if reason else "Python said: MemoryError"
    return (
        f"{run.name}: the device ran out of memory with batch_size {run.batch_size}, "
        f"gradient_accumulation {parts}, and {size} images per step of evaluation at "
        f"{run.reading.input_size} pixels.\n{advice}\nOther processes may hold the memory: "
        f"nvidia-smi and free -h show it. When they have ended, run the same command again.\n{said}"
    )
