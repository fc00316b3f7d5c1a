"""torchvision's ResNets, with the stem of the reading."""

import torch
from torch import nn
from torchvision.models import get_model
from torchvision.models.resnet import ResNet

from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.convolutions import use_exact_short_forms
from resnet_sizes.training.engine.frozen import fold_batch_norm, freeze_backbone


def build_network(model: str, reading: TrainingRecipe, classes: int) -> ResNet:
    """A network with random weights from torch's global generator.

    It maps float images `[N, 3, S, S]` to logits `[N, classes]`. The `cifar` stem is a 3×3
    convolution with stride 1 and no max-pool, as He et al. (2015), section 4.2, use on
    CIFAR-10.
    """
    network: ResNet = get_model(model, weights=None, num_classes=classes)
    if reading.stem == "cifar":
        stem = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
        # The same initialisation as torchvision gives to its own convolutions.
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        network.conv1 = stem
        network.maxpool = nn.Identity()
    return network


def ready_for_training(network: ResNet, reading: TrainingRecipe, device: torch.device) -> ResNet:
    """Move a network to the device in its fastest exact form, and freeze what is not trained.

    Its layers may be replaced, so count parameters before.
    """
    if reading.trainable == "head":
        freeze_backbone(network)
        if reading.frozen_batch_norm == "eval":
            fold_batch_norm(network)
    if device.type == "cpu":
        use_exact_short_forms(network)
    # Convolutions of a CPU and tensor cores both want the channels of a pixel side by side.
    return network.to(device).to(memory_format=torch.channels_last)


def count_parameters(network: ResNet, reading: TrainingRecipe) -> tuple[int, int]:
    """All parameters of a network as built, and those that the reading trains."""
    trained = network.fc if reading.trainable == "head" else network
    return tuple(sum(p.numel() for p in part.parameters()) for part in (network, trained))


def macs_per_image(model: str, reading: TrainingRecipe, classes: int) -> int:
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
