"""The one switch that decides whether two runs with the same seed are equal."""

import os

import torch

from resnet_sizes.schemas.run.run import Precision


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
