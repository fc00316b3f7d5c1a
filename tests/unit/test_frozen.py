"""Frozen backbones: weights from a file, features computed once, and exactly the plain loop's."""

import hashlib
import json
import logging
import re
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from resnet_sizes.data.sources.digits import DigitsSource
from resnet_sizes.io.errors import UserError, WriteError
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import FeatureCache, Metrics
from resnet_sizes.schemas.run.tensors import DatasetArrays, read_predictions
from resnet_sizes.training.devices.select import describe
from resnet_sizes.training.engine.clock import Clock
from resnet_sizes.training.engine.networks import backbone, build_network, fold_batch_norm
from resnet_sizes.training.features.cache import features_key
from small_runs import (
    CPU,
    identity_of,
    run_of,
    small_dataset,
    train_run,
    weights_file,
    write_small_dataset,
)


def key_of(run):
    return features_key(run, describe(CPU), {"torch": "2"}, "0" * 64)


PROBE = {"weights": "backbone.pth", "trainable": "head", "normalisation": "imagenet"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """Features are kept below the working directory; a test waits for no clock."""
    monkeypatch.chdir(tmp_path)
    for name in ("WARM_UP_SECONDS", "TIMED_SECONDS"):
        monkeypatch.setattr(f"resnet_sizes.training.features.extraction.{name}", 1e-9)
    return tmp_path


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    return small_dataset(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return weights_file(tmp_path_factory.mktemp("weights") / "backbone.pth", "resnet18", seed=7)


def probe(dataset, weights, name="run", **changes) -> Metrics:
    reading = PROBE | changes.pop("reading", {})
    run = run_of(dataset, reading=reading, initial_weights=weights.initial, **changes)
    return train_run(run, dataset, RunFolder(Path(name)), "cpu", weights)


def losses(metrics: Metrics) -> list[float]:
    return [value for epoch in metrics.epochs for value in (epoch.train_loss, epoch.test_loss)]


@pytest.mark.parametrize("size", [32, 64])
def test_a_cached_run_has_the_losses_of_the_plain_loop(dataset, weights, size):
    cached = probe(dataset, weights, "cached", epochs=3, reading={"input_size": size})
    plain = probe(
        dataset, weights, "plain", epochs=3, feature_cache=False, reading={"input_size": size}
    )
    assert cached.feature_cache is not None
    assert plain.feature_cache is None
    assert losses(cached) == pytest.approx(losses(plain), rel=1e-5)
    assert np.allclose(
        *(read_predictions(RunFolder(Path(name)).predictions)[0] for name in ("cached", "plain")),
        atol=1e-4,
    )


def test_on_real_images_the_losses_are_those_of_the_plain_loop(tmp_path, weights):
    source = DigitsSource()
    images, labels = source.images({"train": np.arange(240)})["train"], source.labels["train"][:240]
    arrays = DatasetArrays(images[:200], labels[:200], images[200:], labels[200:])
    digits = write_small_dataset(tmp_path / "digits.safetensors", arrays, source.class_names)
    cached, plain = (
        probe(digits, weights, f"cache {kept}", epochs=4, batch_size=64, feature_cache=kept)
        for kept in (True, False)
    )
    assert cached.feature_cache is not None
    assert losses(cached) == pytest.approx(losses(plain), rel=1e-5)
    assert cached.epochs[-1].train_loss < cached.epochs[0].train_loss


def test_a_second_seed_uses_the_features_of_the_first(dataset, weights):
    first = probe(dataset, weights, "first", seed=0)
    second = probe(dataset, weights, "second", seed=1)
    assert not first.feature_cache.reused
    assert second.feature_cache.reused
    assert second.feature_cache.key == first.feature_cache.key
    assert losses(first) != losses(second)


def test_a_run_that_reuses_features_measures_the_pass_on_its_own(dataset, weights, monkeypatch):
    class TwoSeconds(Clock):
        @contextmanager
        def span(self, before=0.0):
            yield
            self.seconds = 2.0

    monkeypatch.setattr("resnet_sizes.training.features.extraction.Clock", TwoSeconds)
    # Of 48 training images.
    first, second = (
        probe(dataset, weights, name, evaluation_batch_size=12).feature_cache
        for name in ("first", "second")
    )
    assert (first.forward_seconds, first.timed_images, first.timed_passes) == (2, 48, 1)
    assert (second.forward_seconds, second.timed_images, second.timed_passes) == (8, 12, 3)
    assert first.batch == second.batch == 12


def test_reused_features_give_bitwise_the_same_run(dataset, weights):
    probe(dataset, weights, "first")
    probe(dataset, weights, "second")
    first, second = (RunFolder(Path(name)).predictions.read_bytes() for name in ("first", "second"))
    assert first == second


def test_times_of_a_cached_run_are_measured_and_computed(dataset, weights):
    first = probe(dataset, weights, "first", epochs=3)
    second = probe(dataset, weights, "second", epochs=3)
    for metrics in (first, second):
        head = sum(epoch.training_seconds for epoch in metrics.epochs)
        forward = metrics.feature_cache.forward_seconds
        assert forward > 0
        assert metrics.equivalent_training_seconds == pytest.approx(head + 3 * forward)
        measured = head if metrics.feature_cache.reused else head + forward
        assert metrics.training_seconds == pytest.approx(measured)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"feature_cache": False}, "feature_cache is false"),
        ({"reading": {"frozen_batch_norm": "train"}}, "batch normalisation.*train mode"),
        ({"reading": {"augmentation": "flip-crop"}}, "augmentation is flip-crop"),
    ],
)
def test_where_features_are_not_kept_the_log_says_why(dataset, weights, caplog, changes, reason):
    logging.getLogger("resnet_sizes").propagate = True
    with caplog.at_level(logging.INFO, "resnet_sizes"):
        metrics = probe(dataset, weights, **changes)
    assert metrics.feature_cache is None
    assert metrics.equivalent_training_seconds is None
    assert any(re.search(reason, message) for message in caplog.messages)


