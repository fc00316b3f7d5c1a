"""Networks: the sizes and costs that are known from the literature."""

import pytest
import torch

from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.networks import build_network, count_parameters, macs_per_image


@pytest.mark.parametrize(
    ("model", "input_size", "stem", "millions"),
    [
        ("resnet18", 32, "imagenet", 37.0),
        ("resnet50", 32, "imagenet", 83.4),
        ("resnet152", 32, "imagenet", 235),
        ("resnet18", 224, "imagenet", 1814),
        ("resnet50", 224, "imagenet", 4087),
        ("resnet18", 32, "cifar", 555),
        ("resnet50", 32, "cifar", 1298),
    ],
)
def test_multiply_accumulates_are_those_of_the_literature(model, input_size, stem, millions):
    reading = TrainingRecipe(input_size=input_size, stem=stem)
    assert macs_per_image(model, reading, 10) / 1e6 == pytest.approx(millions, rel=0.005)


def test_resnet18_with_ten_classes_has_its_known_number_of_parameters():
    network = build_network("resnet18", TrainingRecipe(), 10)
    assert count_parameters(network, TrainingRecipe()) == (11_181_642, 11_181_642)
    probe = TrainingRecipe(trainable="head", weights="default")
    assert count_parameters(network, probe) == (11_181_642, 5_130)


def test_the_cifar_stem_keeps_the_resolution():
    network = build_network("resnet18", TrainingRecipe(stem="cifar"), 10)
    features = network.maxpool(network.relu(network.bn1(network.conv1(torch.zeros(2, 3, 32, 32)))))
    assert features.shape == (2, 64, 32, 32)


def test_initial_weights_follow_the_seed():
    def first_weights(seed):
        torch.manual_seed(seed)
        return build_network("resnet18", TrainingRecipe(), 10).conv1.weight

    assert torch.equal(first_weights(3), first_weights(3))
    assert not torch.equal(first_weights(3), first_weights(4))
