"""`torch.compile`, where the configuration asks for it."""

import os
import shutil
from collections.abc import Callable

import torch
from torch import nn

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import CompileMode
from resnet_sizes.schemas.study.protocol import TrainingRecipe

OLDEST_CAPABILITY = (7, 0)
"""CUDA capability from which on torch's compiler makes code for a GPU."""

LAUNCH_BOUND_SIZE = 32
"""Input size in pixels up to which, with the ImageNet stem, a GPU waits for kernel launches."""


def best_compile_mode(
    reading: TrainingRecipe, device: torch.device, gradient_accumulation: int = 1
) -> CompileMode:
    """What `compile: auto` means for a reading on a device: a fixed rule, never a timing.

    CUDA graphs (`reduce-overhead`) where whole networks are trained on maps so small that their
    kernels end before the next is launched; otherwise none. Batches taken in parts have none,
    since a graph loses the gradients of one part when the next begins.
    """
    small = reading.stem == "imagenet" and reading.input_size <= LAUNCH_BOUND_SIZE
    whole = reading.trainable == "all" and gradient_accumulation == 1
    if device.type != "cuda" or not small or not whole:
        return "none"
    able = torch.cuda.get_device_capability(device) >= OLDEST_CAPABILITY
    return "reduce-overhead" if able else "none"


def check_compiler(mode: CompileMode, device: torch.device) -> None:
    """Raise UserError if compiling needs a compiler that is not there: of C++ for the CPU's
    code, of C for what launches a GPU's."""
    if mode == "none":
        return
    names = ["CXX", "g++", "clang++"] if device.type == "cpu" else ["CC", "gcc", "clang"]
    variable, *others = names
    if not any(name and shutil.which(name) for name in (os.environ.get(variable, ""), *others)):
        raise UserError(
            f"training.compile: found {mode!r}, which needs a compiler ({', '.join(names)}), and "
            "none is there. Install one, or set training.compile to none."
        )


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
