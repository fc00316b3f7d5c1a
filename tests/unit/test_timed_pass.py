"""The pass through a frozen backbone: its batches, its number format, and its time."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import torch

from resnet_sizes.schemas.run.metrics import Device, FeatureCache
from resnet_sizes.training.engine.batches import DeviceData
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.networks import build_network, ready_for_training
from resnet_sizes.training.features import extraction
from resnet_sizes.training.features.cache import features_key
from resnet_sizes.training.features.extraction import FeatureExtractor, gpu_memory, pass_batch
from resnet_sizes.training.supervision.progress import Progress
from small_runs import CPU, run_of, small_arrays

GIB = 2**30
PROBE = {"weights": "backbone.pth", "trainable": "head"}
FILE = {"name": "file", "file": "backbone.pth", "sha256": "0" * 64}


def probe_of(size: int = 32, **changes):
    reading = PROBE | {"input_size": size} | changes.pop("reading", {})
    return run_of(None, reading=reading, initial_weights=FILE, **changes)


def extractor_of(run, batch_done=lambda count: None) -> FeatureExtractor:
    torch.manual_seed(0)
    network = ready_for_training(
        build_network(run.model, run.reading, 2), run.reading, CPU, run.precision
    )
    data = DeviceData.on(CPU, small_arrays(train=48, test=20))
    return FeatureExtractor(run, network, data, CPU, batch_done)


class Spans:
    """Stands for the clock: each span takes as long as told, the last one for ever."""

    def __init__(self, *seconds: float) -> None:
        self.left = list(seconds)
        self.events: list[str] = []
        self.seconds = 0.0

    @contextmanager
    def span(self) -> Iterator[None]:
        self.events.append("begin")
        yield
        self.events.append("end")
        self.seconds = self.left.pop(0) if len(self.left) > 1 else self.left[0]


@pytest.mark.parametrize(
    ("seconds", "images", "passes", "expected"),
    [
        # A slow device: one batch warms up, and three passes of one batch are timed.
        ([4.0, 5.0, 9.0, 6.0], 12, 3, 6.0 * 48 / 12),
        # Two batches take half a second; passes of two, until they have taken two seconds.
        ([0.3, 0.3, 0.5, 0.6, 0.7, 0.55], 24, 4, 0.575 * 48 / 24),
        # A fast one has passed over all images many times after half a second.
        ([0.1] * 5 + [0.25], 48, 8, 0.25),
    ],
)
def test_a_pass_is_warmed_up_repeated_and_its_median_counts(
    monkeypatch, seconds, images, passes, expected
):
    spans = Spans(*seconds)
    monkeypatch.setattr(extraction, "Clock", lambda device: spans)
    monkeypatch.setattr(extraction, "WARM_UP_SECONDS", 0.5)
    monkeypatch.setattr(extraction, "TIMED_SECONDS", 2.0)
    extractor = extractor_of(
        probe_of(evaluation_batch_size=12), lambda count: spans.events.append("told")
    )
    time = extractor.time()
    assert (time.images, time.passes) == (images, passes)
    assert time.seconds == pytest.approx(expected)
    # What a callback does, such as to wait for the device, is in no span; each is followed by one.
    assert spans.events == ["begin", "end", "told"] * (len(spans.events) // 3)


def test_a_timed_pass_is_stopped_between_two_spans(monkeypatch):
    class StopError(Exception):
        pass

    def stop(count):
        raise StopError

    monkeypatch.setattr(extraction, "Clock", lambda device: Spans(1.0))
    with pytest.raises(StopError):
        extractor_of(probe_of(), stop).time()


def test_the_pass_over_all_images_waits_for_the_device_a_few_times_however_many_batches(
    monkeypatch,
):
    waits: list[Clock] = []
    monkeypatch.setattr(Clock, "synchronise", lambda clock: waits.append(clock))
    counts = []
    for batch in (1, 8):
        waits.clear()
        progress = Progress("run", 68, "images", Clock(CPU).synchronise)
        extractor_of(probe_of(evaluation_batch_size=batch), progress.advance).train_and_test()
        counts.append(len(waits))
    # The span's two ends; the first batch, and the fifth, after which the time is estimated.
    assert counts == [4, 4]


@pytest.mark.parametrize(
    ("gpu", "memory", "size", "expected"),
    [
        ("none", None, 224, 64),
        ("none", None, 32, 1000),
        ("a GPU with 2 GiB", 2 * GIB, 224, 64),
        ("T4", 15_828_320_256, 224, 128),
        ("RTX 3090", 25_296_044_032, 224, 256),
        ("A100 40 GB", 42_298_834_944, 224, 512),
        ("H200", 150_121_545_728, 224, 1000),
        ("H200", 150_121_545_728, 32, 1000),
    ],
)
def test_the_batch_of_the_pass_follows_from_the_device_s_memory(gpu, memory, size, expected):
    assert pass_batch(probe_of(size, evaluation_batch_size=1000), memory) == expected, gpu


def test_the_batch_is_never_larger_than_asked_for_and_small_where_maps_are_large():
    assert pass_batch(probe_of(224, evaluation_batch_size=100), 150 * GIB) == 100
    assert pass_batch(probe_of(224, evaluation_batch_size=5000), 1000 * GIB) == 1024
    stem = {"stem": "cifar"}
    assert pass_batch(probe_of(224, evaluation_batch_size=1000, reading=stem), 80 * GIB) == 64


def test_the_whole_memory_decides_so_that_a_restart_decides_alike(monkeypatch):
    properties = SimpleNamespace(total_memory=24 * GIB)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(
        torch.cuda, "mem_get_info", lambda device: pytest.fail("asked what is free")
    )
    assert gpu_memory(torch.device("cuda")) == 24 * GIB
    assert gpu_memory(CPU) is None


def test_features_of_other_batches_have_another_key():
    def key(memory):
        device = Device(kind="cuda", name="GPU", memory_bytes=memory, threads=1)
        run = probe_of(224, evaluation_batch_size=1000)
        return features_key(run, device, {"torch": "2"}, "0" * 64)

    assert key(16 * GIB) == key(17 * GIB) != key(80 * GIB)


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("model", ["resnet18", "resnet50"])
def test_weights_that_are_cast_once_give_autocast_s_features_bit_by_bit(monkeypatch, model, size):
    run = probe_of(size, model=model, reading={"precision": "bf16"})
    once = extractor_of(run).train_and_test()[0]
    monkeypatch.setattr(extraction, "SHORT_FORMATS", {})
    each_time = extractor_of(run).train_and_test()[0]
    assert once.dtype == torch.float32
    assert torch.equal(once, each_time)


def test_the_layer_that_is_trained_stays_in_fp32():
    run = probe_of(reading={"precision": "bf16"})
    network = ready_for_training(
        build_network("resnet18", run.reading, 2), run.reading, CPU, run.precision
    )
    FeatureExtractor(run, network, DeviceData.on(CPU, small_arrays()), CPU, lambda count: None)
    assert network.fc.weight.dtype == torch.float32
    assert network.conv1.weight.dtype == torch.bfloat16


def test_what_older_results_say_of_their_features_is_still_read():
    old = {"key": "0" * 64, "reused": True, "forward_seconds": 2.5, "timed_images": 512}
    cache = FeatureCache.model_validate(old)
    assert (cache.timed_passes, cache.batch) == (1, None)
