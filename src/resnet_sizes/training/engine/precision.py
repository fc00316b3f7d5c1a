"""Number formats of the forward and backward passes, and what a device computes in hardware."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import Precision

log = logging.getLogger("resnet_sizes")

AMPERE = (8, 0)
"""CUDA capability from which on TF32 and bfloat16 are computed in hardware."""

VOLTA = (7, 0)
"""CUDA capability from which on float16 is computed by tensor cores."""


def fastest_precision(device: torch.device) -> Precision:
    """What `precision: auto` means on a device: a fixed rule, never a timing.

    CUDA: bf16 from Ampere on, fp16 on Volta and Turing (the T4), else fp32. CPU: bf16 where the
    processor has instructions for it (AVX512-BF16, AMX), else fp32: emulated, it is
    slower by far. MPS: fp32.
    """
    if device.type == "cuda":
        capability = torch.cuda.get_device_capability(device)
        if capability >= AMPERE:
            return "bf16"
        return "fp16" if capability >= VOLTA else "fp32"
    if device.type == "cpu" and _cpu_has_bf16():
        return "bf16"
    return "fp32"


def check_precision(precision: Precision, device: torch.device) -> None:
    """Raise UserError if the device cannot train in this precision; warn if it only emulates it."""
    needs = {"tf32": AMPERE, "bf16": AMPERE, "fp16": VOLTA}.get(precision)
    if needs is None:
        return
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= needs:
        return
    if device.type == "cpu" and precision != "tf32":
        if precision == "fp16" or not _cpu_has_bf16():
            log.warning("precision %s is emulated on this CPU, and far slower than fp32", precision)
        return
    raise UserError(
        f"precision: {precision} needs a CUDA GPU of capability {needs[0]}.{needs[1]} or more; the "
        f"device is {_described(device)}. Set precision of the protocol to fp32 or auto; where it "
        "is auto already, the run file was written on another device: write it on this one with "
        "resnet-sizes study runs STUDY."
    )


def autocast(
    precision: Precision, device: torch.device
) -> Callable[[], AbstractContextManager[object]]:
    """Makes the context in which a network computes in `precision`."""
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    if precision in kinds:
        return lambda: torch.autocast(device.type, kinds[precision])
    return nullcontext


def _cpu_has_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _described(device: torch.device) -> str:
    if device.type != "cuda":
        return device.type
    major, minor = torch.cuda.get_device_capability(device)
    return f"{device.type} of capability {major}.{minor}"
