"""`resnet-sizes status` beside Slurm's queue, as a pretend `squeue` prints it."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from looked_studies import done, home, looked, shown, train, trained

from study_homes import StudyHome

__all__ = ["done", "home"]


def squeue(home: StudyHome, script: str) -> None:
    path = home.folder / "bin" / "squeue"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def job(home: Path, state: str, name: str, comment: str) -> str:
    line = "\t".join(["77", "77", state, "Priority", name, comment, str(home)])
    return f"echo '{line}'"


UUID = "6f1f7c3e-2d0f-4c5e-9f0f-5d0f7c1f3a11"


@pytest.mark.parametrize(
    ("name", "comment"),
    [
        (UUID, "rule_train_wildcards_scratch-32_resnet18_0"),
        ("rs.train.scratch-32.resnet18.0", "(null)"),
        ("resnet-sizes.train.scratch-32.resnet18.0", "(null)"),
        ("rs.train.protocol=scratch-32,model=resnet18,seed=0", "(null)"),
    ],
)
def test_a_job_that_waits_in_slurm_is_queued_with_its_number(
    home: StudyHome, name: str, comment: str
) -> None:
    squeue(home, job(home.folder, "PENDING", name, comment))
    run = trained()
    assert run.state == "queued"
    assert run.job
    assert (run.job.id, run.job.reason) == ("77", "Priority")
    assert re.search(r"queued +Priority +Slurm job 77", shown())


def test_a_job_that_has_begun_and_not_told_of_itself_is_running(home: StudyHome) -> None:
    comment = "rule_train_wildcards_scratch-32_resnet18_0"
    squeue(home, job(home.folder, "RUNNING", UUID, comment))
    run = trained()
    assert run.state == "running"
    assert "not told of itself yet" in run.note


@pytest.mark.parametrize(
    "other",
    [
        lambda home: job(home.folder.parent, "PENDING", UUID, "rule_train_wildcards_s_r_0"),
        lambda home: job(
            home.folder.parent, "PENDING", UUID, "rule_train_wildcards_scratch-32_resnet18_0"
        ),
        lambda home: job(home.folder, "PENDING", UUID, "rule_run_wildcards_scratch-32_resnet18_0"),
        lambda home: job(
            home.folder, "PENDING", UUID, "rule_train_wildcards_scratch-32_resnet18_00"
        ),
    ],
)
def test_jobs_of_other_folders_and_rules_are_not_ours(
    home: StudyHome, other: Callable[[StudyHome], str]
) -> None:
    squeue(home, other(home))
    assert trained().state == "waiting"


def test_the_number_that_snakemake_recorded_goes_before_a_label(home: StudyHome) -> None:
    """Labels name no study, and two studies of one folder may have the same run."""
    comment = "rule_train_wildcards_scratch-32_resnet18_0"
    squeue(home, job(home.folder, "PENDING", UUID, comment))
    assert trained().state == "queued"
    output = home.files.metrics.relative_to(home.folder).as_posix()
    record = urlsafe_b64encode(output.encode()).decode()
    assert len(record) < 255
    incomplete = home.folder / ".snakemake" / "incomplete"
    incomplete.mkdir(parents=True)
    (incomplete / record).write_text('{"external_jobid": "76"}', encoding="utf-8")
    assert trained().state == "waiting"
    (incomplete / record).write_text('{"external_jobid": "77"}', encoding="utf-8")
    assert trained().state == "queued"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'slurm_load_jobs error: Unable to contact' >&2; exit 1", "Unable to contact"),
        ("exec /bin/sleep 60", "did not answer within"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_told_and_stops_nothing(
    home: StudyHome, script: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnet_sizes.study.scheduler_queue.PATIENCE", 0.5)
    squeue(home, script)
    status = looked()
    assert said in status.warnings[0]
    assert {run.state for run in status.runs} == {"waiting"}
    assert said in shown()


def test_a_scheduler_that_does_not_answer_is_not_told_where_all_is_done(home: StudyHome) -> None:
    home.ask_for(seeds=[0])
    squeue(home, "exit 1")
    assert "squeue failed" in looked().warnings[0]
    train(home)
    assert looked().counts["done"] == 1
    assert looked().warnings == []
