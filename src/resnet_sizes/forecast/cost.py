"""What a run will cost: measured in a process of its own, and multiplied."""

import multiprocessing
from collections.abc import Callable, Hashable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace

import torch
from torchvision.models.resnet import ResNet

from resnet_sizes.forecast.measure import (
    STEPS,
    Epochs,
    features_with,
    measure_epochs,
    measure_head,
    settle_batch_norm,
)
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.weights import weights_key
from resnet_sizes.training.capabilities import (
    check_compiler,
    check_precision,
    explained_out_of_memory,
)
from resnet_sizes.training.devices.select import select_device, set_threads
from resnet_sizes.training.engine.batches import batches_per_epoch, evaluation_batch
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from resnet_sizes.training.engine.numerics import set_determinism
from resnet_sizes.training.features.extraction import keeps_features

BUDGET = 15.0
"""Seconds that one measurement may take on a CPU, about. Where whole batches would take longer,
fewer images are measured and multiplied."""

FEW = 8
"""Images of the first, smallest measurement."""

GROWTH = 4
"""How many times as many the second one has at least, to measure what one image takes."""

IMAGE_BYTES = 3 * 32 * 32

SETTLING_IMAGES = 4
"""On which a frozen random backbone takes its statistics."""


@dataclass(frozen=True)
class Counts:
    """The size of a dataset."""

    train: int
    test: int
    classes: int


@dataclass(frozen=True)
class Cost:
    """What one run will take."""

    training_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    feature_seconds: float = 0.0
    """The pass that computes the features of a frozen backbone, which runs share."""
    peak_memory_bytes: int = 0
    problem: str | None = None
    """Why the run could not be measured, and probably cannot be trained."""

    @property
    def seconds(self) -> float:
        """The time of a run that has to do everything."""
        return self.training_seconds + self.evaluation_seconds + self.feature_seconds


def forecast_run(run: RunFile, counts: Counts, device_name: str) -> Cost:
    """Measure some steps of a run in a process of its own, and multiply them.

    The process gives the peak of its memory, and may run out of it without harm to the caller.
    Initial weights are random, which costs the same. Nothing is written. Whatever fails is the
    cost's `problem`.
    """
    # A forked process could not use CUDA.
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(measured_cost, run, counts, device_name).result()
    except BrokenProcessPool:
        return Cost(
            problem="was killed by the system, which usually means that memory ran out: set "
            "training.gradient_accumulation to 2 or more, or lower training.evaluation_batch_size"
        )
    except Exception as error:
        return _failed(error)


def shared_features(run: RunFile) -> Hashable | None:
    """Equal for two runs of a study that train on the same features; None without a cache."""
    recipe = run.reading
    if not keeps_features(run):
        return None
    return (
        run.model,
        weights_key(run.model, recipe),
        recipe.stem,
        recipe.input_size,
        recipe.normalisation,
        run.precision,
    )


def measured_cost(run: RunFile, counts: Counts, device_name: str) -> Cost:
    """As `forecast_run`, in this process, whose peak of memory it resets."""
    # Caught here and not by the caller, because some exceptions do not survive the way to it.
    try:
        device = select_device(device_name)
        set_threads(run.threads)
        check_precision(run.precision, device)
        check_compiler(run.compile_mode, device)
        set_determinism(run.deterministic, run.seed, run.precision)
        with explained_out_of_memory(run):
            network = build_network(run.model, run.reading, counts.classes)
            if run.reading.trainable == "head":  # trained weights come with their statistics
                size = run.reading.input_size
                settle_batch_norm(network, torch.randn(SETTLING_IMAGES, 3, size, size))
            network = ready_for_training(network, run.reading, device, run.precision)
            kind = cost_on_features if keeps_features(run) else cost_on_images
            return kind(run, network, counts, device)
    except Exception as error:
        return _failed(error)


