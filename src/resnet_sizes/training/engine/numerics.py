"""How numbers are computed: determinism, number formats, compiled code."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from resnet_sizes.schemas.run.run import CompileMode, Precision


def set_determinism(deterministic: bool, seed: int, precision: Precision = "fp32") -> None:
    """Seed torch, allow only deterministic kernels if `deterministic`, and say what fp32 means.

    Equality, bit by bit, then holds for the same device, versions and number of threads.
    Call it before the first matrix product on CUDA. Source: PyTorch documentation,
    "Reproducibility".
    """
    # Initial weights come from this generator; everything later draws from its own.
    torch.manual_seed(seed)
    # cuBLAS sums in a fixed order only with a fixed workspace, and reads this when it starts.
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Kernels that sum in the order in which threads happen to finish are replaced, or refused.
    torch.use_deterministic_algorithms(deterministic)
    # It would also fill each new tensor with NaN, to show reads of memory that nothing has written.
    # No layer of ours reads such memory, and the filling costs a pass over every activation.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Trying out convolution algorithms picks by time, so the choice differs between runs.
    torch.backends.cudnn.benchmark = not deterministic
    # Even without trials cuDNN may pick an algorithm whose sums depend on the order of threads.
    torch.backends.cudnn.deterministic = deterministic
    # "fp32" means fp32: TF32 is a precision of its own in this project.
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def autocast(
    precision: Precision, device: torch.device
) -> Callable[[], AbstractContextManager[object]]:
    """Makes the context in which a network computes in `precision`."""
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    if precision in kinds:
        return lambda: torch.autocast(device.type, kinds[precision])
    return nullcontext


def compiled(network: nn.Module, mode: CompileMode) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network's forward pass, compiled as `mode` says.

    Shapes are taken as fixed: a run has few (a whole batch, the last one, the evaluation's), and
    CUDA graphs need them fixed.
    """
    if mode == "none":
        return network
    forward = torch.compile(network, mode=mode, dynamic=False)
    if mode != "reduce-overhead":
        return forward

    def step(inputs: torch.Tensor) -> torch.Tensor:
        # The memory of a graph's outputs is free again when the next step begins.
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return forward(inputs)  # type: ignore[no-any-return]

    return step
