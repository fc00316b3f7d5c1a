"""State dicts with the names and shapes of torchvision's ResNets, in files of some kilobytes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import torch
from torchvision.models import Weights, WeightsEnum, get_model


def state_of(model: str, value: float = 0.0, stem: str = "imagenet") -> dict[str, torch.Tensor]:
    """Every tensor of the network, filled with one value that is stored only once."""
    with torch.device("meta"):
        state = get_model(model).state_dict()
        if stem == "cifar":
            state["conv1.weight"] = torch.empty(64, 3, 3, 3)
    return {
        name: torch.tensor(value, dtype=tensor.dtype).expand(tensor.shape)
        for name, tensor in state.items()
    }


def saved(content: object, path: Path) -> Path:
    """Write `content` as `torch.save` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, path)
    return path


class Publisher:
    """Files that a server of the tests publishes under torchvision's names of files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contents: dict[str, bytes] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.origin = ""
        self.meta: dict[str, float] = {}

    def publish(self, model: str, version: str, content: object | None = None) -> str:
        """Make the file; returns its name, with the beginning of its SHA-256."""
        if content is None:
            # The last layer may be any; this one makes the file long enough to be cut off.
            content = state_of(model) | {"fc.bias": torch.full((100_000,), float(version[1]))}
        data = saved(content, self.folder / "state.pth").read_bytes()
        name = f"{model}-{hashlib.sha256(data).hexdigest()[:8]}.pth"
        self.contents[name] = data
        self.names[model, version] = name
        return name

    @property
    def catalogue(self) -> Callable[[str, str], WeightsEnum]:
        """What torchvision's own catalogue is to its files."""

        def find(model: str, version: str) -> WeightsEnum:
            url = f"{self.origin}/{self.names[model, version]}"
            name = f"{model.replace('resnet', 'ResNet')}_Weights"
            kind = WeightsEnum(name, {f"IMAGENET1K_{version}": Weights(url, object, self.meta)})
            weights: WeightsEnum = kind[f"IMAGENET1K_{version}"]
            return weights

        return find
