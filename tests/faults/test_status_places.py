"""`resnet-sizes status` of a study whose folder is reached by links."""

import shutil
import subprocess
from pathlib import Path

import pytest
from looked_studies import done, home, job, looked, shown, snakemake, squeue, trained

from resnet_sizes.status.status import snakemake_status
from study_homes import StudyHome

__all__ = ["done", "home", "snakemake"]


@pytest.fixture
def elsewhere(home: StudyHome, tmp_path: Path) -> Path:
    """Where `results` lies, which is a link in the study's working directory."""
    folder = tmp_path / "scratch" / "results"
    results = home.folder / "results"
    shutil.copytree(results, folder)
    shutil.rmtree(results)
    results.symlink_to(folder)
    return folder


@pytest.mark.usefixtures("elsewhere")
def test_where_results_is_a_link_what_lies_beside_it_is_found(
    home: StudyHome, snakemake: "subprocess.Popen[bytes]"
) -> None:
    home.tell(step=3, epoch=2)
    assert trained().state == "running"
    home.tell(ended="failed", message="the loss is nan")
    assert trained().state == "failed"
    assert looked().snakemake.process == snakemake.pid
    squeue(home, job(home.folder, "PENDING", "rs.train.scratch-32.resnet18.0", "(null)"))
    assert trained().state == "queued"


def test_a_working_directory_that_is_reached_by_a_link_is_the_same(
    home: StudyHome,
    snakemake: "subprocess.Popen[bytes]",
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = tmp_path / "link"
    link.symlink_to(home.folder)
    squeue(home, job(home.folder, "PENDING", "rs.train.scratch-32.resnet18.0", "(null)"))
    monkeypatch.chdir(tmp_path)
    status = looked(str(link / "results" / "tiny" / "study.json"))
    assert status.snakemake.process == snakemake.pid
    assert status.runs[0].state == "queued"


def test_a_snakemake_of_another_folder_does_not_work_on_the_study(
    home: StudyHome, snakemake: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    assert snakemake_status(home.folder).process == snakemake.pid
    assert snakemake_status(tmp_path).state == "away"


def test_where_no_snakemake_runs_the_log_of_the_last_one_is_named(home: StudyHome) -> None:
    """It tells of a job that died before its run could report, which waits."""
    logs = home.folder / ".snakemake" / "log"
    logs.mkdir(parents=True)
    for moment in ("2026-11-28T051654.5", "2026-11-27T231500.25"):
        (logs / f"{moment}.snakemake.log").touch()
    assert trained().state == "waiting"
    newest = logs / "2026-11-28T051654.5.snakemake.log"
    assert shown().splitlines()[1].endswith(f"The log of the last one: {newest}")
