"""Out of memory: what to change."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.run import RunFile

CPU_MESSAGE = "can't allocate memory"
"""Part of what torch's allocator on the CPU says; it raises a plain RuntimeError."""


@contextmanager
def explained_out_of_memory(run: RunFile) -> Iterator[None]:
    """Turn an allocation that failed into a UserError that names the keys to change."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise UserError(_advice(run, str(error))) from error
    except RuntimeError as error:
        if CPU_MESSAGE not in str(error):
            raise
        raise UserError(_advice(run, str(error))) from error


def _advice(run: RunFile, reason: str) -> str:
    parts = run.gradient_accumulation
    return (
        f"{run.name}: the device ran out of memory with batch_size {run.batch_size}, "
        f"gradient_accumulation {parts} and evaluation_batch_size {run.evaluation_batch_size}.\n"
        f"Set training.gradient_accumulation to {2 * parts}: each step then takes its batch in "
        f"{2 * parts} parts, with the gradient of the whole batch (batch normalisation in train "
        "mode sees the parts, so it is not quite the same training). A smaller training.batch_size "
        "is another experiment. If it failed in an evaluation, lower "
        "training.evaluation_batch_size.\n"
        f"torch said: {reason.splitlines()[0]}"
    )
