"""Number formats of the forward and backward passes, and what a device computes in hardware."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.run import Precision

AMPERE = (8, 0)
"""CUDA capability from which on TF32 and bfloat16 are computed in hardware."""

VOLTA = (7, 0)
"""CUDA capability from which on float16 is computed by tensor cores."""


def fastest_precision(device: torch.device) -> Precision:
    """What `precision: auto` means on a device: a fixed rule, never a timing.

    CUDA: bf16 from Ampere on, fp16 on Volta and Turing (the T4), else fp32. CPU: bf16 where the
    processor has instructions for it (AVX512-BF16, AMX), else fp32: emulated, it is a hundred
    times slower. MPS: fp32.
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
    """Raise UserError if the device cannot train in this precision."""
    if precision == "tf32" and (
        device.type != "cuda" or torch.cuda.get_device_capability(device) < AMPERE
    ):
        raise UserError(_cannot(precision, device, "a CUDA GPU of capability 8.0 or more"))
    if precision == "fp16" and device.type == "mps":
        raise UserError(_cannot(precision, device, "a CUDA GPU"))


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


def _cannot(precision: Precision, device: torch.device, needs: str) -> str:
    return (
        f"precision: {precision} needs {needs}; the device is {device.type}. Set precision of "
        "the protocol to fp32 or auto."
    )
