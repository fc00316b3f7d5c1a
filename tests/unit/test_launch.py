"""What a workflow tells its runs by their environment."""

import ast
import os
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resnet_sizes.training.supervision.launch import (
    JOB_ENDS,
    PARENT,
    SCHEDULED,
    announce,
    announced_parent,
    process_age,
    scheduled_since,
)
from resnet_sizes.training.supervision.stopping import StopRequest


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (PARENT, SCHEDULED, JOB_ENDS):
        monkeypatch.setenv(name, "")  # so that it is put back


def test_a_run_finds_the_process_that_started_it() -> None:
    announce(scheduled=False)
    assert announced_parent() == os.getpid()
    assert SCHEDULED not in os.environ


@pytest.mark.parametrize(
    "named", ["", "12", f"{socket.gethostname()}:", "another-machine:12", "a:b:c"]
)
def test_what_names_no_process_of_this_machine_names_none(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PARENT, named)
    assert announced_parent() is None


RULES = Path(__file__).parents[2] / "workflow/rules/train.smk"


def shell_of_the_rule(**values: Any) -> str:
    """The shell command of the rule `train`, with its wildcards filled in as Snakemake does."""
    rule, _, _ = RULES.read_text(encoding="utf-8").partition("\n\n\n")
    shell = rule.split("    shell:\n", 1)[1]
    command = ast.literal_eval(f"({shell})")  # strings side by side, and comments
    return str(command).format(
        **{
            name: of if isinstance(of, str) else SimpleNamespace(**of)
            for name, of in values.items()
        }
    )


@pytest.mark.parametrize(("scheduled", "limit"), [(True, ["--time-limit", "720"]), (False, [])])
def test_only_a_scheduler_s_job_gets_a_time_limit_from_the_rule(
    scheduled: bool, limit: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "resnet-sizes"
    command.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    announce(scheduled)
    script = shell_of_the_rule(
        log="run.log",
        input={"run": "run.json", "dataset": "dataset.safetensors"},
        params={"device": "auto", "weights": "--weights weights.json"},
        resources={"checkpoint_minutes": "10", "watchdog_minutes": "30", "runtime": 720}
        | {"keep_weights": "--keep-weights"},
    )
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail; {script}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        *("--log", "run.log", "train", "run.json", "--dataset", "dataset.safetensors"),
        *("--device", "auto", "--weights", "weights.json"),
        *("--checkpoint-minutes", "10", "--watchdog-minutes", "30", "--keep-weights", *limit),
    ]


def test_a_job_begins_with_the_first_workflow_in_it() -> None:
    announce(scheduled=True)
    first = scheduled_since()
    assert first is not None
    assert abs(time.time() - process_age() - first) < 5
    os.environ[SCHEDULED] = str(first - 100)  # as if the step within the job came later
    announce(scheduled=True)
    assert scheduled_since() == first - 100
    announce(scheduled=False)
    assert scheduled_since() is None


@pytest.mark.parametrize(("minutes_ago", "stops"), [(0, False), (40, True)])
def test_a_time_limit_counts_from_the_beginning_of_the_job(minutes_ago: int, stops: bool) -> None:
    # This process is much younger than the job may be.
    os.environ[SCHEDULED] = str(int(time.time()) - minutes_ago * 60)
    reason = StopRequest(time_limit=40 * 60).reason()
    assert (reason is not None) == stops


@pytest.mark.parametrize(
    ("seconds_left", "time_limit", "stops"),
    [
        (3600, None, False),
        (90, None, True),
        (3600, 7200, False),
        (90, 7200, True),  # whichever ends first
        (3600, 90, True),
        (-60, None, False),  # of a job that is over, in whose environment a terminal lives on
    ],
)
def test_the_end_that_the_scheduler_tells_is_a_time_limit(
    seconds_left: int, time_limit: float | None, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(JOB_ENDS, str(int(time.time()) + seconds_left))
    stop = StopRequest(time_limit and time_limit + process_age())
    stop.margin = 100
    assert (stop.reason() == ("its time limit", 75)) is stops
