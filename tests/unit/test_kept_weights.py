"""`training: {keep_weights: true}`: a trained network that gives the run's own predictions."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from torchvision.models import get_model

from resnet_sizes.schemas.paths import RunFolder, StudyFolder
from resnet_sizes.schemas.run.tensors import read_dataset, read_predictions
from resnet_sizes.training.engine.batches import DeviceData
from resnet_sizes.training.supervision.launch import RunOptions
from small_runs import CPU, run_of, small_dataset, train_run, weights_file


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("WARM_UP_SECONDS", "TIMED_SECONDS"):
        monkeypatch.setattr(f"resnet_sizes.training.features.extraction.{name}", 1e-9)
    return tmp_path


def outputs_of(state: dict[str, torch.Tensor], run, dataset: Path) -> np.ndarray:
    """What torchvision's network with these weights says of the test images."""
    network = get_model(run.model, weights=None, num_classes=2)
    network.load_state_dict(state)
    network.eval()
    inputs = DeviceData.on(CPU, read_dataset(dataset)[1]).inputs(run).test(8)
    with torch.inference_mode():
        return torch.cat([network(each) for each in inputs]).numpy()


def test_a_network_trained_as_a_whole_gives_the_shipped_logits(folder):
    dataset, results = small_dataset(folder), RunFolder(folder / "run")
    run = run_of(dataset)
    metrics = train_run(run, dataset, results, "cpu", options=RunOptions(keep_weights=True))
    logits, _ = read_predictions(results.predictions)
    found = outputs_of(load_file(results.weights), run, dataset)
    assert np.allclose(found, logits, rtol=1e-4, atol=1e-5)
    _, front, text = results.card.read_text("utf-8").split("---\n", 2)
    assert yaml.safe_load(front)["pipeline_tag"] == "image-classification"
    assert f"{metrics.final_test_accuracy:.4f}" in text


def test_of_a_frozen_network_the_last_layer_is_kept_and_the_rest_is_named(folder):
    dataset, results = small_dataset(folder), RunFolder(folder / "run")
    weights = weights_file(folder / "backbone.pth", "resnet18", seed=7)
    reading = {"weights": "backbone.pth", "trainable": "head"}
    run = run_of(dataset, reading=reading, initial_weights=weights.initial)
    train_run(run, dataset, results, "cpu", weights, RunOptions(keep_weights=True))
    kept = load_file(results.weights)
    assert sorted(kept) == ["fc.bias", "fc.weight"]
    logits, _ = read_predictions(results.predictions)
    found = outputs_of(torch.load(weights.path) | kept, run, dataset)
    assert np.allclose(found, logits, rtol=1e-4, atol=1e-5)
    assert weights.initial.sha256 in results.card.read_text("utf-8")


def test_results_without_weights_are_trained_again_where_weights_are_asked_for(folder):
    dataset, results = small_dataset(folder), RunFolder(folder / "run")
    run, study = run_of(dataset), StudyFolder(folder / "results" / "study")
    kept = study.kept(run.name)
    train_run(run, dataset, kept, "cpu")
    options = RunOptions(keep_weights=True, study=study)
    train_run(run, dataset, results, "cpu", options=options)
    assert results.weights.is_file()
    again = RunFolder(folder / "again")
    train_run(run, dataset, again, "cpu", options=RunOptions(study=study))
    assert not again.weights.is_file()
