"""The first steps of runs on this machine, beside the losses that their results tell of."""

import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch

from resnet_sizes.io.errors import Stopped, UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile, all_run_settings
from resnet_sizes.schemas.run.tensors import DatasetArrays, read_dataset
from resnet_sizes.schemas.run.weights import WeightsInfo, weights_key
from resnet_sizes.schemas.verification import Finding, Outcome
from resnet_sizes.training.capabilities import check_precision
from resnet_sizes.training.devices.gpu_slots import device_slot
from resnet_sizes.training.devices.select import describe, select_device, set_threads
from resnet_sizes.training.engine.batches import DeviceData
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import initial_network, ready_for_training


def tolerance(precision: str, step: int) -> float:
    """The largest relative difference of two losses that rounding explains: other devices add in
    another order, and each step carries it on. `step` counts from 1."""
    if precision in ("fp32", "tf32"):
        first = 1e-4 if precision == "fp32" else 1e-3
        return first * step * math.sqrt(step)
    return 2e-2 * max(1.0, step / 5)


def replay(
    study_file: StudyFile, folder: StudyFolder, dataset: Path, steps: int, device_name: str
) -> Iterator[Finding]:
    """Train the first steps of each run of a study again and compare their losses. `dataset` is the
    tensor file; an archive has none. Raises UserError where it is missing."""
    info, arrays = read_dataset(dataset)
    with device_slot("verify", device_name) as slot:
        device = select_device(slot.torch_name)
        for settings in all_run_settings(study_file.study):
            try:
                metrics = read_record(folder.run(settings).metrics, Metrics, "")
                if metrics.dataset_identity != info.identity:
                    raise UserError(
                        f"{dataset}: holds other images ({info.identity[:12]}…) than the run saw "
                        f"({metrics.dataset_identity[:12]}…)"
                    )
                key = weights_key(metrics.run.model, metrics.run.reading)
                weights = read_record(folder.weights(key), WeightsInfo, "") if key else None
                classes = len(info.class_names)
                losses = first_losses(metrics, arrays, classes, weights, steps, device)
                outcome, detail = _compared(metrics, losses, device)
            except UserError as error:
                outcome, detail = "not-compared", str(error)
            subject = f"runs/{settings.name}"
            yield Finding(group="replay", subject=subject, outcome=outcome, detail=detail)


def first_losses(
    metrics: Metrics,
    arrays: DatasetArrays,
    classes: int,
    weights: WeightsInfo | None,
    steps: int,
    device: torch.device,
) -> list[float]:
    """Mean losses of a run's first steps, in nats, as this device computes them: uncompiled, and
    through frozen layers in each step also where the run kept their features, which is the same to
    rounding. Raises UserError as a training does."""
    run = metrics.run.model_copy(update={"compile": "none", "compile_mode": "none"})
    if run.network:  # code that came with somebody's results
        raise UserError(f"{run.model} is built by code of its study's own, which is not run here")
    set_threads(run.threads)
    check_precision(run.precision, device)
    network = initial_network(run, classes, weights)
    network = ready_for_training(network, run.reading, device, run.precision)
    trainer = Trainer(run, network, DeviceData.on(device, arrays), device)
    losses: list[float] = []

    def step_done(loss: torch.Tensor) -> None:
        losses.append(loss.item())
        if len(losses) == steps:
            raise Stopped("these are enough", 0)

    with suppress(Stopped):
        next(trainer.epochs(step_done))
    return losses


def _compared(metrics: Metrics, losses: list[float], device: torch.device) -> tuple[Outcome, str]:
    claimed, precision = metrics.first_losses, metrics.run.precision
    if not claimed:
        return "not-compared", "its results are from before first losses were kept"
    pairs = list(zip(claimed, losses, strict=False))
    largest = 0.0
    for step, (one, other) in enumerate(pairs, 1):
        difference = abs(one - other) / max(abs(one), 1e-12)
        largest = max(largest, difference)
        if not difference <= tolerance(precision, step):
            return "differs", (
                f"step {step}: a loss of {one:.6f} is claimed, {other:.6f} comes out "
                f"(relative difference {difference:.2g}, allowed {tolerance(precision, step):.2g})"
            )
    how = "bit for bit" if largest == 0 else f"to {largest:.1g}"
    made_on = metrics.device.name
    where = "the same device" if describe(device).name == made_on else made_on
    return "agrees", f"the losses of its first {len(pairs)} steps, made on {where}, come out {how}"