def test_only_the_head_of_a_probe_moves_and_batch_norm_moves_in_train_mode(dataset, weights):
    evaluating = probe(dataset, weights, "eval", feature_cache=False)
    training = probe(dataset, weights, "train", reading={"frozen_batch_norm": "train"})
    assert evaluating.trainable_parameters == training.trainable_parameters == 512 * 2 + 2
    assert evaluating.parameters == training.parameters > 11_000_000
    assert losses(evaluating) != pytest.approx(losses(training), rel=1e-3)


@pytest.mark.parametrize(
    "change",
    [
        {"reading": {"input_size": 48}},
        {"reading": {"normalisation": "half"}},
        {"model": "resnet34"},
        {"evaluation_batch_size": 7},
        {"dataset_identity": "0" * 64},
        {"precision": "bf16", "reading": {"precision": "bf16"}},
    ],
)
def test_whatever_decides_the_features_decides_their_key(dataset, weights, change):
    def key(**changes):
        reading = PROBE | changes.pop("reading", {})
        run = run_of(dataset, reading=reading, initial_weights=weights.initial, **changes)
        return key_of(run)

    assert key(**change) != key()
    assert key(seed=5, epochs=9, learning_rate=0.1, batch_size=3) == key()


def test_other_weights_have_other_features(dataset, weights, tmp_path):
    other = weights_file(tmp_path / "other.pth", "resnet18", seed=8)
    keys = [
        key_of(run_of(dataset, reading=PROBE, initial_weights=info.initial))
        for info in (weights, other)
    ]
    assert keys[0] != keys[1]


def test_damaged_features_are_computed_again(dataset, weights, caplog):
    first = probe(dataset, weights, "first")
    [path] = Path("work/features").glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-10] ^= 1
    path.write_bytes(content)
    second = probe(dataset, weights, "second")
    assert not second.feature_cache.reused
    assert losses(second) == losses(first)
    path.write_bytes(b"no tensors")
    assert not probe(dataset, weights, "third").feature_cache.reused
    assert probe(dataset, weights, "fourth").feature_cache.reused


def test_folding_batch_norm_changes_nothing_but_rounding():
    torch.manual_seed(0)
    for model in ("resnet18", "resnet50"):
        network = build_network(model, run_of(None).reading, 10).eval()
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2)
                module.weight.data.uniform_(0.5, 2)
                module.bias.data.uniform_(-0.5, 0.5)
        images = torch.randn(4, 3, 64, 64)
        with torch.no_grad():
            before = backbone(network)(images)
            assert torch.equal(network.fc(before), network(images))
            fold_batch_norm(network)
            after = backbone(network)(images)
        assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
        assert torch.allclose(before, after, rtol=1e-4, atol=1e-4 * before.abs().max().item())


