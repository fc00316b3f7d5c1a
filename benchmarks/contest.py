"""Contestants measured side by side: in turns, several rounds, so that whatever else the machine
does falls on all of them alike.
"""

import gc
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from engine import Choices, EngineLoop, executed_macs
from notebook_loop import NotebookLoop, images_needed
from other_ways import other_loops
from plain_loop import PlainLoop
from settings import CLASSES, Plan, Setting, noise_images

from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.training.engine.networks import macs_per_image

WORKERS = (0, 1, 2)

NEAR_BEST = 0.95
"""A number of workers goes on after the first round if it is this near to the best."""

Say = Callable[[str], object]


@dataclass(frozen=True)
class Contestant:
    """One way of doing something, measured in rounds of `amount` units of it."""

    label: str
    amount: float
    measure: Callable[[], float]
    """Does a round and gives its seconds."""
    settles: bool = True
    """Whether it does each round twice, of which the second counts: the first finds the caches
    and the memory as another contestant left them. The notebook loop has a first step of its own
    that does not count."""


def take_turns(
    contestants: Sequence[Contestant],
    rounds: int,
    warm_ups: int,
    alternatives: Collection[str] = (),
) -> dict[str, list[float]]:
    """Units per second of each contestant in each round: A B C A B C …

    Of the `alternatives` only those near the best of the first round go on. All but those are
    warmed up before the first round.
    """
    for contestant in contestants:
        if contestant.label not in alternatives:
            for _ in range(warm_ups):
                contestant.measure()
    rates: dict[str, list[float]] = {contestant.label: [] for contestant in contestants}
    active = list(contestants)
    for number in range(rounds):
        for contestant in active:
            if contestant.settles:
                contestant.measure()
            rates[contestant.label].append(contestant.amount / contestant.measure())
        if number == 0 and alternatives:
            best = max(rates[label][0] for label in alternatives)
            active = [
                contestant
                for contestant in active
                if contestant.label not in alternatives
                or rates[contestant.label][0] >= NEAR_BEST * best
            ]
    return rates


def as_pytorch_starts() -> None:
    """PyTorch's own defaults, which the engine changes for itself: on a GPU of the Ampere
    generation or later, convolutions in fp32 then use TF32."""
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = True


def by_default(measure: Callable[[], float]) -> float:
    """Measure under PyTorch's defaults."""
    as_pytorch_starts()
    return measure()


def measure_setting(
    setting: Setting,
    plan: Plan,
    precisions: Sequence[Precision],
    device: torch.device,
    choices: Choices,
) -> dict[str, Any]:
    """All contestants on one setting, and the matrix product: images (or products) a second."""
    torch.compiler.reset()  # each setting has the eight graphs that Dynamo keeps
    arrays = noise_images(images_needed(setting), 2)
    as_pytorch_starts()
    notebook = NotebookLoop(setting, arrays, device)
    contestants = [
        Contestant(
            f"notebook/{workers}",
            setting.images,
            partial(by_default, partial(notebook.measure, workers)),
            settles=False,
        )
        for workers in WORKERS
    ]
    alternatives = [contestant.label for contestant in contestants]
    compiled = {}
    for precision in precisions:
        plain = PlainLoop(setting, arrays, device, precision)
        ours = EngineLoop(setting, arrays, device, choices.at(precision))
        compiled[precision] = ours.run.compile_mode
        contestants += [
            Contestant(f"plain/{precision}", setting.images, partial(by_default, plain.measure)),
            Contestant(f"ours/{precision}", setting.images, ours.measure),
            product_contestant(plan.product_size, precision, device),
        ]
        contestants += [
            Contestant(f"{way}/{precision}", setting.images, partial(by_default, loop.measure))
            for way, loop in other_loops(setting, arrays, device, precision).items()
        ]
    warm_ups = 1 if device.type == "cpu" else 3
    rates = take_turns(contestants, setting.rounds, warm_ups, alternatives)
    return {
        "case": setting.case,
        "model": setting.model,
        "batch_size": setting.batch_size,
        "steps": setting.steps,
        "rounds": setting.rounds,
        "input_size": setting.recipe.input_size,
        "macs_per_image": macs_per_image(setting.model, setting.recipe, CLASSES),
        "passes": setting.passes,
        "executed_macs_per_image": executed_macs(setting, device),
        "compiled": compiled,
        "rates": rates,
    }


def product_contestant(size: int, precision: Precision, device: torch.device) -> Contestant:
    """A product of two large square matrices: what the device does at its best."""
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
    kind = kinds.get(precision, torch.float32)
    left, right = (torch.rand(size, size, device=device).to(kind) for _ in "ab")
    result = torch.empty_like(left)
    times = 3 if device.type == "cpu" else 20

    def measure() -> float:
        as_pytorch_starts()
        torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        _synchronise(device)
        start = time.perf_counter()
        for _ in range(times):
            torch.mm(left, right, out=result)
        _synchronise(device)
        return time.perf_counter() - start

    return Contestant(f"product/{precision}", times * float(size) ** 3, measure)


def measure_all(
    plan: Plan,
    precisions: Sequence[Precision],
    device: torch.device,
    choices: Choices,
    say: Say,
) -> Iterator[dict[str, Any]]:
    """Every setting of the plan, one after the other."""
    for setting in plan.settings:
        start = time.perf_counter()
        found = measure_setting(setting, plan, precisions, device, choices)
        say(f"{setting.case} {setting.model}: {time.perf_counter() - start:.0f} s")
        yield found
        gc.collect()  # the loops refer to themselves
        if device.type == "cuda":
            torch.cuda.empty_cache()


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
