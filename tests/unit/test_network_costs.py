"""The shipped table of what the networks cost, held to a fresh count."""

import json
from pathlib import Path

import count_network_costs
import pytest
import torch
from count_network_costs import SIZES, count_network_cost

from resnet_sizes.schemas.hardware import NetworkCost, shipped_network_costs
from resnet_sizes.schemas.study.networks import NETWORKS
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.networks import build_network

SAMPLED = [
    ("resnet18", "imagenet", 32),
    ("resnet34", "imagenet", 160),
    ("resnet50", "imagenet", 112),
    ("resnet152", "imagenet", 224),
    ("resnet101", "cifar", 64),
    ("resnet152", "cifar", 32),
]


def entry(model: str, stem: str, size: int) -> NetworkCost:
    found = shipped_network_costs().of(model, stem, size)
    assert found is not None
    return found


@pytest.mark.parametrize(("model", "stem", "size"), SAMPLED)
def test_the_table_is_what_is_counted_afresh(model: str, stem: str, size: int) -> None:
    assert count_network_cost(model, stem, size) == entry(model, stem, size)


def test_the_table_has_every_network_at_every_size_once() -> None:
    found = [(e.model, e.stem, e.input_size) for e in shipped_network_costs().networks]
    wanted = {
        (m, stem, size)
        for stem, sizes in SIZES.items()
        for m, network in NETWORKS.items()
        if stem in network.stems
        for size in sizes
    }
    assert len(found) == len(wanted)
    assert set(found) == wanted


def test_a_size_that_was_not_counted_has_no_entry() -> None:
    assert shipped_network_costs().of("resnet18", "imagenet", 65) is None


def test_training_bytes_are_those_of_resnet18_counted_by_hand() -> None:
    # float32 elements that autograd needs at 32 pixels, for one image: the image, the stem's
    # convolution and activation, the pooled map with its int64 indices; each block keeps the
    # outputs of two convolutions (for batch normalisation) and two activations, and the first
    # of a stage also its shortcut's convolution; at last the pooled features.
    stem = 3 * 32 * 32 + 2 * 64 * 16 * 16 + (1 + 2) * 64 * 8 * 8
    blocks = 0
    for stage, (channels, side) in enumerate([(64, 8), (128, 4), (256, 2), (512, 1)]):
        blocks += (2 * 4 + (stage > 0)) * channels * side * side
    assert entry("resnet18", "imagenet", 32).training_bytes_per_image == 4 * (stem + blocks + 512)


def test_bytes_of_a_forward_pass_are_those_of_its_widest_moment() -> None:
    # The image, and the stem's convolution beside its normalised copy.
    assert entry("resnet18", "imagenet", 224).inference_bytes_per_image == 4 * (
        3 * 224 * 224 + 2 * 64 * 112 * 112
    )


def test_training_bytes_are_what_a_real_forward_pass_keeps() -> None:
    network = build_network("resnet18", TrainingRecipe(), 10).train()
    own = {t.untyped_storage().data_ptr() for t in (*network.parameters(), *network.buffers())}
    kept: dict[int, int] = {}
    totals = []
    for batch in (2, 4):
        kept.clear()

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            logits = network(torch.rand(batch, 3, 32, 32))
        totals.append(sum(kept.values()))
        del logits
    per_image = (totals[1] - totals[0]) // 2
    assert per_image == entry("resnet18", "imagenet", 32).training_bytes_per_image


def test_the_script_writes_the_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = tmp_path / "network_costs.json"
    monkeypatch.setattr(count_network_costs, "TABLE", table)
    monkeypatch.setattr(count_network_costs, "SIZES", {"imagenet": (32,)})
    count_network_costs.main()
    written = json.loads(table.read_text(encoding="utf-8"))
    assert [e["model"] for e in written["networks"]] == [
        m for m, network in NETWORKS.items() if "imagenet" in network.stems
    ]
    assert written["networks"][0] == entry("resnet18", "imagenet", 32).model_dump(mode="json")
