"""The same convolutions with less work on the small maps that 32-pixel images lead to.

In a ResNet with the ImageNet stem an image of 32×32 has become 2×2 in the third stage and 1×1
in the fourth. A padded 3×3 convolution there multiplies mostly padding: 5 of 9 products at 2×2,
8 of 9 at 1×1. Leaving those out changes nothing but rounding, since they are zeros.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional


class Convolution(nn.Conv2d):
    """A convolution without bias that takes the cheapest exact form for the map it is given; its
    parameters and results are `nn.Conv2d`'s, to rounding."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`[N, C, H, W]` → `[N, C', H', W']`."""
        height, width = images.shape[2:]
        if self.kernel_size == (1, 1):
            return _pointwise(images, self.weight, self.stride[0])
        if self.kernel_size == (3, 3) and self.padding == (1, 1):
            if height == width == 1:
                return functional.linear(images.flatten(1), self.weight[:, :, 1, 1])[
                    :, :, None, None
                ]
            if height == width == 2:
                return _three_by_three_on_two_by_two(images, self.weight, self.stride[0])
        return super().forward(images)


def use_exact_short_forms(network: nn.Module) -> None:
    """Make the convolutions of a network `Convolution`s, in place, where these do the same.

    Worth it on a CPU, where time goes by multiplications. On a GPU the short forms launch more
    kernels for maps that are too small to fill it.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and module.bias is None and module.groups == 1:
            as_usual = module.padding == tuple(side // 2 for side in module.kernel_size)
            plain = module.dilation == (1, 1) and module.padding_mode == "zeros"
            if as_usual and plain and module.stride in ((1, 1), (2, 2)):
                module.__class__ = Convolution


def _pointwise(images: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
    # Channels last, a 1×1 convolution is one matrix product over all pixels; as such it needs
    # no rearrangement of the weights in each step.
    if stride > 1:
        images = images[:, :, ::stride, ::stride]
    pixels = images.permute(0, 2, 3, 1)
    return functional.linear(pixels, weight.flatten(1)).permute(0, 3, 1, 2)


def _three_by_three_on_two_by_two(
    images: torch.Tensor, weight: torch.Tensor, stride: int
) -> torch.Tensor:
    count, channels = images.shape[:2]
    pixels = images.permute(0, 2, 3, 1).reshape(count, 4 * channels)
    if stride == 2:  # one output pixel, which sees all four
        matrix = weight[:, :, 1:, 1:].permute(0, 2, 3, 1).reshape(-1, 4 * channels)
        return functional.linear(pixels, matrix)[:, :, None, None]
    outputs = functional.linear(pixels, _TwoByTwoMatrix.apply(weight))
    return outputs.view(count, 2, 2, -1).permute(0, 3, 1, 2)


class _TwoByTwoMatrix(torch.autograd.Function):
    """A padded 3×3 convolution on 2×2 maps as one matrix, `[4·C', 4·C]`, pixel by pixel.

    Output pixel (i, j) sees input pixel (k, l) through the tap (k - i + 1, l - j + 1). Left to
    autograd, each of the four slices would get a gradient of the whole weight's size.
    """

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor) -> torch.Tensor:
        outputs, inputs = weight.shape[:2]
        taps = weight.permute(0, 2, 3, 1)  # [C', 3, 3, C]
        matrix = torch.stack([taps[:, 1 - i : 3 - i, 1 - j : 3 - j] for i, j in _PIXELS])
        return matrix.reshape(4 * outputs, 4 * inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        outputs, inputs = (side // 4 for side in gradients[0].shape)
        of_pixel = gradients[0].view(4, outputs, 2, 2, inputs)
        taps = gradients[0].new_zeros(outputs, 3, 3, inputs)
        for (i, j), gradient in zip(_PIXELS, of_pixel, strict=True):
            taps[:, 1 - i : 3 - i, 1 - j : 3 - j] += gradient
        return taps.permute(0, 3, 1, 2)


_PIXELS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Rows and columns of a 2×2 map."""