def cost_on_images(run: RunFile, network: ResNet, counts: Counts, device: torch.device) -> Cost:
    """The cost of a run whose every step takes images through the network."""
    whole = max(2, min(run.batch_size, counts.train))
    evaluated = _evaluated(run, counts.test)

    def epochs(batch_size: int, images: int, peak_of_evaluation: bool = False) -> Epochs:
        return measure_epochs(
            run,
            network,
            counts.classes,
            device,
            batch_size,
            images,
            peak_of_evaluation=peak_of_evaluation,
        )

    def training(images: int) -> _Measured:
        done = epochs(images, 1)
        seconds = done.epochs * (done.training_seconds + done.evaluation_seconds)
        return _Measured(done.training_seconds / (STEPS * images), seconds, done.peak_bytes)

    def evaluation(images: int) -> _Measured:
        done = epochs(2, images, peak_of_evaluation=True)
        # The two images that it trains on take the same time with any number of these.
        seconds = done.epochs * done.evaluation_seconds
        return _Measured(done.evaluation_seconds / images, seconds, done.peak_bytes)

    if device.type == "cuda":
        # Quick enough for whole batches, and others would be compiled for nothing.
        both = epochs(whole, evaluated)
        seconds_per_image = both.training_seconds / (STEPS * whole)
        an_evaluation, peak = both.evaluation_seconds / evaluated, both.peak_bytes
    else:
        # Parts of a batch have two images or more: a smaller one would be taken in fewer parts
        # than a whole one, and tell nothing of its memory.
        few = max(FEW, 2 * run.gradient_accumulation)
        trained, tested = _up_to(whole, few, training), _up_to(evaluated, FEW, evaluation)
        seconds_per_image, an_evaluation = trained.seconds_per_image, tested.seconds_per_image
        peak = max(trained.peak_bytes, tested.peak_bytes)
    return Cost(
        training_seconds=seconds_per_image * run.epochs * counts.train,
        evaluation_seconds=an_evaluation * run.epochs * counts.test,
        peak_memory_bytes=peak + (counts.train + counts.test) * IMAGE_BYTES,
    )


def cost_on_features(run: RunFile, network: ResNet, counts: Counts, device: torch.device) -> Cost:
    """The cost of a run that computes features once and trains the head on them."""
    images, width = counts.train + counts.test, network.fc.in_features

    def one_pass(batch: int) -> _Measured:
        seconds, peak = features_with(run, network, counts.classes, device, batch)
        # The batch before it, which chose kernels, took about as long.
        return _Measured(seconds / batch, 2 * seconds, peak)

    whole = _evaluated(run, max(counts.train, counts.test))
    features = one_pass(whole) if device.type == "cuda" else _up_to(whole, FEW, one_pass)
    a_step, an_evaluation = measure_head(run, width, counts.classes, device)
    steps = run.epochs * batches_per_epoch(counts.train, run.batch_size)
    return Cost(
        training_seconds=a_step * steps,
        evaluation_seconds=an_evaluation * run.epochs * counts.test,
        feature_seconds=features.seconds_per_image * images,
        # Features of 4 bytes are there twice: in batches, and joined.
        peak_memory_bytes=features.peak_bytes + images * (IMAGE_BYTES + 2 * 4 * width),
    )


@dataclass(frozen=True)
class _Measured:
    """Steps with batches of one size."""

    seconds_per_image: float
    seconds: float
    """The whole measurement, had its first steps been as quick as its last; without what does
    not grow with the batch."""
    peak_bytes: int


def _up_to(whole: int, few: int, measured: Callable[[int], _Measured]) -> _Measured:
    """Measured with `whole` images per batch, or with as many as the budget allows; memory is then
    continued along the line through that measurement and one with `few` images."""
    if whole <= few:
        return measured(whole)
    least = measured(few)
    affordable = int(few * BUDGET / max(least.seconds, 1e-9))
    many = min(whole, max(GROWTH * few, affordable))
    most = measured(many)
    bytes_per_image = max(0.0, (most.peak_bytes - least.peak_bytes) / (many - few))
    return replace(most, peak_bytes=most.peak_bytes + round(bytes_per_image * (whole - many)))


def _evaluated(run: RunFile, images: int) -> int:
    """Images in the largest batch of a forward pass alone, of so many in all."""
    return min(evaluation_batch(run.evaluation_batch_size, run.reading.input_size), images)


def _failed(error: Exception) -> Cost:
    message = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return Cost(problem=message)
