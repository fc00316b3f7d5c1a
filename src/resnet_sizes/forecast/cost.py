"""What a run will cost: some real steps, on random images and with random weights, measured in a
process of its own, and multiplied."""

import multiprocessing
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

import torch
from torch.nn import Module
from torch.optim.swa_utils import update_bn

from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.run.metrics import EpochMetrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.weights import weights_key
from resnet_sizes.training import capabilities
from resnet_sizes.training.devices import select
from resnet_sizes.training.engine.batches import Data, DeviceData, FeatureData, evaluation_batch
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from resnet_sizes.training.engine.numerics import set_determinism
from resnet_sizes.training.features.extraction import FeatureExtractor, gpu_memory, pass_batch

STEPS = {"cpu": 2}
"""Steps of training in a measured epoch, by the kind of device."""

MORE_STEPS = 20
"""The same on other devices, where launching may take as long as computing; and where the head
alone is trained, on features: such steps are short."""

EPOCHS = 3
"""Measured epochs at least, of which the median counts."""

LEAST_SECONDS = 2.0
"""That they take together at least: below, a moment of other work decides."""

MOST_SECONDS = 15.0
"""After which no further epoch is measured, nor on a CPU a larger batch: fewer images are then
measured and multiplied."""

MOST_EPOCHS = 1_000_000

HARMLESS = 1e-9
"""A learning rate with which no measured loss on random labels becomes infinite."""

FEW = 8
"""Images of the first, smallest measurement."""

GROWTH = 4
"""How many times as many the second one has at least, to measure what one image takes."""

IMAGE_BYTES = 3 * 32 * 32

TIMED_SECONDS, TIMED_BATCHES = 2.5, 4
"""What each run spends at least on timing the pass whose features it finds."""

STARTS = 1.6
"""How many times as long as its process takes to begin a run takes beside its steps: with the job
that Snakemake makes of it, and its results (benchmarks/README.md)."""

SETTLING_IMAGES = 4
"""On which a frozen random backbone takes the statistics of its batch normalisations. Without them
a deep one doubles its variance from block to block, until its loss is not finite."""


@dataclass(frozen=True)
class Measured:
    """What a batch of some size takes, by the image."""

    training: float
    """Seconds to train on an image."""
    evaluation: float
    """Seconds to send one through the network."""
    seconds: float
    """An epoch, or a batch, as a rule."""
    peak_bytes: int
    """Without the dataset."""
    once: float = 0.0
    """Seconds that a run takes but once: the first epoch's, in which kernels are chosen, beyond a
    later one's; and those of compiling or recording the step."""


@dataclass(frozen=True)
class Counts:
    """The size of a dataset."""

    train: int
    test: int
    classes: int


@dataclass(frozen=True)
class Cost:
    """What one run will take."""

    process_seconds: float = 0.0
    """Until its process has torch and its network."""
    once_seconds: float = 0.0
    """As in `Measured.once`."""
    training_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    feature_seconds: float = 0.0
    """The pass that computes the features of a frozen backbone, which runs share."""
    peak_memory_bytes: int = 0
    problem: str | None = None
    """Why the run could not be measured, and probably cannot be trained."""

    @property
    def own_seconds(self) -> float:
        """The time of a run that finds its features."""
        steps = self.training_seconds + self.evaluation_seconds
        return STARTS * self.process_seconds + self.once_seconds + steps


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
            return pool.submit(measured_cost, run, counts, device_name, time.time()).result()
    except BrokenProcessPool:
        return Cost(
            problem="was killed by the system, which usually means that memory ran out: set "
            "training.gradient_accumulation to 2 or more, or lower training.evaluation_batch_size"
        )


def shared_features(run: RunFile) -> Hashable | None:
    """Equal for two runs of a study that train on the same features; None without a cache."""
    recipe = run.reading
    if not run.keeps_features:
        return None
    network = run.model, weights_key(run.model, recipe), recipe.stem, run.precision
    return *network, recipe.input_size, recipe.normalisation


def measured_cost(run: RunFile, counts: Counts, device_name: str, began: float) -> Cost:
    """As `forecast_run`, in this process, which was asked for at Unix time `began`, and whose peak
    of memory it resets."""
    # Caught here and not by the caller, because some exceptions do not survive the way to it.
    try:
        device, recipe = select.select_device(device_name), run.reading
        select.set_threads(run.threads)
        capabilities.check_precision(run.precision, device)
        capabilities.check_compiler(run.compile_mode, device)
        set_determinism(run.deterministic, run.seed, run.precision)
        with capabilities.explained_out_of_memory(run):
            network = build_network(run.model, recipe, counts.classes, run.network)
            if recipe.trainable == "head":  # trained weights come with their statistics
                size = recipe.input_size
                update_bn([torch.randn(SETTLING_IMAGES, 3, size, size)], network.eval())
            network = ready_for_training(network, recipe, device, run.precision, run.entry.head)
            process_seconds = time.time() - began
            kind = cost_on_features if run.keeps_features else cost_on_images
            return replace(kind(run, network, counts, device), process_seconds=process_seconds)
    except UserError as error:
        return Cost(problem=str(error))
    except (Exception, SystemExit) as error:  # of one's own network
        return Cost(problem=f"{type(error).__name__}: {error}")


