"""The values that captions and descriptions of the figures print."""

from pathlib import Path

import pytest
from figure_studies import FIVE
from study_values import values_of
from synthetic import make_study


def test_they_are_there_for_each_model_with_runs(tmp_path: Path) -> None:
    values = values_of(make_study(tmp_path, full=False, epochs=3, **FIVE))
    assert values["scratch-32.pareto.models"].value == "resnet18, resnet34, resnet50, resnet152"
    assert values["scratch-32.pareto.count"].value == 4
    assert values["scratch-32.printed_accuracies.count"].value == 5
    assert values["scratch-32.printed_accuracies.with_interval"].value == 5
    assert values["scratch-32.printed_accuracies.inside"].value == 5
    for model in FIVE["models"]:
        prefix = f"scratch-32.{model}"
        accuracy = float(values[f"{prefix}.accuracy.mean"].value)
        train = float(values[f"{prefix}.final_train_accuracy.mean"].value)
        assert train == pytest.approx(accuracy + 0.01)
        first = float(values[f"{prefix}.first_test_accuracy.mean"].value)
        assert first == pytest.approx(accuracy / 2)


def test_the_largest_confusion_names_its_classes_and_their_sources(tmp_path: Path) -> None:
    choices = {"seeds": [0], "models": ["resnet18"], "accuracies": {"resnet18": 0.5}}
    values = values_of(make_study(tmp_path, full=False, epochs=2, **choices))
    prefix = "scratch-32.resnet18"
    # The synthetic predictions are right on the first half, and one class off on the other.
    assert values[f"{prefix}.confusion.true"].value == "class-0"
    assert values[f"{prefix}.confusion.predicted"].value == "class-1"
    assert values[f"{prefix}.confusion.share"].value == 0.5
    assert values[f"{prefix}.hardest_class.name"].value == "class-0"
    assert values[f"{prefix}.hardest_class.share"].value == 0.5
    sources = {(s.file, s.field) for s in values[f"{prefix}.confusion.true"].sources}
    assert sources == {
        ("data/dataset.json", "class_names[0]"),
        ("runs/scratch-32/resnet18/seed-0/predictions.safetensors", "logits"),
        ("runs/scratch-32/resnet18/seed-0/predictions.safetensors", "labels"),
    }


def test_without_mistakes_there_is_no_confusion(tmp_path: Path) -> None:
    choices = {"seeds": [0], "models": ["resnet18"], "accuracies": {"resnet18": 1.0}}
    values = values_of(make_study(tmp_path, full=False, epochs=2, **choices))
    assert not [key for key in values if ".confusion." in key]
    assert values["scratch-32.resnet18.hardest_class.share"].value == 1


def test_a_model_without_runs_has_none(tmp_path: Path) -> None:
    missing = ["scratch-32/resnet50/seed-0"]
    values = values_of(make_study(tmp_path, full=False, epochs=2, seeds=[0], missing=missing))
    assert values["scratch-32.pareto.models"].value == "resnet18, resnet152"
    assert values["scratch-32.printed_accuracies.count"].value == 3
    assert values["scratch-32.printed_accuracies.with_interval"].value == 0
    assert "scratch-32.resnet50.hardest_class.name" not in values
