"""What a run will cost on this device: a few of its steps, measured and multiplied."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import torch

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.run import RunFile
from resnet_sizes.training.batches import batches_per_epoch
from resnet_sizes.training.compiling import check_compiler
from resnet_sizes.training.determinism import set_determinism
from resnet_sizes.training.devices import peak_memory, select_device, set_threads
from resnet_sizes.training.features import cache_obstacle, compute_features
from resnet_sizes.training.inputs import DeviceData, FeatureData
from resnet_sizes.training.loop import Trainer
from resnet_sizes.training.memory import explained_out_of_memory
from resnet_sizes.training.networks import build_network, ready_for_training
from resnet_sizes.training.precision import check_precision

BUDGET = 15.0
"""Seconds that the measured steps of one run may take, about. Slower ones are measured on fewer
images and multiplied."""

PROBE_IMAGES = 8
"""Images of the first, smallest measurement."""

STEPS = 2
"""Steps that are measured, after as many that are not: the first choose kernels."""


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
    """Of the pass that computes the features of a frozen backbone; further seeds need none."""
    peak_memory_bytes: int = 0
    problem: str | None = None
    """Why the run cannot be trained like this."""

    @property
    def seconds(self) -> float:
        """Of a run that has to do everything."""
        return self.training_seconds + self.evaluation_seconds + self.feature_seconds


def forecast_run(run: RunFile, counts: Counts, device_name: str) -> Cost:
    """Measure some steps of a run in a process of its own, and multiply them.

    The process gives the peak of its memory, and may run out of it without harm to the caller.
    Initial weights are random, which costs the same. Nothing is written.
    """
    # A forked process could not use CUDA.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(_measure, run, counts, device_name).result()
        except BrokenProcessPool:
            return Cost(
                problem="was ended by the system, which usually means that memory ran out: set "
                "training.gradient_accumulation to 2 or more"
            )
        except UserError as error:
            return Cost(problem=str(error))


@dataclass(frozen=True)
class _Seconds:
    """Measured, an image of each kind."""

    training: float
    evaluation: float
    features: float
    per_step: float
    """Of a step, whatever its size: only where features are trained on."""


def _measure(run: RunFile, counts: Counts, device_name: str) -> Cost:
    device = select_device(device_name)
    set_threads(run.threads)
    check_precision(run.precision, device)
    check_compiler(run.compile_mode, device)
    set_determinism(run.deterministic, run.seed, run.precision)
    with explained_out_of_memory(run):
        few = min(PROBE_IMAGES, run.batch_size)
        measured, seconds = _measure_with(run, counts, device, few)
        least = peak_memory(device)
        # As many images as the budget allows, but enough more to tell what each of them takes.
        many = min(run.batch_size, max(4 * few, int(few * BUDGET / max(seconds, 1e-9))))
        measured, _ = _measure_with(run, counts, device, many)
        most = peak_memory(device)
    an_image = (most - least) / max(1, many - few)
    steps = run.epochs * batches_per_epoch(counts.train, run.batch_size)
    passes = run.epochs * counts.train
    largest_batch = max(many, -(-run.batch_size // run.gradient_accumulation))
    return Cost(
        training_seconds=measured.training * passes + measured.per_step * steps,
        evaluation_seconds=measured.evaluation * run.epochs * counts.test,
        feature_seconds=measured.features * counts.train,
        peak_memory_bytes=most
        + round(an_image * (largest_batch - many))
        + (counts.train + counts.test) * 3 * 32 * 32,
    )


def _measure_with(
    run: RunFile, counts: Counts, device: torch.device, images: int
) -> tuple[_Seconds, float]:
    """Seconds an image, from batches of so many images, and what measuring took."""
    short = run.model_copy(
        update={"epochs": 2, "batch_size": images, "evaluation_batch_size": images}
    )
    data = _random_images(STEPS * images, counts.classes, device)
    network = build_network(run.model, run.reading, counts.classes)
    network = ready_for_training(network, run.reading, device)
    if run.reading.trainable == "all" or cache_obstacle(run):
        epochs = [metrics for metrics, _ in Trainer(short, network, data, device).epochs(_ignore)]
        last, shown = epochs[-1], STEPS * images
        spent = sum(epoch.training_seconds + epoch.evaluation_seconds for epoch in epochs)
        return _Seconds(
            last.training_seconds / shown, last.evaluation_seconds / shown, 0.0, 0.0
        ), spent
    first = compute_features(short, network, data, device, _ignore, key="")
    again = compute_features(short, network, data, device, _ignore, key="")
    per_step, evaluation = _head_seconds(run, counts, again.train.shape[1], device)
    return _Seconds(0.0, evaluation, again.forward_seconds / (STEPS * images), per_step), 2 * (
        first.forward_seconds + again.forward_seconds
    )


def _head_seconds(
    run: RunFile, counts: Counts, width: int, device: torch.device
) -> tuple[float, float]:
    """Seconds a step of the head, with whole batches, and an image of its evaluation."""
    count = 20 * run.batch_size
    images = _random_images(count, counts.classes, device)
    features = torch.randn(count, width, device=device)
    data = FeatureData(features, images.train_labels, features, images.test_labels)
    head = torch.nn.Linear(width, counts.classes).to(device)
    trainer = Trainer(run.model_copy(update={"epochs": 2}), head, data, device)
    last = [metrics for metrics, _ in trainer.epochs(_ignore)][-1]
    return last.training_seconds / 20, last.evaluation_seconds / count


def _random_images(count: int, classes: int, device: torch.device) -> DeviceData:
    images = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, device=device)
    labels = torch.arange(count, device=device) % classes
    return DeviceData(images, labels, images, labels)


def _ignore(done: object) -> None:
    """Nothing is told of single steps."""
