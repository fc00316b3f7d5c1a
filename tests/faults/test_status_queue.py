"""`resnet-sizes status` beside Slurm's queue, as a pretend `squeue` prints it."""

import re
from collections.abc import Callable

import pytest
from looked_studies import ago, done, home, job, looked, shown, squeue, train, trained

from resnet_sizes.schemas.run.progress import SchedulerJob
from study_homes import StudyHome

__all__ = ["done", "home"]


UUID = "6f1f7c3e-2d0f-4c5e-9f0f-5d0f7c1f3a11"
COMMENT = "rule_train_wildcards_scratch-32_resnet18_0"


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
    squeue(home, job(home.folder, "RUNNING", UUID, COMMENT))
    run = trained()
    assert run.state == "running"
    assert "not reported yet" in run.note


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


def test_equal_runs_of_two_studies_in_one_folder_share_a_waiting_job(home: StudyHome) -> None:
    """Labels name no study; the runs share their folder in work/ as well."""
    home.twin("twin")
    squeue(home, job(home.folder, "PENDING", UUID, COMMENT))
    assert looked().counts["queued"] == 1
    assert looked("results/twin/study.json").counts["queued"] == 1


def test_the_job_that_a_run_names_goes_before_a_label(home: StudyHome) -> None:
    labelled = job(home.folder, "PENDING", UUID, COMMENT)
    named = job(home.folder, "RUNNING", UUID, "(null)").replace("77", "78")
    squeue(home, f"{labelled}\n{named}")
    home.tell(job=SchedulerJob(scheduler="slurm", id="78"), step=3)
    run = trained()
    assert run.job
    assert (run.state, run.job.id) == ("running", "78")


@pytest.mark.parametrize(("state", "seen"), [("RUNNING", "running"), ("PENDING", "queued")])
@pytest.mark.parametrize("silent", [1, 3000])
def test_a_run_that_tells_of_its_job_was_submitted_from_anywhere(
    home: StudyHome, state: str, seen: str, silent: float
) -> None:
    """Slurm knows better than any silence whether it goes on."""
    squeue(home, job(home.folder.parent, state, UUID, "(null)"))
    home.tell(job=SchedulerJob(scheduler="slurm", id="77"), step=3, updated=ago(silent))
    run = trained()
    assert run.state == seen
    assert run.job
    assert run.job.id == "77"


@pytest.mark.parametrize(
    ("step", "silent", "state"),
    [(3, 30, "running"), (3, 300, "stale"), (None, 300, "running"), (None, 900, "stale")],
)
def test_a_run_whose_job_is_not_in_the_queue_is_not_gone_before_it_was_silent(
    home: StudyHome, step: int | None, silent: float, state: str
) -> None:
    """A colleague's jobs are not in it."""
    squeue(home, "")
    job_elsewhere = SchedulerJob(scheduler="slurm", id="77")
    home.tell(job=job_elsewhere, step=step, updated=ago(silent))
    assert trained().state == state


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'slurm_load_jobs error: Unable to contact' >&2; exit 1", "Unable to contact"),
        ("exec /bin/sleep 60", "timed out after 0.5"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_told_and_stops_nothing(
    home: StudyHome, script: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resnet_sizes.status.slurm.PATIENCE", 0.5)
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
