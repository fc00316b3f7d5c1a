"""Whether numbers are what they should be: exact, equal when repeated, those of the CPU."""

from functools import partial
from itertools import product

import torch
from torch import nn
from torch.nn import functional
from torch.nn.grad import conv2d_weight

from resnet_sizes.device_check.bench import READINGS, Bench, images, last_logits, random_network
from resnet_sizes.training.engine.batches import (
    DeviceData,
    Preprocessor,
    draw_flips_and_shifts,
    epoch_generator,
    flip_and_crop,
)
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.numerics import set_determinism

CPU = torch.device("cpu")

LOSSES = {"fp32": (1e-4, 1e-3)}
"""Allowed relative difference of the first and the fifth loss, of a precision."""

LOSSES_IN_SHORT = (2e-2, 2e-2)
"""The same in 16 bits and in TF32."""

RATE = 1e-5
"""Adam divides gradients by their size; at a higher rate rounding would grow with each step."""


def fp32(bench: Bench) -> None:
    """Compare products with fp64, forward and backward, in both memory formats."""
    set_determinism(True, 0)
    factors = torch.randn(2, 512, 512, dtype=torch.float64)
    maps = torch.randn(2, 16, 64, 16, 16, dtype=torch.float64)
    weight = torch.randn(64, 64, 3, 3, dtype=torch.float64)
    gradient = partial(conv2d_weight, weight_size=weight.shape, padding=1)
    for layout in (torch.contiguous_format, torch.channels_last):
        for what, operation, operands in (
            ("product", torch.mm, factors),
            ("convolution", partial(functional.conv2d, padding=1), (maps[0], weight)),
            ("its gradient", lambda one, other: gradient(one, grad_output=other), maps),
        ):
            given = [each.float().to(bench.device) for each in operands]
            if given[0].dim() == 4:
                given = [each.contiguous(memory_format=layout) for each in given]
            # TF32 has 10 bits: its error is 3e-4.
            error = difference(operation(*given), operation(*operands))
            bench.within(f"{what}, {str(layout)[6:]}", error, 1e-5)


def difference(found: torch.Tensor, exact: torch.Tensor) -> float:
    """Norm of the difference over the norm of what is exact."""
    error = found.detach().cpu().double() - exact.double()
    return float(error.norm() / exact.norm())


def steps(bench: Bench) -> None:
    """Two steps and an evaluation, the second step with a batch of two, each twice."""
    for model, reading, precision in product(bench.models, READINGS, bench.precisions()):
        small = reading in ("scratch-32", "augmented")
        batch = (256 if small else 64) if bench.device.type == "cuda" else 4
        run = bench.run(reading, model=model, precision=precision, batch_size=batch)
        with bench.case(f"{reading}/{model} in {precision}"):
            one, other = (last_logits(bench.trainer(run, images(batch + 2, 2))) for _ in range(2))
            if not torch.equal(one, other):
                raise ArithmeticError("the same steps give other logits when repeated")


def exactness(bench: Bench) -> None:
    """Compare with the CPU: the images that a network gets, its logits, its first losses."""
    arrays = images(5 * 16)
    pixels = torch.from_numpy(arrays.train_images)
    plain, large = bench.run().reading, bench.run("finetune-112").reading
    exact = functional.interpolate(
        Preprocessor(plain, CPU, "fp32")(pixels).double(), 112, mode="bilinear", antialias=True
    )
    made = Preprocessor(large, bench.device, "fp32")(pixels.to(bench.device)).cpu()
    bench.within("resized images", (made - exact).abs().max().item(), 2e-5)
    drawn = draw_flips_and_shifts(len(pixels), epoch_generator(0, 1))
    wrong = flip_and_crop(pixels.to(bench.device), *drawn).cpu() != flip_and_crop(pixels, *drawn)
    bench.within("augmented pixels that differ", wrong.sum().item(), 0)
    for model in bench.models[:2]:
        run = bench.run(model=model, batch_size=16, learning_rate=RATE)
        network = nn.Sequential(_Double(), random_network(run).double())
        logits, losses = _first(Trainer(run, network, DeviceData.on(CPU, arrays), CPU))
        for precision in bench.precisions():
            own = bench.run(model=model, batch_size=16, learning_rate=RATE, precision=precision)
            found, own_losses = _first(bench.trainer(own, arrays))
            if precision == "fp32":
                bench.within(f"{model}, logits", difference(found, logits), 1e-4)
            for step, limit in zip((0, 4), LOSSES.get(precision, LOSSES_IN_SHORT), strict=True):
                error = abs(own_losses[step] / losses[step] - 1)
                bench.within(f"{model}, {precision}, loss {step + 1}", error, limit)


class _Double(nn.Module):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.double()


def _first(trainer: Trainer) -> tuple[torch.Tensor, list[float]]:
    """Test logits before the training, and the loss of each step."""
    logits, losses = trainer.test_logits(), []
    list(trainer.epochs(lambda loss: losses.append(loss.item())))
    return logits, losses
