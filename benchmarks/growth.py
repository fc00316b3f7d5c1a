"""How time and memory grow with images, epochs, depth and input size. The engine only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from settings import MODELS, Plan, recipe_of
from whole_runs import WholeRun, in_own_process

from resnet_sizes.schemas.study.protocol import ModelName


@dataclass(frozen=True)
class Point:
    """One run, and what of it differs from the first one of its kind."""

    varied: str
    value: int | str
    run: WholeRun


def points(plan: Plan, template: WholeRun, models: tuple[ModelName, ...]) -> list[Point]:
    """Two small grids: training of the whole network, and of the head on cached features."""
    images = plan.growth_images
    scratch = replace(
        template,
        case="scratch-32",
        model=models[0],
        train_images=images,
        epochs=2,
        input_size=32,
    )
    frozen = replace(
        scratch,
        case="frozen-224",
        train_images=max(2, images // 2),
        input_size=recipe_of("frozen-224", models[0]).input_size,
    )
    depths = [model for model in MODELS if model in models and model != models[0]]
    return [
        Point("start", "", scratch),
        *(Point("images", n, replace(scratch, train_images=n)) for n in [2 * images, 4 * images]),
        *(Point("epochs", n, replace(scratch, epochs=n)) for n in (4, 8)),
        *(Point("network", model, replace(scratch, model=model)) for model in depths),
        *(Point("input size", n, replace(scratch, input_size=n)) for n in (64, 112)),
        Point("start", "", frozen),
        Point("images", 2 * frozen.train_images, replace(frozen, train_images=images)),
        *(Point("epochs", n, replace(frozen, epochs=n)) for n in (10, 50)),
        *(Point("network", model, replace(frozen, model=model)) for model in depths),
    ]


def measure_growth(
    wanted: list[Point], repeats: int, say: Callable[[str], object]
) -> Iterator[dict[str, Any]]:
    """Each point `repeats` times, in processes of their own: the run of the median training time,
    with the training seconds of all of them."""
    for point in wanted:
        run = point.run
        runs = [in_own_process(run) for _ in range(repeats)]
        runs.sort(key=lambda each: each["training_seconds"])
        found = runs[len(runs) // 2]
        say(f"growth: {run.case} {run.model} {point.varied} {point.value}")
        yield {
            "case": run.case,
            "model": run.model,
            "varied": point.varied,
            "value": point.value,
            "train_images": run.train_images,
            "epochs": run.epochs,
            "input_size": run.input_size,
            **found,
            "training_samples": [each["training_seconds"] for each in runs],
        }
