"""torchvision's ResNets, with the stem of the reading."""

import torch
from torch import nn
from torchvision.models import get_model

from resnet_sizes.records.protocol import Reading


def build_network(model: str, reading: Reading, classes: int) -> nn.Module:
    """A network with random weights from torch's global generator.

    It maps float images `[N, 3, S, S]` to logits `[N, classes]`. The `cifar` stem is a 3×3
    convolution with stride 1 and no max-pool, as He et al. (2015), section 4.2, use on
    CIFAR-10.
    """
    network: nn.Module = get_model(model, weights=None, num_classes=classes)
    if reading.stem == "cifar":
        stem = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
        # The same initialisation as torchvision gives to its own convolutions.
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        network.conv1 = stem
        network.maxpool = nn.Identity()
    return network


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """All parameters, and those that are trained."""
    parameters = list(network.parameters())
    return (
        sum(p.numel() for p in parameters),
        sum(p.numel() for p in parameters if p.requires_grad),
    )


def macs_per_image(model: str, reading: Reading, classes: int) -> int:
    """Multiply-accumulates of one forward pass for one image.

    Counted by torch's FlopCounterMode on tensors without storage, which costs no arithmetic;
    it counts a multiply-accumulate as two operations.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        network = build_network(model, reading, classes).eval()
        image = torch.empty(1, 3, reading.input_size, reading.input_size)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(image)
    return int(counter.get_total_flops()) // 2
