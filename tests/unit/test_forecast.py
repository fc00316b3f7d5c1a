"""The forecast: measured steps, multiplied; it starts nothing and says what would not work."""

import os
import signal
from types import SimpleNamespace

import pytest
import torch

from resnet_sizes.forecast import cost as forecast
from resnet_sizes.forecast.cost import (
    Cost,
    Counts,
    Measured,
    cost_on_features,
    cost_on_images,
    forecast_run,
    measure_epochs,
    measured_cost,
    random_images,
    shared_features,
)
from resnet_sizes.schemas.run.weights import InitialWeights
from resnet_sizes.training.engine.networks import build_network
from small_runs import CPU, run_of

COUNTS = Counts(train=1000, test=200, classes=10)
IMAGES = (COUNTS.train + COUNTS.test) * 3 * 32 * 32
RANDOM = InitialWeights(name="random", file="random", sha256="0" * 64)
PROBE = {"weights": "V1", "trainable": "head"}
MB = 1_000_000


@pytest.fixture
def device(monkeypatch):
    """A device on which everything takes fixed seconds and bytes; it lists what was asked of it.

    An image takes 0.5 s to train, 0.25 s to evaluate and 0.125 s to compute features of; it
    takes 10 MB, 2 MB and 3 MB above 100 MB. The head takes 0.01 s to train on a feature and
    0.001 s to evaluate one. Calls are (images in a step, images evaluated), or the images whose
    features were computed.
    """
    calls = []

    def measure_epochs(run, network, data, device, once=False):
        if isinstance(network, torch.nn.Linear):
            return Measured(0.01, 0.001, 0, 0)
        calls.append((run.batch_size, len(data.test_labels)))
        peak = max(2 * MB * len(data.test_labels), 10 * MB * run.batch_size)
        seconds = 0.5 * len(data.train_labels) + 0.25 * len(data.test_labels)
        return Measured(0.5, 0.25, seconds, 100 * MB + peak, once=3)

    def features_with(run, network, classes, device, images):
        calls.append(images)
        return Measured(0, 0.125, 0.125 * images, (100 + 3 * images) * MB)

    monkeypatch.setattr(forecast, "measure_epochs", measure_epochs)
    monkeypatch.setattr(forecast, "features_with", features_with)
    return calls


def cost_of(run, device=CPU, counts=COUNTS):
    network = build_network(run.model, run.reading, counts.classes)
    kind = cost_on_features if run.keeps_features else cost_on_images
    return kind(run, network, counts, device)


def test_every_image_is_trained_on_and_evaluated_in_every_epoch(device):
    cost = cost_of(run_of(None, epochs=3))
    assert cost.training_seconds == pytest.approx(0.5 * 3 * 1000)
    assert cost.evaluation_seconds == pytest.approx(0.25 * 3 * 200)
    assert cost.once_seconds == 3
    assert cost.feature_seconds == 0


def test_a_batch_too_slow_to_be_measured_is_extrapolated_in_memory(device):
    cost = cost_of(run_of(None, batch_size=256, evaluation_batch_size=200))
    # 8 images take more than there is time for: 4 times as many are still measured.
    assert device == [(8, 6), (32, 25)]
    assert cost.peak_memory_bytes == (100 + 10 * 256) * MB + IMAGES


def test_there_is_time_for_as_many_images_as_their_warm_steps_take(device, monkeypatch):
    # 8 images take 2 × (2 × 4 + 6 × 0.25) = 19 s, of which 6 are evaluated.
    monkeypatch.setattr(forecast, "MOST_SECONDS", 19 * 10)
    cost_of(run_of(None, batch_size=256, evaluation_batch_size=200))
    assert device == [(8, 6), (80, 62)]


def test_parts_of_a_batch_are_as_many_in_the_smallest_measurement(device):
    run = run_of(None, batch_size=256, gradient_accumulation=16)
    cost = cost_of(run)
    assert [trained for trained, _ in device] == [32, 128]
    # What an image of a whole batch takes has been measured with its parts.
    assert cost.peak_memory_bytes == (100 + 10 * 256) * MB + IMAGES


def test_an_evaluation_larger_than_the_training_decides_the_memory(device):
    counts = Counts(train=1000, test=5000, classes=10)
    cost = cost_of(run_of(None, batch_size=16, evaluation_batch_size=1000), counts=counts)
    assert cost.peak_memory_bytes == (100 + 2 * 1000) * MB + 6000 * 3 * 32 * 32


def test_an_evaluation_has_no_more_images_than_there_are(device):
    cost = cost_of(run_of(None, batch_size=8, evaluation_batch_size=1000))
    assert device == [(8, 200)]
    assert cost.peak_memory_bytes == (100 + 2 * 200) * MB + IMAGES


def test_cuda_is_measured_with_whole_batches_and_nothing_else(device):
    run = run_of(None, batch_size=256, evaluation_batch_size=150)
    with pytest.MonkeyPatch.context() as patch:  # no device of this kind is here
        patch.setattr(forecast, "random_images", on_the_cpu)
        cost = cost_of(run, torch.device("cuda"))
    assert device == [(256, 150)]
    assert cost.training_seconds == pytest.approx(0.5 * 2 * 1000)
    assert cost.peak_memory_bytes == (100 + 10 * 256) * MB + IMAGES


