"""Snakemake interrupted and killed while it trains: what is said, and that the study goes on."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from workflow_project import TINY, Project

pytestmark = pytest.mark.slow

EPOCHS = 40
STUDY = (
    TINY.replace("name: tiny", "name: long")
    .replace("[resnet18, resnet34]", "[resnet18]")
    .replace("{epochs: 2, batch_size: 50", f"{{epochs: {EPOCHS}, batch_size: 50")
)
OPTIONS = ("--cores", "1", "--configfile", "config/long.yaml")
COMMAND = ("snakemake", "--resources", "gpu=1", *OPTIONS)
RUN = "scratch-32/resnet18/seed-0"


def wait_until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited in vain for: {what}"
        time.sleep(0.05)


@pytest.fixture
def long(project: Project) -> Project:
    project.overlay("long.yaml", STUDY)
    return project


def said(project: Project) -> str:
    log = project.folder / f"results/long/logs/train/{RUN}.log"
    return log.read_text(encoding="utf-8") if log.exists() else ""


def epochs_done(project: Project) -> int:
    return len(re.findall(rf"epoch \d+/{EPOCHS}", said(project)))


def checkpoints(project: Project) -> list[Path]:
    return list((project.folder / "work").glob("*/epoch-*.safetensors"))


def is_refused_beside_another(project: Project) -> None:
    done = project.snakemake(*OPTIONS, "--until", "train", check=False)
    assert done.returncode != 0
    assert "Directory cannot be locked" in done.stdout


def test_a_study_that_is_interrupted_and_then_killed_goes_on_from_its_checkpoints(long):
    first = long.start(*COMMAND, "--until", "train", log="first.txt")
    wait_until(lambda: epochs_done(long) >= 1, "an epoch")
    is_refused_beside_another(long)
    before = epochs_done(long)
    wait_until(lambda: epochs_done(long) > before, "an epoch more")

    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C in a terminal
    assert first.wait(60) != 0
    wait_until(lambda: "stopped by SIGINT in epoch" in said(long), "the run's last word", 30)
    assert "Its checkpoint is written; the same command goes on from there." in said(long)
    assert checkpoints(long)

    second = long.start(*COMMAND, "--until", "train", log="second.txt")
    wait_until(lambda: "goes on in epoch" in said(long), "the run to go on")
    wait_until(lambda: epochs_done(long) >= 1, "an epoch after that")
    second.kill()
    second.wait()
    wait_until(
        lambda: f"the end of the process that had started it ({second.pid})" in said(long),
        "the run's last word",
        30,
    )
    assert checkpoints(long)

    is_refused_beside_another(long)
    long.snakemake(*OPTIONS, "--unlock")
    long.snakemake(*OPTIONS, "--until", "train")
    metrics = json.loads(
        (long.folder / f"results/long/runs/{RUN}/metrics.json").read_text(encoding="utf-8")
    )
    assert metrics["resumed"] == 2
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == list(range(1, EPOCHS + 1))
    assert not checkpoints(long)
