"""A network of which only the last layer, the head, is trained."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet


def freeze_backbone(network: ResNet) -> None:
    """Leave only the last layer trainable, in place."""
    network.requires_grad_(False)
    network.fc.requires_grad_(True)


def fold_batch_norm(network: ResNet) -> None:
    """Fold each batch normalisation into the convolution before it, in place.

    Exact to rounding for a network in evaluation mode whose convolutions are not trained: both
    are then fixed affine maps. It saves a pass over each map.
    """
    network.eval()
    with torch.no_grad():
        _fold(network, "conv1", "bn1")
        for block in network.modules():
            if isinstance(block, BasicBlock | Bottleneck):
                for number in (1, 2, 3)[: 2 if isinstance(block, BasicBlock) else 3]:
                    _fold(block, f"conv{number}", f"bn{number}")
                if block.downsample is not None:
                    _fold(block.downsample, "0", "1")
    network.requires_grad_(False)
    network.fc.requires_grad_(True)


def _fold(parent: nn.Module, convolution: str, normalisation: str) -> None:
    before, after = parent.get_submodule(convolution), parent.get_submodule(normalisation)
    assert isinstance(before, nn.Conv2d)
    assert isinstance(after, nn.BatchNorm2d)
    setattr(parent, convolution, fuse_conv_bn_eval(before, after))
    setattr(parent, normalisation, nn.Identity())


class Backbone(nn.Module):
    """All of a network but its head; shares the network's layers."""

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self._network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Float images `[N, 3, S, S]` → features `[N, F]`, as the head takes them."""
        network = self._network
        maps = network.maxpool(network.relu(network.bn1(network.conv1(images))))
        for stage in (network.layer1, network.layer2, network.layer3, network.layer4):
            maps = stage(maps)
        return torch.flatten(network.avgpool(maps), 1)
