"""`resnet-sizes compare`: what two results have in common, and what may explain the rest."""

import json
import random
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from shared_results import archived_result, make_result
from test_verify import changed_metrics, relisted

from copied_process import copied
from resnet_sizes.evidence.statistics.tests import holm
from resnet_sizes.schemas.article.claims.base import Outcome
from resnet_sizes.schemas.run.tensors import (
    predictions_hash,
    read_predictions,
    write_predictions,
)
from resnet_sizes.sharing.compare import LEVEL, QuantityTest

CELL = "scratch-32", "resnet18"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two studies that are the same but for their names."""
    make_result(tmp_path, reports=False, seeds=(0, 1, 2))
    shutil.copytree(tmp_path / "results/shared", tmp_path / "results/other")
    return tmp_path


def compare(project: Path, *options: str) -> dict[str, Any]:
    done = copied().run(["compare", "results/shared", "results/other", *options], project)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if "--json" in options else {"text": done.stdout}


def compared(project: Path) -> dict[str, Any]:
    [study] = compare(project, "--json")["studies"]
    return study


def outcomes(study: dict[str, Any], quantity: str) -> dict[str, str]:
    return {
        each["model"]: each["outcome"]
        for each in study["quantities"]
        if each["quantity"] == quantity
    }


def change(project: Path, model: str, shift: float, **facts: Any) -> None:
    """Give the other study's runs of a network other accuracies, in fractions, and facts."""
    for position, run in enumerate(sorted((project / "results/other/runs").glob(f"*/{model}/*"))):
        data = json.loads((run / "metrics.json").read_text("utf-8"))
        for key, new in facts.items():
            data[key] = data[key] | new if isinstance(new, dict) else new
        if shift:
            move_accuracy(run, data, shift + position * 0.005)
        changed_metrics(run, **data)


def move_accuracy(run: Path, data: dict[str, Any], shift: float) -> None:
    """Other predictions, with the accuracy that they give."""
    logits, labels = read_predictions(run / "predictions.safetensors")
    logits = logits.copy()
    right = np.flatnonzero(logits.argmax(1) == labels)[: round(shift * len(labels))]
    logits[right] = np.roll(logits[right], 1, axis=1)
    write_predictions(run / "predictions.safetensors", logits, labels)
    accuracy = float((logits.argmax(1) == labels).mean())
    data["epochs"][-1]["test_accuracy"] = accuracy
    best = max(data["epochs"], key=lambda epoch: epoch["test_accuracy"])
    data |= {
        "final_test_accuracy": accuracy,
        "best_test_accuracy": best["test_accuracy"],
        "best_epoch": best["epoch"],
        "predictions_sha256": predictions_hash(logits, labels),
    }


def test_the_same_study_is_identical_and_has_no_causes(project):
    study = compared(project)
    assert set(outcomes(study, "accuracy").values()) == {"identical"}
    assert set(outcomes(study, "final_loss").values()) == {"identical"}
    assert set(outcomes(study, "minutes").values()) == {"identical"}
    assert study["same_runs"] == 6
    assert study["causes"] == []
    assert study["verdicts"] == []
    assert study["verdicts_compared"] > 20


@pytest.mark.parametrize(
    ("what", "facts"),
    [
        ("versions.torch", {"versions": {"torch": "2.0.0"}}),
        ("training_hash", {"code": {"training_hash": "f" * 64}}),
        ("device.name", {"device": {"name": "Another GPU"}}),
    ],
)
def test_a_planted_cause_is_named_first(project, what, facts):
    """It is in one network alone, whose accuracies fell; another fact changed in both."""
    change(project, "resnet50", 0.2, **facts)
    for model in ("resnet18", "resnet50"):
        change(project, model, 0, versions={"python": "3.12.0"})
    study = compared(project)
    assert outcomes(study, "accuracy") == {"resnet18": "identical", "resnet50": "differs"}
    first = next(each for each in study["causes"] if each["of"] == "results")
    assert first["what"] == what
    assert (first["differing"], first["compared"]) == (1, 1)


