"""`resnet-sizes status` of runs whose jobs ended before the run could say a word."""

import os
import re
import time
from pathlib import Path

import pytest
from looked_studies import LOG, done, home, shown, squeue, train, trained

from resnet_sizes.schemas.run.progress import SchedulerJob
from study_homes import TRAINED, StudyHome

__all__ = ["done", "home"]

SLURM = ".snakemake/slurm_logs/rule_train/scratch-32_resnet18_0/{}.log"
OTHER = ".snakemake/cluster_logs/train.scratch-32.resnet18.0.{}.log"

NO_COMMAND = "/usr/bin/bash: line 1: exec: resnet-sizes: not found"

BEGINS = f"""\
SNAKEMAKE
=========
  Command: snakemake --show-failed-logs --wait-for-files results/tiny/runs/{TRAINED}/run.json

Select jobs to execute...
[Sat Nov 28 05:16:54 2026]
Job 0: Training resnet18 under scratch-32, seed 0
Reason: Forced execution
"""

ENDS = f"""\
RuleException:
CalledProcessError in file "workflow/rules/train.smk", line 38:
[Sat Nov 28 05:16:55 2026]
Error in rule train:
    output: results/tiny/runs/{TRAINED}/metrics.json
    log: {LOG} (check log file(s) for error details)
WorkflowError:
At least one job did not complete successfully.
"""

SUCCEEDS = f"""\
{TRAINED}: done, test accuracy 0.8600 after 45.2 s of training
[Sat Nov 28 05:17:46 2026]
Finished jobid: 0 (Rule: train)
1 of 1 steps (100%) done
"""

STOPPED = f"{TRAINED}: stopped by its time limit in epoch 2 after step 3."

CANCELLED = "slurmstepd-node: error: *** JOB 77 ON node CANCELLED AT 2026-11-28T05:15:35 ***\n"


def write(home: StudyHome, text: str, number: int = 77, name: str = SLURM, old: float = 0) -> Path:
    """A job's log, so many seconds old; the run was planned an hour before that."""
    path = home.folder / name.format(number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    moment = time.time() - old
    os.utime(path, (moment, moment))
    os.utime(home.files.run, (moment - 3600, moment - 3600))
    return path


@pytest.mark.parametrize("name", [SLURM, OTHER])
@pytest.mark.parametrize("answers", [True, False])
def test_a_job_that_ends_before_the_run_speaks_has_failed_and_says_why(
    home: StudyHome, name: str, answers: bool
) -> None:
    if answers:
        squeue(home, "")
    path = write(home, "bash: resnet-sizes: command not found\n", name=name)
    run = trained()
    assert run.state == "failed"
    assert run.note == "its job 77 ended before the run could report"
    assert run.last_lines == ["bash: resnet-sizes: command not found"]
    assert run.scheduler_log == str(path)
    assert f"log: {path}" in shown()


def test_the_cause_is_shown_and_not_what_snakemake_says_after_it(home: StudyHome) -> None:
    slurm = "slurmstepd-node: error: Detected 1 oom_kill event in StepId=77.batch."
    write(home, f"{BEGINS}{NO_COMMAND}\n{ENDS}{slurm}\n")
    assert trained().last_lines[-2:] == [NO_COMMAND, slurm]
    assert "RuleException" not in "\n".join(trained().last_lines)


def test_a_log_from_before_the_run_was_planned_tells_nothing_of_it(home: StudyHome) -> None:
    write(home, NO_COMMAND, old=60)
    os.utime(home.files.run)
    assert trained().state == "waiting"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("77", f"{BEGINS}{STOPPED}\n{ENDS}"),
        ("77", f"{BEGINS}{ENDS}"),  # known by its number
        (None, f"{BEGINS}{STOPPED}\n{ENDS}"),  # where the scheduler tells none, by its words
        (None, f"{BEGINS}stopped by SIGTERM; the same command goes on\n{ENDS}"),
    ],
)
def test_the_log_of_an_attempt_that_stopped_itself_is_no_failure(
    home: StudyHome, number: str | None, text: str
) -> None:
    squeue(home, "")
    own = SchedulerJob(scheduler="slurm", id=number) if number else None
    home.tell(ended="stopped", message=STOPPED, job=own)
    write(home, text, old=-2)
    run = trained()
    assert run.state == "waiting"
    assert run.note == "stopped by its time limit"
    path = write(home, NO_COMMAND, number=78, old=-4)
    run = trained()
    assert (run.state, run.last_lines) == ("failed", [NO_COMMAND])
    assert run.scheduler_log == str(path)


def test_what_a_job_says_that_dies_goes_before_the_failure_of_an_earlier_one(
    home: StudyHome,
) -> None:
    home.tell(ended="failed", message="the loss is nan")
    assert trained().last_lines == ["the loss is nan"]
    earlier = f"Logfile {LOG}:\n2026-11-28 05:16:55 {TRAINED}: epoch 1/4\n"
    write(home, f"{BEGINS}{earlier}{NO_COMMAND}\n{ENDS}", old=-2)
    assert trained().last_lines[-1] == NO_COMMAND


@pytest.mark.parametrize("text", [f"{BEGINS}{SUCCEEDS}", f"{BEGINS}{CANCELLED}"])
def test_a_job_that_succeeded_or_was_cancelled_has_not_failed(home: StudyHome, text: str) -> None:
    squeue(home, "")
    write(home, text, old=60)
    assert trained().state == "waiting"


def test_a_job_that_may_have_begun_since_the_queue_was_asked_has_not_failed_yet(
    home: StudyHome,
) -> None:
    write(home, BEGINS, old=60)  # without a scheduler that answers
    assert trained().state == "waiting"
    squeue(home, "")
    assert trained().state == "failed"
    write(home, BEGINS, old=3)
    assert trained().state == "waiting"


def test_a_job_of_an_equal_run_of_another_study_is_not_ours(home: StudyHome) -> None:
    write(home, f"{BEGINS}{NO_COMMAND}\n{ENDS}".replace("results/tiny/", "results/twin/"))
    assert trained().state == "waiting"
    assert re.search(r"waiting\s*$", shown(), re.MULTILINE)


def test_a_finished_run_stays_done_and_a_repeated_one_may_fail(home: StudyHome) -> None:
    train(home)
    write(home, NO_COMMAND, old=-2)
    assert trained().state == "done"
    home.files.metrics.unlink()
    assert trained().state == "failed"


def test_a_run_that_is_to_be_trained_again_may_fail(home: StudyHome) -> None:
    train(home)
    home.run = home.run.model_copy(update={"dataset_identity": "1" * 64})
    home.write_run()
    assert trained().state == "outdated"
    write(home, NO_COMMAND, old=-2)
    assert trained().state == "failed"
