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

STUDY = (
    TINY.replace("name: tiny", "name: long")
    .replace("[resnet18, resnet34]", "[resnet18]")
    .replace("{epochs: 2, batch_size: 50", "{epochs: 60, batch_size: 50")
)
COMMAND = ("snakemake", "--cores", "1", "--resources", "gpu=1", "--configfile", "config/long.yaml")
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
    return len(re.findall(r"epoch \d+/60", said(project)))


def checkpoints(project: Project) -> list[Path]:
    return list((project.folder / "work").glob("*/epoch-*.safetensors"))


def test_a_study_that_is_interrupted_and_then_killed_goes_on_from_its_checkpoints(long):
    first = long.start(*COMMAND, "--until", "train", log="first.txt")
    wait_until(lambda: epochs_done(long) >= 3, "three epochs")
    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C in a terminal
    assert first.wait(60) != 0
    wait_until(lambda: "stopped by SIGINT in epoch" in said(long), "the run's last word", 30)
    assert "Its checkpoint is written; the same command goes on from there." in said(long)
    assert checkpoints(long)

    second = long.start(*COMMAND, "--until", "train", log="second.txt")
    wait_until(lambda: "goes on in epoch" in said(long), "the run to go on")
    wait_until(lambda: epochs_done(long) >= 3, "three epochs more")
    second.kill()
    second.wait()
    wait_until(
        lambda: f"the end of the process that had started it ({second.pid})" in said(long),
        "the run's last word",
        30,
    )
    assert checkpoints(long)

    third = long.run(*COMMAND, "--until", "train", check=False)
    assert third.returncode != 0
    assert "Directory cannot be locked" in third.stdout
    long.run(*COMMAND, "--unlock")
    long.run(*COMMAND, "--until", "train")
    metrics = json.loads(
        (long.folder / f"results/long/runs/{RUN}/metrics.json").read_text(encoding="utf-8")
    )
    assert metrics["resumed"] == 2
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == list(range(1, 61))
    assert not checkpoints(long)


def test_a_second_snakemake_on_one_study_is_refused_and_the_first_goes_on(long):
    first = long.start(*COMMAND, "--until", "train", log="first.txt")
    wait_until(lambda: epochs_done(long) >= 1, "an epoch")
    second = long.run(*COMMAND, "--until", "train", check=False)
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout
    before = epochs_done(long)
    wait_until(lambda: epochs_done(long) > before, "an epoch more")
    os.killpg(first.pid, signal.SIGTERM)
    first.wait(60)


def test_a_clock_that_is_put_back_costs_no_result(project: Project) -> None:
    one = project.overlay("one.yaml", TINY.replace("[resnet18, resnet34]", "[resnet18]"))
    config = ("--configfile", one)
    project.snakemake(*config, "--until", "run")
    made_before = [
        *project.folder.glob("results/tiny/**/*.json"),
        *project.folder.glob("results/tiny/data/*"),
    ]
    an_hour_on = time.time() + 3600
    for path in made_before:
        os.utime(path, (an_hour_on, an_hour_on))
    project.snakemake(*config, "--until", "evidence")
    assert set(project.planned(config=one)) == {"report"}
