"""Shipped results of whole runs: complete, consistent, and named for what they are."""

import re
import shutil
from pathlib import Path

import pytest

from copied_process import copied
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.run.tensors import read_predictions

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
STUDIES = sorted(path.parent for path in REFERENCE.glob("*/study.json"))
RUNS = sorted(path.parent for path in REFERENCE.glob("*/runs/*/*/*/metrics.json"))


def name_of(folder: Path) -> str:
    return folder.relative_to(REFERENCE).as_posix()


@pytest.mark.parametrize("folder", RUNS, ids=name_of)
def test_predictions_give_the_accuracy_that_the_metrics_tell(folder):
    metrics = read_record(RunFolder(folder).metrics, Metrics, "")
    logits, labels = read_predictions(RunFolder(folder).predictions)
    assert (logits.argmax(1) == labels).mean() == metrics.final_test_accuracy


@pytest.mark.parametrize("folder", STUDIES, ids=name_of)
def test_each_study_has_runs_and_says_on_what_data_device_and_day(folder):
    study = read_record(folder / "study.json", StudyFile, "").study
    runs = [run for run in RUNS if run.is_relative_to(folder)]
    assert runs
    metrics = [read_record(RunFolder(run).metrics, Metrics, "") for run in runs]
    assert folder.name == "-".join(
        [
            study.dataset.declared_content.replace("reencoded", "jpeg"),
            study.protocols[0],
            metrics[0].device.kind,
            metrics[0].finished[:10],
        ]
    )
    page = (REFERENCE / "README.md").read_text(encoding="utf-8")
    [section] = [part for part in page.split("\n## ") if part.startswith(folder.name)]
    assert metrics[0].device.name in section
    if study.dataset.declared_content == "cifar10-reencoded":
        assert "JPEG" in section
        assert "not a CIFAR-10 result" in section


@pytest.mark.parametrize("folder", STUDIES, ids=name_of)
def test_a_report_is_made_of_shipped_results_without_training(folder, tmp_path):
    for needed in ("config", "report"):
        (tmp_path / needed).symlink_to(REFERENCE.parent / needed)
    shutil.copytree(folder, tmp_path / "results" / folder.name)
    called = [["evidence", folder.name], ["report", folder.name, "--language", "pt"]]
    for arguments in [called[0], [*called[1], "--format", "html"]]:
        done = copied().run(arguments, tmp_path)
        assert done.returncode == 0, done.stderr
    made = tmp_path / "results" / folder.name / "report" / "pt" / "report.html"
    page = made.read_text(encoding="utf-8")
    for run in (run for run in RUNS if run.is_relative_to(folder)):
        accuracy = read_record(RunFolder(run).metrics, Metrics, "").final_test_accuracy
        assert f"{100 * accuracy:.2f}%".replace(".", ",") in page
    assert "CIFAR-10 recodificado" in page


def test_make_example_names_a_study_that_is_there():
    makefile = (REFERENCE.parent / "Makefile").read_text(encoding="utf-8")
    [named] = re.findall(r"^example \?= (.+)$", makefile, re.MULTILINE)
    assert REFERENCE / named in STUDIES


def test_there_is_a_reference():
    assert STUDIES
