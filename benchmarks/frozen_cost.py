"""What a run of 50 epochs on a frozen backbone costs: its parts, and one run measured whole."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from contest import as_pytorch_starts
from engine import Choices, measure_head
from notebook_loop import NotebookLoop, images_needed
from settings import EPOCHS, FrozenRun, Setting, noise_images, recipe_of
from whole_runs import WholeRun, in_own_process

from resnet_sizes.schemas.run.run import Precision

HEAD_EPOCHS = 3


def measure_heads(
    setting: Setting,
    images: int,
    precisions: Sequence[Precision],
    device: torch.device,
    choices: Choices,
) -> dict[str, list[float]]:
    """Images per second of the head's training on features, one epoch per value, by precision."""
    rates: dict[str, list[float]] = {}
    for precision in precisions:
        seconds = measure_head(setting, images, device, choices.at(precision))
        next(seconds)  # the first epoch warms up
        rates[precision] = [images / each for each in itertools.islice(seconds, HEAD_EPOCHS)]
    return rates


def measure_whole(
    wanted: FrozenRun, template: WholeRun, workers: int, device: torch.device
) -> dict[str, Any]:
    """A whole run of the engine, and an epoch of the notebook loop on as many images."""
    ours = in_own_process(
        replace(
            template,
            case="frozen-224",
            model=wanted.model,
            train_images=wanted.train_images,
            test_images=wanted.test_images,
            epochs=EPOCHS,
            input_size=recipe_of("frozen-224", wanted.model).input_size,
        )
    )
    batch = min(wanted.batch_size, wanted.train_images)
    setting = Setting("frozen-224", wanted.model, batch, wanted.train_images // batch, 1)
    as_pytorch_starts()
    notebook = NotebookLoop(setting, noise_images(images_needed(setting), 2), device)
    return {
        "model": wanted.model,
        "precision": template.precision,
        "train_images": wanted.train_images,
        "test_images": wanted.test_images,
        "epochs": EPOCHS,
        "workers": workers,
        # Whole batches were timed; the rest of the epoch is taken in proportion.
        "notebook_epoch_seconds": notebook.measure(workers) * wanted.train_images / setting.images,
        **ours,
    }