def test_weights_that_are_not_the_planned_ones_are_refused(dataset, weights, tmp_path):
    other = weights_file(tmp_path / "other.pth", "resnet18", seed=8)
    run = run_of(dataset, reading=PROBE, initial_weights=weights.initial)
    with pytest.raises(UserError, match=r"other\.pth: is not the file.*planned with.*fetch"):
        train_run(run, dataset, RunFolder(Path("run")), "cpu", other)
    with pytest.raises(UserError, match=r"starts from backbone\.pth.*--weights"):
        train_run(run, dataset, RunFolder(Path("run")), "cpu")
    gone = weights.model_copy(update={"path": "gone.pth"})
    with pytest.raises(UserError, match=r"gone\.pth: no such.*starts from it.*fetch STUDY --only"):
        train_run(run, dataset, RunFolder(Path("run")), "cpu", gone)


def test_weights_of_another_network_are_refused(dataset, tmp_path):
    info = weights_file(tmp_path / "other.pth", "resnet34", seed=8)
    run = run_of(dataset, reading=PROBE, initial_weights=info.initial)
    with pytest.raises(UserError, match=r"does not fit resnet18.*too many.*layer1\.2"):
        train_run(run, dataset, RunFolder(Path("run")), "cpu", info)


def test_safetensors_and_pickled_weights_give_the_same_run(dataset, weights, tmp_path):
    from safetensors.torch import save_file

    state = torch.load(weights.path, weights_only=True)
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    path = tmp_path / "backbone.safetensors"
    save_file(state, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    initial = weights.initial.model_copy(update={"file": path.name, "sha256": digest})
    other = weights.model_copy(update={"path": str(path), "initial": initial})
    assert losses(probe(dataset, other, "a")) == losses(probe(dataset, weights, "b"))


def test_metrics_tell_the_weights_and_the_cache(dataset, weights):
    probe(dataset, weights)
    data = json.loads(Path("run/metrics.json").read_text())
    assert data["run"]["initial_weights"] == weights.initial.model_dump()
    assert set(data["feature_cache"]) == set(FeatureCache.model_fields)


def test_the_identity_of_the_dataset_is_in_the_run(dataset):
    assert run_of(dataset).dataset_identity == identity_of(dataset)


def test_a_disk_without_room_for_features_does_not_cost_the_run(dataset, weights, monkeypatch):
    def full(*arguments):
        raise WriteError("features.safetensors: cannot be written (No space left on device).")

    with monkeypatch.context() as patched:
        patched.setattr("resnet_sizes.training.features.cache.write_tensors", full)
        patched.setattr(
            "resnet_sizes.training.features.extraction.PartialFeatures.is_due", lambda _: True
        )
        metrics = probe(dataset, weights)
    assert metrics.feature_cache is not None
    [kept] = Path("work/features").glob("*.safetensors")
    assert kept.name.endswith(".partial.safetensors"), "what was computed helps the next run"
    assert losses(probe(dataset, weights, "next")) == losses(metrics)
    assert not kept.exists()


def test_a_folder_that_cannot_be_made_does_not_cost_the_run(dataset, weights):
    Path("work").write_text("a file where the folder should be")
    assert not probe(dataset, weights).feature_cache.reused


def test_features_are_kept_for_all_evaluation_batches_that_come_to_the_same(dataset, weights):
    def key(size):
        reading = PROBE | {"input_size": 224}
        initial = weights.initial
        run = run_of(dataset, reading=reading, initial_weights=initial, evaluation_batch_size=size)
        return key_of(run)

    assert key(1000) == key(500) != key(20)


def test_weights_from_before_batch_norm_counted_its_batches_are_taken(dataset, weights, tmp_path):
    # As torchvision's oldest files are: without `num_batches_tracked`, which decides nothing here.
    state = torch.load(weights.path, weights_only=True)
    path = tmp_path / "old.pth"
    torch.save({k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    initial = weights.initial.model_copy(update={"file": path.name, "sha256": digest})
    old = weights.model_copy(update={"path": str(path), "initial": initial})
    assert losses(probe(dataset, old, "a")) == losses(probe(dataset, weights, "b"))
