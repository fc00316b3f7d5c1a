"""Networks: their stems and initial weights, frozen backbones, and their sizes."""

from copy import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.own_code import CORRECT_IT, failure
from resnet_sizes.schemas.run.run import Precision, RunFile
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.schemas.study.networks import NETWORKS, Network
from resnet_sizes.schemas.study.protocol import TrainingRecipe
from resnet_sizes.training.engine.cifar_resnets import CifarResNet
from resnet_sizes.training.engine.convolutions import use_exact_short_forms
from resnet_sizes.training.engine.numerics import memory_format, set_determinism
from resnet_sizes.training.tensor_files import read_weights


def build_network(
    model: str, recipe: TrainingRecipe, classes: int, own: Network | None = None
) -> nn.Module:
    """A network with random weights from torch's global generator; `own` is one of the user's.

    It maps float images `[N, 3, S, S]` to logits `[N, classes]`. torchvision's get the stem that
    the recipe names: `cifar` is a 3×3 convolution with stride 1 and no max-pool, as He et al.
    (2015), section 4.2, use on CIFAR-10. Raises UserError for `own` that cannot be built so.
    """
    if own:
        return _own(own, recipe, classes)
    network: nn.Module = NETWORKS[model].builder()(num_classes=classes)
    if isinstance(network, ResNet) and recipe.stem == "cifar":
        stem = nn.Conv2d(3, 64, kernel_size=3, stride=1, padding=1, bias=False)
        # The same initialisation as torchvision gives to its own convolutions.
        nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
        network.conv1 = stem
        network.maxpool = nn.Identity()
    return network


def _own(own: Network, recipe: TrainingRecipe, classes: int) -> nn.Module:
    build, side = own.builder(), recipe.input_size
    try:
        network: nn.Module = build(num_classes=classes)
        with torch.no_grad():
            shape = list(network.eval()(torch.zeros(2, 3, side, side)).shape)
        if shape != [2, classes]:
            raise ValueError(f"it gives logits {shape}; allowed: [2, {classes}]")
        if recipe.trainable == "head":
            network.get_submodule(own.head)
    except Exception as error:
        raise UserError(
            f"networks: {own.build} gives no network for images [2, 3, {side}, {side}] of "
            f"{classes} classes. {failure(error, own.file)}. {CORRECT_IT}"
        ) from error
    return network


def initial_network(run: RunFile, classes: int, weights: WeightsInfo | None) -> nn.Module:
    """Seed torch, and build a run's network on the CPU: with random weights or those of a file,
    which give all layers but the last.

    Raises UserError if the file is not the one that the run was planned with, or does not fit.
    """
    set_determinism(run.deterministic, run.seed, run.precision)
    network = build_network(run.model, run.reading, classes, run.network)
    head = f"{run.entry.head}."
    state = read_weights(run, weights)
    if weights is None or state is None:
        return network
    state = {name: tensor for name, tensor in state.items() if not name.startswith(head)}
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:  # shapes
        raise UserError(
            f"{weights.path}: does not fit {run.model}: {error}\nMake it with: "
            f"resnet-sizes fetch STUDY --only {weights.key}"
        ) from None
    missing = [name for name in missing if not name.startswith(head)]
    if missing or unexpected:
        raise UserError(
            f"{weights.path}: does not fit {run.model}: {len(missing)} tensors are missing "
            f"({', '.join(missing[:3])}) and {len(unexpected)} are too many "
            f"({', '.join(unexpected[:3])}). Name a state dict of {run.model}. "
            f"Make it with: resnet-sizes fetch STUDY --only {weights.key}"
        )
    return network


def ready_for_training(
    network: nn.Module,
    recipe: TrainingRecipe,
    device: torch.device,
    precision: Precision,
    head: str = "fc",
) -> nn.Module:
    """Move a network to the device in its fastest exact form, and freeze what is not trained. Its
    layers may be replaced, so count parameters before."""
    if recipe.trainable == "head":
        if recipe.frozen_batch_norm == "eval":
            fold_batch_norm(network)
        network.requires_grad_(False)
        network.get_submodule(head).requires_grad_(True)
    if device.type == "cpu":
        use_exact_short_forms(network)
    return network.to(device).to(memory_format=memory_format(precision, device))


def fold_batch_norm(network: nn.Module) -> None:
    """Fold each batch normalisation into the convolution before it, in place; networks of the
    user's own stay as they are.

    Exact to rounding for a network in evaluation mode whose convolutions are not trained: both
    are then fixed affine maps. It saves a pass over each map.
    """
    network.eval()
    if not isinstance(network, ResNet | CifarResNet):
        return
    with torch.no_grad():
        _fold(network, "conv1", "bn1")
        for block in network.modules():
            if isinstance(block, BasicBlock | Bottleneck):
                for number in (1, 2) if isinstance(block, BasicBlock) else (1, 2, 3):
                    _fold(block, f"conv{number}", f"bn{number}")
                if isinstance(block.downsample, nn.Sequential):
                    _fold(block.downsample, "0", "1")


def _fold(parent: nn.Module, convolution: str, normalisation: str) -> None:
    before, after = parent.get_submodule(convolution), parent.get_submodule(normalisation)
    assert isinstance(before, nn.Conv2d)
    assert isinstance(after, nn.BatchNorm2d)
    setattr(parent, convolution, fuse_conv_bn_eval(before, after))
    setattr(parent, normalisation, nn.Identity())


def backbone(network: nn.Module, head: str = "fc") -> nn.Module:
    """All of a network but its head: float images `[N, 3, S, S]` → features `[N, F]`, as the head
    takes them. It shares the network's layers."""
    rest = copy(network)
    rest._modules = network._modules | {head: nn.Identity()}
    return rest


def count_parameters(
    network: nn.Module, recipe: TrainingRecipe, head: str = "fc"
) -> tuple[int, int]:
    """All parameters of a network as built, and those that the recipe trains."""
    trained = network.get_submodule(head) if recipe.trainable == "head" else network
    return tuple(sum(p.numel() for p in part.parameters()) for part in (network, trained))  # type: ignore[return-value]


def macs_per_image(
    model: str, recipe: TrainingRecipe, classes: int, own: Network | None = None
) -> int:
    """Multiply-accumulates of one forward pass for one image.

    Counted by torch's FlopCounterMode on tensors without storage, which costs no arithmetic;
    it counts a multiply-accumulate as two operations. One's own network is counted on real ones.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("cpu" if own else "meta"):
        network = build_network(model, recipe, classes, own).eval()
        image = torch.empty(1, 3, recipe.input_size, recipe.input_size)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        network(image)
    return int(counter.get_total_flops()) // 2
