"""Whether a run's numbers could be those of a training: what a forger would have to think of.

None of it proves that a run was made. Each rule says what cannot be, and leaves wide margins.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from resnet_sizes.io.code_hash import training_code_hash
from resnet_sizes.schemas.hardware import shipped_network_costs
from resnet_sizes.schemas.run.metrics import FIRST_STEPS, Metrics
from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.schemas.run.tensors import DatasetInfo, Float32Array, Int64Array

# Multiply-accumulates a second that nothing reaches: a core with two 512-bit units, or with tiles
# for 16 bits, at 4 to 5 GHz; some times the largest GPU there is.
CORE_RATE: dict[Precision, float] = {"fp32": 2e11, "tf32": 2e11, "bf16": 5e12, "fp16": 5e12}
GPU_RATE: dict[Precision, float] = {"fp32": 2e14, "tf32": 2e15, "bf16": 5e15, "fp16": 5e15}

EXECUTED = 0.5
"""The share of the nominal products that the engine executes at least: it leaves out those with
padding."""

LOSS_TOLERANCE = 1e-3
"""Relative difference between the mean cross-entropy of the logits, in float64, and the one that
the device summed up in float32."""

CLOCK_TOLERANCE = 2.0
"""Seconds: starts and ends are noted in whole ones."""


def implausible(
    metrics: Metrics, info: DatasetInfo, logits: Float32Array, labels: Int64Array
) -> Iterator[str]:
    """What cannot be so in a run's results, a sentence each.

    `logits` is float32 `[N, classes]` and `labels` int64 `[N]`, as its predictions hold them.
    """
    loss, told = cross_entropy(logits, labels), metrics.epochs[-1].test_loss
    if abs(loss - told) > LOSS_TOLERANCE * max(1.0, abs(loss)):
        yield f"its predictions have a test loss of {loss:.6f}; the last epoch tells of {told:.6f}"
    for epoch in metrics.epochs:
        trained = metrics.run.images_of(epoch.epoch, info.train_images)
        for part, accuracy, images in (
            ("training", epoch.train_accuracy, trained),
            ("test", epoch.test_accuracy, info.test_images),
        ):
            right = accuracy * images
            if abs(right - round(right)) > 1e-3:
                yield f"epoch {epoch.epoch}: {right} of {images} {part} images is no whole number"
    best = max(metrics.epochs, key=lambda epoch: epoch.test_accuracy)
    if (best.test_accuracy, best.epoch) != (metrics.best_test_accuracy, metrics.best_epoch):
        yield f"its best epoch is {best.epoch}, and it tells of {metrics.best_epoch}"
    run, kept = metrics.run, len(metrics.first_losses)
    steps = run.steps(info.train_images)
    # Every version of this code keeps them; none at all are from before there were any.
    is_old = kept == 0 and metrics.code.training_hash != training_code_hash()
    if kept < min(FIRST_STEPS, steps) and not is_old:
        yield f"it keeps the losses of {kept} first steps, and took {steps}"
    costs = shipped_network_costs()
    known = costs.of(run.model, run.reading.stem, run.reading.input_size)
    if known and not run.network and len(info.class_names) == costs.classes:
        expected = known.model_dump(include={"parameters", "macs_per_image"})
        has_head = run.reading.trainable == "head"
        expected["trainable_parameters"] = known.head_parameters if has_head else known.parameters
        for name, number in expected.items():
            if (found := getattr(metrics, name)) != number:
                yield f"{name}: is {found}; of this network {number}"
    if metrics.trainable_parameters > metrics.parameters:
        yield f"it trains {metrics.trainable_parameters} of {metrics.parameters} parameters"
    if metrics.peak_memory_bytes < 4 * metrics.trainable_parameters:  # in float32
        yield f"what it trains does not fit into a peak_memory_bytes of {metrics.peak_memory_bytes}"
    yield from _implausible_times(metrics, info)


def _implausible_times(metrics: Metrics, info: DatasetInfo) -> Iterator[str]:
    in_epochs, told = sum(x.training_seconds for x in metrics.epochs), metrics.training_seconds
    cache = metrics.feature_cache
    total = in_epochs + (cache.forward_seconds if cache and not cache.reused else 0.0)
    if not np.isclose(told, total, rtol=1e-6, atol=1e-6):
        yield f"its epochs add up to {total:.3f} s of training, and it tells of {told:.3f} s"
    started, finished = map(datetime.fromisoformat, (metrics.started, metrics.finished))
    passed = (finished - started).total_seconds()
    if finished > datetime.now(UTC) + timedelta(days=1):  # clocks may be wrong
        yield f"it ended at {metrics.finished}, which is not yet"
    busy = told + sum(epoch.evaluation_seconds for epoch in metrics.epochs)
    if busy > passed + CLOCK_TOLERANCE:
        yield f"it trained and evaluated for {busy:.1f} s; start and end are {passed:.0f} s apart"
    images, seconds = float(info.train_images), in_epochs
    if cache:
        seconds = cache.forward_seconds
    else:
        passes = 3.0 if metrics.run.reading.trainable == "all" else 1.0
        images = passes * metrics.run.images_seen(info.train_images)
    products = EXECUTED * images * metrics.macs_per_image
    device, precision = metrics.device, metrics.run.precision
    is_cpu = device.kind == "cpu"
    most = device.threads * CORE_RATE[precision] if is_cpu else GPU_RATE[precision]
    if seconds * most < products:
        yield (
            f"{products:.3g} multiply-accumulates in {seconds:.3g} s are more than "
            f"{device.name} can do in {precision} ({most:.2g} a second at most)"
        )


def cross_entropy(logits: Float32Array, labels: Int64Array) -> float:
    """Mean over the images, in nats: `logits` float32 `[N, classes]`, `labels` int64 `[N]`."""
    values = logits.astype(np.float64)
    values -= values.max(axis=1, keepdims=True)
    of_labels = values[np.arange(len(labels)), labels]
    return float(np.mean(np.log(np.exp(values).sum(axis=1)) - of_labels))
