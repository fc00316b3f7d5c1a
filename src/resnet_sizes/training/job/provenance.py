"""Which code and which libraries made a result."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

import resnet_sizes
from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.schemas.run.metrics import Code


def versions(device: torch.device) -> dict[str, str]:
    """Versions of what takes part in a result, by package name."""
    found = {"python": platform.python_version(), "resnet-sizes": resnet_sizes.__version__}
    for package in ("torch", "torchvision", "numpy"):
        found[package] = version(package)
    if device.type == "cuda" and torch.version.cuda:
        found["cuda"] = torch.version.cuda
    return found


def code() -> Code:
    """The hash of the training code, and the commit where the code lies in a git checkout."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--", ".") if commit else None
    return Code(
        training_hash=training_code_hash(),
        git_commit=commit,
        git_dirty=None if changes is None else bool(changes),
    )


def _git(*arguments: str) -> str | None:
    folder = Path(resnet_sizes.__file__).parent
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
