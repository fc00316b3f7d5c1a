"""Shipped results of whole runs: complete, consistent, and named for what they are."""

import re
import zipfile
from pathlib import Path
from runpy import run_path

import pytest

from copied_process import copied
from made_once import made_once
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import StudyFile

REFERENCE = Path(__file__).resolve().parents[2] / "reference"
ARCHIVES = sorted(REFERENCE.glob("*.zip"))
DIGESTS = dict(
    reversed(line.split()) for line in (REFERENCE / "digests.txt").read_text().splitlines()
)


def results_of(archive: Path) -> Path:
    """The archive's results, unpacked; not to be changed."""

    def unpack(folder: Path) -> None:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.startswith("results/")]
            opened.extractall(folder, names)

    return made_once(["reference", archive.name], unpack) / "results" / archive.stem


def metrics_of(folder: Path) -> list[Metrics]:
    found = sorted(folder.glob("runs/*/*/*/metrics.json"))
    return [read_record(RunFolder(path.parent).metrics, Metrics, "") for path in found]


def test_there_is_a_reference_and_each_has_its_digest():
    assert ARCHIVES
    assert sorted(DIGESTS) == [path.name for path in ARCHIVES]


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.stem)
def test_each_holds_and_has_the_digest_that_is_published(archive):
    called = ["verify", str(archive), "--digest", DIGESTS[archive.name]]
    done = copied().run(called, REFERENCE.parent)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.stem)
def test_each_says_on_what_data_device_and_day(archive):
    folder = results_of(archive)
    study, metrics = read_record(folder / "study.json", StudyFile, "").study, metrics_of(folder)
    content = study.dataset.declared_content
    assert archive.stem == "-".join(
        [
            content.replace("reencoded", "jpeg"),
            study.protocols[0],
            metrics[0].device.kind,
            metrics[0].finished[:10],
        ]
    )
    page = (REFERENCE / "README.md").read_text(encoding="utf-8")
    [section] = [part for part in page.split("\n## ") if part.startswith(archive.stem)]
    assert metrics[0].device.name in section
    for program in ("resnet-sizes", "python", "torch", "torchvision", "numpy"):
        assert f"{program} {metrics[0].versions[program]}".lower() in section.lower()
    if content == "cifar10-reencoded":
        assert "JPEG" in section
        assert "not a CIFAR-10 result" in section


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.stem)
def test_a_report_is_made_of_shipped_results_without_training(archive, tmp_path, monkeypatch):
    for needed in ("config", "articles", "report"):
        (tmp_path / needed).symlink_to(REFERENCE.parent / needed)
    name = archive.stem
    (tmp_path / "reference").symlink_to(REFERENCE)
    monkeypatch.chdir(tmp_path)
    run_path(str(REFERENCE.parent / "scripts/unpack_example.py"))["unpack"](name)
    for called in (["evidence", name], ["report", name, "--format", "html"]):
        done = copied().run(called, tmp_path)
        assert done.returncode == 0, done.stderr
    page = (tmp_path / "results" / name / "report/pt/report.html").read_text(encoding="utf-8")
    for metrics in metrics_of(results_of(archive)):
        assert f"{100 * metrics.final_test_accuracy:.2f}%".replace(".", ",") in page
    assert "CIFAR-10 recodificado" in page
    assert '<a href="../en/report.html"' in page
    english = tmp_path / "results" / name / "report/en/report.html"
    assert '<a href="../pt/report.html"' in english.read_text(encoding="utf-8")


def test_make_example_names_an_archive_that_is_there():
    makefile = (REFERENCE.parent / "Makefile").read_text(encoding="utf-8")
    [named] = re.findall(r"^example \?= (.+)$", makefile, re.MULTILINE)
    assert REFERENCE / f"{named}.zip" in ARCHIVES
