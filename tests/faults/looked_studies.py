"""A small study in the working directory, and what `resnet-sizes status` says of it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.schemas.operations import RunStatus, StudyStatus
from study_homes import OTHER, TRAINED, StudyHome

LOG = StudyHome.log


@pytest.fixture(scope="module")
def done(folder: Path) -> StudyHome:
    """A study whose first run is done."""
    home = StudyHome(folder / "done")
    train(home)
    return home


@pytest.fixture
def home(
    done: StudyHome, folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> StudyHome:
    """The same, not begun, as the working directory and without a scheduler."""
    copied = done.not_begun(folder / re.sub(r"\W", "-", request.node.name))
    assert isinstance(copied, StudyHome)
    (copied.folder / LOG).unlink()
    without_scheduler = copied.folder / "bin"
    without_scheduler.mkdir()
    monkeypatch.setenv("PATH", str(without_scheduler))
    monkeypatch.chdir(copied.folder)
    return copied


@pytest.fixture
def snakemake(home: StudyHome) -> Iterator["subprocess.Popen[bytes]"]:
    """A process by that name in the study's working directory."""
    script = home.folder / "snakemake"
    script.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    process = subprocess.Popen([sys.executable, str(script)], cwd=home.folder)
    yield process
    process.kill()
    process.wait()


def train(home: StudyHome) -> None:
    """Let the run come to its end."""
    process = home.fork(log=LOG)
    process.join()
    assert process.exitcode == 0, home.said(LOG)


def shown(*options: str, study: str = "results/tiny/study.json") -> str:
    """What the command prints for people."""
    made = CliRunner().invoke(app, ["status", study, *options])
    assert made.exit_code == 0, made.output
    return made.output


def looked(study: str = "results/tiny/study.json") -> StudyStatus:
    """What it prints for machines."""
    return StudyStatus.model_validate_json(shown("--json", study=study))


def ago(seconds: float) -> str:
    """A moment as the records hold it."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def squeue(home: StudyHome, script: str) -> None:
    """Have a pretend `squeue` run this script."""
    path = home.folder / "bin" / "squeue"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def job(folder: Path, state: str, name: str, comment: str) -> str:
    """A script that prints one job, 77, as `squeue` does."""
    line = "\t".join(["77", "77", state, "Priority", name, comment, str(folder)])
    return f"echo '{line}'"


def trained() -> RunStatus:
    """The state of the first run; the other one waits."""
    first, second = looked().runs
    assert (first.run, second.run) == (TRAINED, OTHER)
    assert second.state == "waiting"
    return first
