"""The state of a training as named tensors, and back: bit by bit the same."""

from dataclasses import dataclass, field

import torch
from torch import nn
from torch.optim import Optimizer

from resnet_sizes.training.tensor_files import Tensors


@dataclass
class Epoch:
    """An epoch under way: what is done of it."""

    number: int
    step: int = 0
    seconds: float = 0.0
    """Training time of the steps of an interrupted attempt; of all steps, once `trained`."""
    trained: bool = False
    """Whether only the evaluation is left."""
    losses: list[torch.Tensor] = field(default_factory=list)
    """Mean loss of each step, float32 scalars on the device."""
    correct: torch.Tensor | None = None
    """int64 scalar on the device; None before the first step."""
    generator: torch.Generator | None = None
    """The epoch's random stream, once it has begun."""
    random: torch.Tensor | None = None
    """Where that stream stood when the attempt before was interrupted."""


def network_tensors(network: nn.Module) -> Tensors:
    """Copies of weights, running statistics and counters, on the CPU."""
    return {f"network.{name}": _copy(value) for name, value in network.state_dict().items()}


def restore_network(network: nn.Module, tensors: Tensors) -> None:
    """Fill the network in place: addresses and memory formats stay, as compiled code expects."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            value.copy_(tensors[f"network.{name}"])


def optimizer_tensors(optimizer: Optimizer) -> Tensors:
    """Copies of the moments and counters of each parameter, on the CPU."""
    found = {}
    for number, parameter in enumerate(_parameters(optimizer)):
        for name, value in optimizer.state.get(parameter, {}).items():
            if value is not None:
                found[f"optimizer.{number}.{name}"] = _copy(value)
    return found


def restore_optimizer(optimizer: Optimizer, tensors: Tensors) -> None:
    """Give each parameter its moments, in the parameter's own memory format: fused kernels walk
    through all of them as they lie in memory."""
    parameters = _parameters(optimizer)
    for key, saved in tensors.items():
        if not key.startswith("optimizer."):
            continue
        _, number, name = key.split(".", 2)
        parameter = parameters[int(number)]
        if saved.shape == parameter.shape and saved.dim():
            value = torch.empty_like(parameter, dtype=saved.dtype, requires_grad=False)
            value.copy_(saved)
        else:  # a counter, which fused kernels read where the parameter is
            value = saved.to(parameter.device) if optimizer.defaults.get("fused") else saved
        optimizer.state[parameter][name] = value


def epoch_tensors(epoch: Epoch) -> Tensors:
    """What an epoch has so far; nothing before its first step."""
    if not epoch.step:
        return {}
    random = epoch.generator.get_state() if epoch.generator else epoch.random
    assert epoch.correct is not None
    assert random is not None
    return {
        "epoch.losses": _copy(torch.stack(epoch.losses)),
        "epoch.correct": _copy(epoch.correct),
        "epoch.random": random,
    }


def restored_epoch(
    number: int, step: int, seconds: float, tensors: Tensors, device: torch.device
) -> Epoch:
    """The epoch in which the training goes on."""
    if not step:
        return Epoch(number)
    return Epoch(
        number,
        step,
        seconds,
        losses=list(tensors["epoch.losses"].to(device).unbind()),
        correct=tensors["epoch.correct"].to(device),
        random=tensors["epoch.random"],
    )


def random_tensors(device: torch.device) -> Tensors:
    """The states of torch's own generators; nothing of ours draws from them after the weights."""
    found = {"random.cpu": torch.get_rng_state()}
    if device.type == "cuda":
        found["random.cuda"] = torch.cuda.get_rng_state(device)
    return found


def restore_random(tensors: Tensors, device: torch.device) -> None:
    """Put torch's generators back; one that the checkpoint's device lacked stays as it is."""
    torch.set_rng_state(tensors["random.cpu"])
    if device.type == "cuda" and "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"], device)


def _parameters(optimizer: Optimizer) -> list[torch.Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().to("cpu", copy=True).contiguous()