def on_the_cpu(train, test, classes, device):
    """Twenty steps of images on CUDA."""
    assert train == 20 * 256
    return random_images(train, test, classes, CPU)


def test_a_probe_costs_one_pass_and_steps_of_the_head(device):
    run = run_of(None, reading=PROBE, initial_weights=RANDOM, epochs=10)
    cost = cost_of(run)
    assert cost.feature_seconds == pytest.approx(0.125 * 1200)
    assert cost.training_seconds == pytest.approx(0.01 * 10 * 1000)
    assert cost.evaluation_seconds == pytest.approx(0.001 * 10 * 200)
    assert cost.once_seconds == pytest.approx(4 * 8 * 0.125), "it times batches of 8 images"


def test_the_memory_of_a_probe_is_that_of_its_pass_and_its_features(device):
    run = run_of(None, reading=PROBE, initial_weights=RANDOM, evaluation_batch_size=1000)
    cost = cost_of(run)
    # 8 images take 2 × 1 s, so that the budget allows 60, and 1000 are extrapolated.
    assert device == [8, 60]
    features = 2 * 4 * 512 * 1200
    assert cost.peak_memory_bytes == (100 + 3 * 1000) * MB + features + IMAGES


def test_large_images_have_smaller_passes(device):
    reading = PROBE | {"input_size": 224}
    run = run_of(None, reading=reading, initial_weights=RANDOM, evaluation_batch_size=1000)
    cost_of(run)
    assert device == [8, 60]


def test_a_probe_without_a_cache_goes_through_the_network_in_every_epoch(device):
    run = run_of(None, reading=PROBE, initial_weights=RANDOM, feature_cache=False)
    cost = cost_of(run)
    assert cost.feature_seconds == 0
    assert cost.training_seconds == pytest.approx(0.5 * 2 * 1000)


def test_a_run_takes_its_steps_and_what_is_around_them():
    cost = Cost(process_seconds=10, once_seconds=1, training_seconds=2, evaluation_seconds=4)
    assert cost.own_seconds == pytest.approx(7 + 10 * forecast.STARTS)


def test_features_are_shared_by_protocols_that_compute_the_same():
    def features(**changes):
        reading = PROBE | changes
        return shared_features(run_of(None, reading=reading, initial_weights=RANDOM))

    assert features() == features(optimizer="sgd")
    assert features(weights="V1") == features(weights="default")  # ResNet-18 has no other
    assert features() != features(input_size=64)
    assert features() != features(normalisation="half")
    assert shared_features(run_of(None)) is None


def test_real_steps_are_measured_in_a_process_of_their_own():
    run = run_of(None, reading=PROBE, initial_weights=RANDOM)
    cost = forecast_run(run, Counts(train=10, test=10, classes=2), "cpu")
    assert cost.problem is None
    assert cost.process_seconds > 0.1
    assert cost.feature_seconds > 0
    assert 50e6 < cost.peak_memory_bytes < 10e9


@pytest.mark.parametrize(
    ("seconds", "once", "measured"),
    [(0.125, False, 16), (1, False, 3), (20, False, 1), (1, True, 1)],
)
def test_epochs_are_measured_until_they_tell_enough(monkeypatch, seconds, once, measured):
    made = []

    class Steady:
        """Its first epoch takes 9 s longer than the others, and the third, if it is made, 5 s."""

        preparation_seconds = 2

        def __init__(self, *given):
            pass

        def epochs(self, step_done):
            while True:
                made.append(seconds + {0: 9, 2: 5 * (measured == 3)}.get(len(made), 0))
                yield SimpleNamespace(training_seconds=made[-1], evaluation_seconds=0.0), None

    monkeypatch.setattr(forecast, "Trainer", Steady)
    data = random_images(32, 10, 2, CPU)
    found = measure_epochs(run_of(None, batch_size=16), torch.nn.Linear(1, 1), data, CPU, once=once)
    assert len(made) == 1 + measured
    assert (found.training, found.once) == (seconds / 32, 9 + 2)


def test_what_cannot_be_trained_is_said_and_not_raised():
    run = run_of(None, reading={"precision": "tf32"})
    cost = forecast_run(run, COUNTS, "cpu")
    assert "tf32 needs a CUDA GPU" in cost.problem


def test_any_failure_is_told_with_its_kind(device, monkeypatch):
    def fail(*arguments, **options):
        raise ZeroDivisionError("of a kernel")

    monkeypatch.setattr(forecast, "measure_epochs", fail)
    cost = measured_cost(run_of(None), COUNTS, "cpu", 0.0)
    assert cost.problem == "ZeroDivisionError: of a kernel"


def test_a_process_that_is_killed_is_told_as_missing_memory(monkeypatch):
    monkeypatch.setattr(forecast, "measured_cost", _die)
    cost = forecast_run(run_of(None), COUNTS, "cpu")
    assert "memory ran out" in cost.problem
    assert "gradient_accumulation" in cost.problem


def _die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