def cost_on_images(run: RunFile, network: Module, counts: Counts, device: torch.device) -> Cost:
    """The cost of a run whose every step takes images through the network."""
    whole = max(2, min(run.batch_size, counts.train))
    # Parts of a batch have two images or more: a smaller one would be taken in fewer parts than a
    # whole one, and tell nothing of its memory. CUDA is quick enough for whole batches.
    few = whole if device.type == "cuda" else max(FEW, 2 * run.gradient_accumulation)
    steps = STEPS.get(device.type, MORE_STEPS)
    largest = evaluation_batch(run.evaluation_batch_size, run.reading.input_size)

    def measured(images: int) -> Measured:
        tested = max(1, min(largest, counts.test) * images // whole)
        data = random_images(steps * images, tested, counts.classes, device)
        part = run.model_copy(update={"batch_size": images})
        return measure_epochs(part, network, data, device, once=images == few < whole)

    found = _up_to(whole, few, measured)
    return Cost(
        once_seconds=found.once,
        training_seconds=found.training * run.images_seen(counts.train),
        evaluation_seconds=found.evaluation * run.epochs * (counts.test + run.validation),
        peak_memory_bytes=found.peak_bytes + (counts.train + counts.test) * IMAGE_BYTES,
    )


def cost_on_features(run: RunFile, network: Module, counts: Counts, device: torch.device) -> Cost:
    """The cost of a run that computes features once and trains the head on them."""
    width = network.state_dict()[f"{run.entry.head}.weight"].shape[1]
    images = counts.train + counts.test
    whole = min(pass_batch(run, gpu_memory(device)), max(counts.train, counts.test))
    few = whole if device.type == "cuda" else FEW
    features = _up_to(whole, few, partial(features_with, run, network, counts.classes, device))
    data = random_features(MORE_STEPS * run.batch_size, width, counts.classes, device)
    head = measure_epochs(run, torch.nn.Linear(width, counts.classes).to(device), data, device)
    return Cost(
        once_seconds=head.once + max(TIMED_SECONDS, TIMED_BATCHES * features.seconds),
        training_seconds=head.training * run.images_seen(counts.train),
        evaluation_seconds=head.evaluation * run.epochs * (counts.test + run.validation),
        feature_seconds=features.evaluation * images,
        # Features of 4 bytes are there twice: in batches, and joined.
        peak_memory_bytes=features.peak_bytes + images * (IMAGE_BYTES + 2 * 4 * width),
    )


def _up_to(whole: int, few: int, measured: Callable[[int], Measured]) -> Measured:
    """Measured with `whole` images per batch, or with as many as there is time for; memory is then
    continued along the line through that measurement and one with `few` images."""
    if whole <= few:
        return measured(whole)
    least = measured(few)
    # With an epoch, or a batch, before it that chooses kernels.
    affordable = int(few * MOST_SECONDS / max(2 * least.seconds, 1e-9))
    many = min(whole, max(GROWTH * few, affordable))
    most = measured(many)
    bytes_per_image = max(0.0, (most.peak_bytes - least.peak_bytes) / (many - few))
    return replace(most, peak_bytes=most.peak_bytes + round(bytes_per_image * (whole - many)))


def measure_epochs(
    run: RunFile, network: Module, data: Data, device: torch.device, *, once: bool = False
) -> Measured:
    """Train and evaluate on `data` until the times are stable; with `once` but once, for the
    memory.

    The peak has the trials of algorithms on CUDA, which belong to the memory that has to be there.
    """
    recipe = run.reading.model_copy(update={"warmup": None})
    changes = {"epochs": MOST_EPOCHS, "iterations": None, "validation": 0, "reading": recipe}
    short = run.model_copy(update={"learning_rate": HARMLESS, **changes})
    network.zero_grad(set_to_none=True)
    select.forget_peak(device)
    trainer = Trainer(short, network, data, device)
    found: list[EpochMetrics] = []
    for metrics, _ in trainer.epochs(ignore):
        if not found and device.type != "cuda":
            # Kernels that are made on a CPU would blur what an image takes.
            select.forget_peak(device)
        found.append(metrics)
        seconds = sum(each.training_seconds + each.evaluation_seconds for each in found[1:])
        enough = once or (len(found) > EPOCHS and seconds >= LEAST_SECONDS)
        if len(found) > 1 and (enough or seconds >= MOST_SECONDS):
            break
    training = median(each.training_seconds for each in found[1:])
    evaluation = median(each.evaluation_seconds for each in found[1:])
    seconds = training + evaluation
    first = max(0.0, found[0].training_seconds + found[0].evaluation_seconds - seconds)
    return Measured(
        training / len(data.train_labels),
        evaluation / len(data.test_labels),
        seconds,
        select.peak_memory(device),
        first + trainer.preparation_seconds,
    )


def features_with(
    run: RunFile, network: Module, classes: int, device: torch.device, images: int
) -> Measured:
    """Compute features of one batch of `images`, at most the run's own batch of evaluation, after
    one that chose kernels."""
    data = random_images(images, 1, classes, device)
    select.forget_peak(device)
    _, _, seconds = FeatureExtractor(run, network, data, device, ignore).train_and_test()
    return Measured(0.0, seconds / images, seconds, select.peak_memory(device))


def ignore(done: object) -> None:
    """Single steps and batches are not reported."""


def random_images(train: int, test: int, classes: int, device: torch.device) -> DeviceData:
    """Random images and their labels."""
    images = torch.randint(0, 256, (max(train, test), 3, 32, 32), dtype=torch.uint8, device=device)
    labels = torch.arange(len(images), device=device) % classes
    return DeviceData(images[:train], labels[:train], images[:test], labels[:test])


def random_features(images: int, width: int, classes: int, device: torch.device) -> FeatureData:
    """Random features of `width` numbers, of as many training and test images."""
    features = torch.randn(images, width, device=device)
    labels = torch.arange(images, device=device) % classes
    return FeatureData(features, labels, features, labels)
