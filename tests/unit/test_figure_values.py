"""The values that captions and descriptions of the figures print."""

import re
from pathlib import Path

import numpy as np
import pytest
from figure_studies import FIVE
from study_values import values_of
from synthetic import make_study

from resnet_sizes.evidence.runs.read import read_runs
from resnet_sizes.evidence.values.figure_values import confusion_cells, mean_shares
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile


def test_they_are_there_for_each_model_with_runs(tmp_path: Path) -> None:
    values = values_of(make_study(tmp_path, full=False, epochs=3, **FIVE))
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
    assert not [key for key in values if re.search(r"\.confusion\.(?!cells)", key)]
    assert values["scratch-32.resnet18.hardest_class.share"].value == 1


def test_a_model_without_runs_has_none(tmp_path: Path) -> None:
    missing = ["scratch-32/resnet50/seed-0"]
    values = values_of(make_study(tmp_path, full=False, epochs=2, seeds=[0], missing=missing))
    assert values["scratch-32.printed_accuracies.with_interval"].value == 0
    assert "scratch-32.resnet50.hardest_class.name" not in values


def test_every_number_of_a_confusion_matrix_is_a_value(tmp_path: Path) -> None:
    choices = {"protocols": ["one", "two"], "full": False, "epochs": 2}
    study = make_study(tmp_path, **choices)
    values = values_of(study)
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)
    shares = mean_shares(runs.of("one", "resnet50"))
    prefix = "one.resnet50.confusion.cells."
    cells = {key.removeprefix(prefix) for key in values if key.startswith(prefix)}
    assert cells == {f"{true}.{other}" for true, other in np.argwhere(shares >= 0.005)}
    assert values[f"{prefix}0.0"].value == shares[0, 0]
    assert {source.field for source in values[f"{prefix}0.0"].sources} == {"logits", "labels"}
    assert len(values[f"{prefix}0.0"].sources) == 6
    # The figures are of the first reading alone.
    assert not [key for key in values if key.startswith("two.resnet50.confusion.cells.")]


def test_a_matrix_too_large_to_write_has_no_values_of_its_cells() -> None:
    assert all(cell.key for cell in confusion_cells(np.eye(21), "a.b"))
    assert not any(cell.key for cell in confusion_cells(np.eye(22), "a.b"))


def test_entries_that_would_print_as_zero_have_no_value() -> None:
    cells = confusion_cells(np.array([[0.996, 0.004], [0.0, np.nan]]), "a.b")
    assert [(cell.true, cell.predicted, cell.key) for cell in cells] == [
        (0, 0, "a.b.confusion.cells.0.0"),
        (0, 1, None),
    ]
