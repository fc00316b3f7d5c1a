"""Count what the networks cost and write the package's table, schemas/network_costs.json.

    python scripts/count_network_costs.py      (seconds; for another size, add it to SIZES)

Counted on tensors without storage: no arithmetic is done.
"""

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from resnet_sizes.io.files import write_json
from resnet_sizes.schemas.hardware import NETWORK_COSTS_FILE, NetworkCost, NetworkCosts
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.networks import build_network, count_parameters, macs_per_image

TABLE = Path(__file__).parents[1] / "src" / "resnet_sizes" / "schemas" / NETWORK_COSTS_FILE
CLASSES = 10
# At larger sizes the CIFAR stem costs many times what the article's minutes allow.
SIZES = {"imagenet": (32, 64, 96, 112, 128, 160, 192, 224), "cifar": (32, 64)}


def count_network_costs() -> NetworkCosts:
    """Every network of the study at every size of `SIZES`."""
    return NetworkCosts(
        classes=CLASSES,
        networks=[
            count_network_cost(model, stem, size)
            for stem, sizes in SIZES.items()
            for model, network in NETWORKS.items()
            if stem in network.stems
            for size in sizes
        ],
    )


def count_network_cost(model: str, stem: Any, input_size: int) -> NetworkCost:
    """One network with ten classes, for square images of `input_size` pixels a side."""
    recipe = TrainingRecipe(stem=stem, input_size=input_size)
    with torch.device("meta"):
        network = build_network(model, recipe, CLASSES)
    head = TrainingRecipe(weights="default", trainable="head")
    return NetworkCost(
        model=model,
        stem=stem,
        input_size=input_size,
        macs_per_image=macs_per_image(model, recipe, CLASSES),
        parameters=count_parameters(network, recipe)[0],
        head_parameters=count_parameters(network, head)[1],
        training_bytes_per_image=_per_image(_saved_bytes, network, input_size),
        inference_bytes_per_image=_per_image(_peak_bytes, network, input_size),
    )


def _per_image(
    count: Callable[[nn.Module, torch.Tensor], int], network: nn.Module, input_size: int
) -> int:
    # A difference of two batches is free of what a batch has once, such as its statistics.
    small, large = (
        count(network, torch.empty(batch, 3, input_size, input_size, device="meta"))
        for batch in (2, 4)
    )
    return (large - small) // 2


def _saved_bytes(network: nn.Module, images: torch.Tensor) -> int:
    """Bytes of the distinct storages that autograd keeps, without parameters and buffers."""
    own = {_key(tensor) for tensor in (*network.parameters(), *network.buffers())}
    saved: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        if _key(tensor) not in own:
            saved[_key(tensor)] = tensor.untyped_storage().nbytes()
        return tensor

    network.train()
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = network(images)
    # The graph must live until here: a freed storage's address could come back.
    del logits
    return sum(saved.values())


def _peak_bytes(network: nn.Module, images: torch.Tensor) -> int:
    """Most bytes alive at once in a forward pass in eval mode, the images among them."""
    network.eval()
    with torch.no_grad(), _LiveBytes(images) as live:
        network(images)
    return int(live.peak)


class _LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the storages that operations make, from their making to their release."""

    def __init__(self, images: torch.Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._alive: dict[int, int] = {}
        self.peak = 0
        self._follow(images)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = {_key(tensor) for tensor in _tensors((args, kwargs))}
        made = func(*args, **(kwargs or {}))
        for tensor in _tensors(made):
            # A view or an operation in place makes no storage of its own.
            if _key(tensor) not in given:
                self._follow(tensor)
        return made

    def _follow(self, tensor: torch.Tensor) -> None:
        storage, key = tensor.untyped_storage(), _key(tensor)
        if key in self._alive:
            return
        self._alive[key] = storage.nbytes()
        weakref.finalize(storage, self._alive.pop, key, None)
        self.peak = max(self.peak, sum(self._alive.values()))


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _key(tensor: torch.Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def main() -> None:
    write_json(TABLE, count_network_costs())
    print(TABLE)


if __name__ == "__main__":
    main()