def test_a_device_that_is_slower_explains_times(project):
    for run in (project / "results/other/runs").glob("*/*/*"):
        data = json.loads((run / "metrics.json").read_text("utf-8"))
        for epoch in data["epochs"]:
            epoch["training_seconds"] *= 3
        data["training_seconds"] *= 3
        data["device"]["name"] = "A slower GPU"
        changed_metrics(run, **data)
    study = compared(project)
    assert set(outcomes(study, "minutes").values()) == {"differs"}
    assert next(each for each in study["causes"] if each["of"] == "times")["what"] == "device.name"


def test_changed_verdicts_are_named(project):
    path = project / "results/other/evidence/verdicts.json"
    data = json.loads(path.read_text("utf-8")) | {"checksum": None}
    data["overall"][0]["verdict"] = "contradicted"
    path.write_text(json.dumps(data), "utf-8")
    [changed] = [each for each in compared(project)["verdicts"] if each["protocol"] is None]
    assert changed["second"] == "contradicted"
    compare(project, "--page", "comparison.html", "--language", "en")
    page = (project / "comparison.html").read_text("utf-8")
    assert f"<td>{changed['id']}</td><td>all together</td>" in page
    assert "<td>contradicted</td></tr>" in page


def test_the_text_and_the_page_say_it_in_words(project):
    change(project, "resnet50", 0.2, versions={"torch": "2.0.0"})
    both = ("--language", "pt", "--language", "en")
    text = compare(project, "--page", "comparison.html", *both)["text"]
    assert re.search(r"^versions\.torch +2\.14\.1 +2\.0\.0 +1 +1$", text, re.MULTILINE)
    assert "differs" in text
    page = (project / "comparison.html").read_text("utf-8")
    assert '<section id="pt" lang="pt-BR">' in page
    assert '<section id="en" lang="en-GB">' in page
    assert "Causas possíveis" in page
    assert "2.0.0" in page


def test_runs_that_are_in_both_are_said_to_be_no_repetition(project):
    said = compare(project, "--page", "comparison.html", "--language", "pt", "--language", "en")
    assert "Runs in both, the same trainings and no repetitions: 6." in said["text"]
    assert "resnet-sizes verify PATH" in said["text"]
    page = (project / "comparison.html").read_text("utf-8")
    assert "6 execuções estão nos dois resultados" in page
    assert "6 runs are in both results" in page
    assert ">ResNet-18</td>" in page
    for run in (project / "results/other/runs").glob("*/*/*"):
        changed_metrics(run, finished="2031-01-01T00:00:00Z")
    assert compared(project)["same_runs"] == 0


def test_a_name_that_somebody_sent_forges_no_row_and_controls_no_terminal(project):
    forged = "GPU\nversions.torch  1  2  9  9\x1b[2J"
    change(project, "resnet50", 0.2, device={"name": forged})
    said = compare(project)["text"]
    assert "GPU\\nversions.torch  1  2  9  9\\u001b[2J" in said
    assert not [line for line in said.splitlines() if line.startswith("versions.torch")]


def test_an_archive_whose_files_are_not_those_of_its_list_is_not_compared(tmp_path):
    theirs = tmp_path / "theirs"
    shutil.unpack_archive(archived_result() / "results/shared.zip", theirs)
    run = theirs / "results/shared/runs/scratch-32/resnet18/seed-0"
    epochs = json.loads((run / "metrics.json").read_text("utf-8"))["epochs"]
    epochs[-1]["train_loss"] /= 2
    changed_metrics(run, epochs=epochs)
    done = copied().run(["compare", "shared", str(theirs)], archived_result())
    assert done.returncode == 1
    assert f"{theirs}: results/shared/runs/scratch-32/resnet18/seed-0/metrics.json" in done.stderr
    assert f"resnet-sizes verify {theirs}" in done.stderr


