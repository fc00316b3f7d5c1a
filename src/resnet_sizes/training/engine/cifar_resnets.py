"""The networks of He et al. (2015), section 4.2, for images of 32×32 pixels, and their plain forms.

A 3×3 convolution, three stages of blocks with 16, 32 and 64 filters on maps of 32, 16 and 8 pixels,
the mean of each map, a last layer. Shortcuts have no parameters (the paper's option A).
"""

from collections import OrderedDict
from functools import partial

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.resnet import BasicBlock


class CifarResNet(nn.Sequential):
    """Float images `[N, 3, 32, 32]` → logits `[N, num_classes]`."""

    def __init__(self, depth: int, block: type[BasicBlock], num_classes: int) -> None:
        """`depth` is six times the blocks of a stage, and two: convolutions and the last layer."""
        blocks = (depth - 2) // 6
        layers = OrderedDict(
            conv1=nn.Conv2d(3, 16, kernel_size=3, padding=1, bias=False),
            bn1=nn.BatchNorm2d(16),
            relu=nn.ReLU(inplace=True),
            layer1=_stage(block, blocks, 16, 16),
            layer2=_stage(block, blocks, 16, 32),
            layer3=_stage(block, blocks, 32, 64),
            avgpool=nn.AdaptiveAvgPool2d(1),
            flatten=nn.Flatten(),
            fc=nn.Linear(64, num_classes),
        )
        super().__init__(layers)
        for layer in self.modules():
            # As the paper says, by He et al., "Delving deep into rectifiers" (2015), equation 10.
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)


class Shortcut(nn.Module):
    """Every second pixel, and zeros for new maps: `[N, C, H, W]` → `[N, 2C, H/2, W/2]`."""

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        added = maps.shape[1]
        return functional.pad(maps[:, :, ::2, ::2], (0, 0, 0, 0, added // 2, added - added // 2))


class PlainBlock(BasicBlock):  # type: ignore[misc]
    """The block without its shortcut."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(maps)))  # type: ignore[no-any-return]


def _stage(block: type[BasicBlock], blocks: int, before: int, filters: int) -> nn.Sequential:
    narrower = before != filters
    first = block(before, filters, 2, Shortcut()) if narrower else block(before, filters)
    return nn.Sequential(first, *(block(filters, filters) for _ in range(blocks - 1)))


resnet20, resnet32, resnet44, resnet56, resnet110 = (
    partial(CifarResNet, depth, BasicBlock) for depth in (20, 32, 44, 56, 110)
)
plain20, plain32, plain44, plain56 = (
    partial(CifarResNet, depth, PlainBlock) for depth in (20, 32, 44, 56)
)
