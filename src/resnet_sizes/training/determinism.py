"""The one switch that decides whether two runs with the same seed are equal."""

import os

import torch


def set_determinism(deterministic: bool, seed: int) -> None:
    """Seed torch, and allow only deterministic kernels if `deterministic`.

    Equality, bit by bit, then holds for the same device, versions and number of threads.
    Call it before the first CUDA operation. Source: PyTorch documentation, "Reproducibility".
    """
    # Initial weights come from this generator; everything later draws from its own.
    torch.manual_seed(seed)
    # cuBLAS sums in a fixed order only with a fixed workspace, and reads this when it starts.
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic)
    # Trying out convolution algorithms picks by time, so the choice differs between runs.
    torch.backends.cudnn.benchmark = not deterministic
    # "fp32" means fp32: TF32 is a precision of its own in this project.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
