"""How numbers are computed: determinism, number formats, compiled code."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import CompileMode, Precision
from resnet_sizes.training.engine.clock import Clock

SHORT_FORMATS: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}
"""What autocast computes in."""


def set_determinism(deterministic: bool, seed: int, precision: Precision = "fp32") -> None:
    """Seed torch, allow only deterministic kernels if `deterministic`, and say what fp32 means.

    Equality, bit by bit, then holds for the same device, versions and number of threads. Call it
    before the first matrix product on CUDA. Source: PyTorch documentation, "Reproducibility".
    """
    # Initial weights come from this generator; everything later draws from its own.
    torch.manual_seed(seed)
    # cuBLAS sums in a fixed order only with a fixed workspace, and reads this when it starts.
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Kernels that sum in the order in which threads happen to finish are replaced, or refused; and
    # torch's compiler chooses none by time (torch._inductor.config.deterministic follows it).
    torch.use_deterministic_algorithms(deterministic)
    # It would also fill each new tensor with NaN, to show reads of memory that nothing has written.
    # No layer of ours reads such memory, and the filling costs a pass over every activation.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    # Trying out convolution algorithms picks by time, so the choice differs between runs.
    torch.backends.cudnn.benchmark = not deterministic
    # Even without trials cuDNN may pick an algorithm whose sums depend on the order of threads.
    torch.backends.cudnn.deterministic = deterministic
    # "fp32" means fp32: TF32 is a precision of its own in this project. Set by these flags alone:
    # once `fp32_precision` is set too, reading them raises, and torch 2.14's inductor reads them.
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def autocast(
    precision: Precision, device: torch.device
) -> Callable[[], AbstractContextManager[object]]:
    """Makes the context in which a network computes in `precision`."""
    kind = SHORT_FORMATS.get(precision)
    if kind is not None:
        return lambda: torch.autocast(device.type, kind)
    return nullcontext


def memory_format(precision: Precision, device: torch.device) -> torch.memory_format:
    """How images and weights lie in memory: a fixed rule, never a timing.

    Channels last where 16-bit tensor cores compute, which want the channels of a pixel side by
    side, and on a CPU, where it was measured (benchmarks/README.md). Otherwise as a notebook has
    them: on CUDA fp32 and TF32 are reported to be slower in channels last, and on MPS gradients
    were wrong in some versions of torch. No GPU of ours has measured it.
    """
    tensor_cores = device.type == "cuda" and precision in ("bf16", "fp16")
    suits = tensor_cores or device.type == "cpu"
    return torch.channels_last if suits else torch.contiguous_format


def compiled(
    network: nn.Module, mode: CompileMode, clock: Clock
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network's forward pass, compiled as `mode` says; the clock leaves the compiling out.
    Shapes are taken as fixed, as CUDA graphs need them: a run has few (a whole batch, the last one,
    the evaluation's)."""
    if mode in ("none", "cuda-graph"):
        return network
    from torch._dynamo import config
    from torch._dynamo.callback import callback_handler
    from torch._dynamo.exc import FailOnRecompileLimitHit

    # Beyond eight graphs the rest would be computed without compiling, and nobody would know.
    config.fail_on_recompile_limit_hit = True
    callback_handler.register_start_callback(lambda *_: clock.begin_preparation())
    callback_handler.register_end_callback(lambda *_: clock.end_preparation())
    forward = torch.compile(network, mode=mode, dynamic=False)

    def step(inputs: torch.Tensor) -> torch.Tensor:
        if mode == "reduce-overhead":
            # The memory of a graph's outputs is free again when the next step begins.
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        try:
            return forward(inputs)  # type: ignore[no-any-return]
        except FailOnRecompileLimitHit as error:
            raise UserError(
                f"training.compile: found {mode!r}, but torch has compiled this network for "
                f"{config.recompile_limit} shapes of batches already, and keeps no more. Set "
                "training.compile to none."
            ) from error

    return step
