"""Short forms of convolutions: the same results and gradients, to rounding."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.convolutions import Convolution, use_exact_short_forms
from resnet_sizes.training.engine.networks import build_network


def outputs_and_gradients(layer: nn.Conv2d, images: torch.Tensor) -> list[torch.Tensor]:
    images = images.clone().requires_grad_()
    outputs = layer(images)
    # Another weight on each output, so that no two gradients can be mistaken for each other.
    weights = torch.arange(outputs.numel(), dtype=outputs.dtype).view(outputs.shape)
    (outputs * weights).sum().backward()
    return [outputs, images.grad, layer.weight.grad]


@settings(deadline=None)
@given(
    kernel=st.sampled_from([(1, 0), (3, 1), (7, 3)]),
    stride=st.sampled_from([1, 2]),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    count=st.integers(1, 3),
    channels_last=st.booleans(),
)
def test_any_convolution_gives_what_torchs_gives(
    kernel, stride, size, channels, count, channels_last
):
    torch.manual_seed(0)
    sides = {"kernel_size": kernel[0], "padding": kernel[1], "stride": stride}
    plain = nn.Conv2d(*channels, bias=False, dtype=torch.float64, **sides)
    short = Convolution(*channels, bias=False, dtype=torch.float64, **sides)
    short.load_state_dict(plain.state_dict())
    images = torch.randn(count, channels[0], *size, dtype=torch.float64)
    if channels_last:
        images = images.contiguous(memory_format=torch.channels_last)
    pairs = zip(
        outputs_and_gradients(plain, images), outputs_and_gradients(short, images), strict=True
    )
    for expected, found in pairs:
        assert found.shape == expected.shape
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("model", ["resnet18", "resnet50"])
def test_a_network_keeps_its_results_and_its_state(model):
    torch.manual_seed(0)
    network = build_network(model, TrainingRecipe(), 10).double().eval()
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    names = list(network.state_dict())
    with torch.no_grad():
        before = network(images)
        use_exact_short_forms(network)
        after = network(images)
    assert list(network.state_dict()) == names
    assert sum(isinstance(module, Convolution) for module in network.modules()) >= 20
    torch.testing.assert_close(after, before, rtol=1e-9, atol=1e-9)
