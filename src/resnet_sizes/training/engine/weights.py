"""Initial weights from a file that the fetch step has put on this machine."""

import hashlib
from pathlib import Path

import torch
from torch import nn

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_bytes
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.weights import HEAD, WeightsInfo


def load_initial_weights(network: nn.Module, run: RunFile, info: WeightsInfo | None) -> None:
    """Put the run's initial weights into all layers of `network` but the last, in place.

    Does nothing for a run that starts at random. Raises UserError if the file is not the one
    that the run was planned with, or does not fit the network.
    """
    expected = run.initial_weights
    if expected is None:
        return
    remedy = f"Make it with: resnet-sizes fetch STUDY --only {info.key if info else 'KEY'}"
    if info is None:
        raise UserError(
            f"{run.name}: starts from {expected.file} ({expected.name}), but --weights is not "
            "given. Name the weights/<key>.json of the study: --weights results/<name>/weights/"
            "<key>.json"
        )
    path = Path(info.path)
    content = read_bytes(path, f"{run.name} starts from it. {remedy}")
    found = hashlib.sha256(content).hexdigest()
    if found != expected.sha256:
        raise UserError(
            f"{path}: is not the file that {run.name} was planned with: SHA-256 {found[:12]}… "
            f"instead of {expected.sha256[:12]}…. {remedy}, then plan the run anew: resnet-sizes "
            "study runs STUDY"
        )
    state = {
        name: tensor for name, tensor in _read(path, content).items() if not name.startswith(HEAD)
    }
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:  # shapes
        raise UserError(f"{path}: does not fit {run.model}: {error}\n{remedy}") from None
    missing = [name for name in missing if not name.startswith(HEAD)]
    if missing or unexpected:
        raise UserError(
            f"{path}: does not fit {run.model}: {len(missing)} tensors are missing "
            f"({', '.join(missing[:3])}) and {len(unexpected)} are too many "
            f"({', '.join(unexpected[:3])}). Name a state dict of torchvision's {run.model}. "
            f"{remedy}"
        )


def _read(path: Path, content: bytes) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load

        return load(content)
    import io

    # weights_only: a pickle could otherwise run code.
    state: dict[str, torch.Tensor] = torch.load(
        io.BytesIO(content), map_location="cpu", weights_only=True
    )
    return state