def test_what_cannot_be_read_of_an_archive_names_the_archive(tmp_path):
    theirs = tmp_path / "theirs"
    shutil.unpack_archive(archived_result() / "results/shared.zip", theirs)
    (theirs / "results/shared/evidence/verdicts.json").write_text("{")
    packed = shutil.make_archive(str(tmp_path / "damaged"), "zip", relisted(theirs))
    done = copied().run(["compare", "shared", packed], archived_result())
    assert done.returncode == 1
    assert f"error: {packed}: results/shared/evidence/verdicts.json" in done.stderr
    assert "/resnet-sizes-verify-" not in done.stderr


@pytest.mark.parametrize("name", ["results/shared/study.json", "results/shared/a.html", "a.txt"])
def test_a_page_replaces_no_file_of_a_study(project, name):
    before = (project / "results/shared/study.json").read_bytes()
    called = ["compare", "results/shared", "results/other", "--page", name]
    done = copied().run(called, project)
    assert done.returncode == 1
    assert "--page: found" in done.stderr
    assert (project / "results/shared/study.json").read_bytes() == before


def test_one_result_is_one_clear_error(project):
    done = copied().run(["compare", "results/shared"], project)
    assert done.returncode == 1
    assert "needed: two or more" in done.stderr


def runs_of(generator: random.Random, seeds: int, images: int = 10_000) -> list[Any]:
    """Runs of one truth: seeds differ by 0.4 points, their losses and times by some percent."""
    found = []
    for seed in range(seeds):
        accuracy = round(generator.gauss(0.83, 0.004) * images) / images
        minutes, loss = generator.gauss(40, 1), generator.gauss(0.5, 0.02)
        found.append(
            SimpleNamespace(
                settings=SimpleNamespace(seed=seed),
                correct=np.zeros(images, bool),
                logits_hash=generator.randbytes(8),
                outcome=Outcome("resnet18", accuracy, minutes, 2.0, loss),
            )
        )
    return found


@pytest.mark.parametrize("seeds", [(2, 2), (3, 3), (10, 10), (3, 5), (0, 3)])
@pytest.mark.parametrize("paired", [True, False])
def test_a_thousand_pairs_of_equal_truth_give_few_alarms(seeds, paired):
    """Each pair of studies has three networks and three quantities, nine tests."""
    generator = random.Random(1)
    alarms = 0
    for _ in range(1000):
        tested = []
        for _ in range(3):
            first, second = (runs_of(generator, count or 1) for count in seeds)
            if not paired:
                for run in second:
                    run.settings.seed += 100
            tested += [
                QuantityTest(CELL, quantity, first, second)
                for quantity in ("accuracy", "final_loss", "minutes")
            ]
        p_values = {i: each.p_value for i, each in enumerate(tested) if each.p_value is not None}
        adjusted = holm(p_values)
        alarms += any(
            each.decided(adjusted.get(i), 1.0).outcome == "differs" for i, each in enumerate(tested)
        )
    assert alarms / 1000 <= LEVEL + 0.015, alarms  # two standard errors of a thousand


def test_a_true_difference_of_three_deviations_is_found_with_ten_seeds():
    generator = random.Random(2)
    found = 0
    for _ in range(200):
        first, second = runs_of(generator, 10), runs_of(generator, 10)
        for run in second:
            run.outcome = replace(run.outcome, accuracy=run.outcome.accuracy - 0.012)
        tested = QuantityTest(CELL, "accuracy", first, second)
        found += tested.decided(tested.p_value, 1.0).outcome == "differs"
    assert found >= 190


def test_a_small_difference_with_many_seeds_is_equivalence():
    generator = random.Random(3)
    first, second = runs_of(generator, 20), runs_of(generator, 20)
    tested = QuantityTest(CELL, "accuracy", first, second)
    assert tested.decided(tested.p_value, 1.0).outcome == "equivalent"
