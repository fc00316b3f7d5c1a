"""Out of memory: what to change."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.training.engine.preprocessing import evaluation_batch
from resnet_sizes.training.features.features import keeps_features

MESSAGES = (
    "can't allocate memory",  # torch's allocator on the CPU
    "CUDA error: out of memory",  # the driver's own, before torch's allocator has anything
    "CUBLAS_STATUS_NOT_INITIALIZED",  # which needs room on the device
    "MPS backend out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""Parts of what is said where memory is short without an error of its own kind."""


@contextmanager
def explained_out_of_memory(run: RunFile) -> Iterator[None]:
    """Turn an allocation that failed into a UserError that names the keys to change."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise UserError(_advice(run, str(error))) from error
    except RuntimeError as error:
        if not any(message in str(error) for message in MESSAGES):
            raise
        raise UserError(_advice(run, str(error))) from error


def _advice(run: RunFile, reason: str) -> str:
    parts = run.gradient_accumulation
    size = evaluation_batch(run.evaluation_batch_size, run.reading.input_size)
    steps = (
        f"Set training.gradient_accumulation to {2 * parts}: each step then takes its batch in "
        f"{2 * parts} parts, with the gradient of the whole batch (batch normalisation in train "
        "mode sees the parts, so it is not quite the same training). A smaller training.batch_size "
        "is another experiment."
    )
    forward = f"Set training.evaluation_batch_size below {size}."
    advice = (
        f"{forward} It is also the batch in which features are computed."
        if keeps_features(run)
        else f"{steps} If it failed in an evaluation: {forward}"
    )
    return (
        f"{run.name}: the device ran out of memory with batch_size {run.batch_size}, "
        f"gradient_accumulation {parts}, and {size} images a step of evaluation at "
        f"{run.reading.input_size} pixels.\n{advice}\nOther processes may hold the memory: "
        "nvidia-smi and free -h show it. When they have ended, run the same command again.\n"
        f"{_said(reason)}"
    )


def _said(reason: str) -> str:
    lines = reason.splitlines()  # Python's own MemoryError says nothing
    return f"torch said: {lines[0]}" if lines else "Python said: MemoryError"
