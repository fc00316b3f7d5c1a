"""Snakemake interrupted and killed while it trains: what is said, what `status` tells of it from
another terminal, and that the study goes on."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from workflow_project import TINY, Project

from child_runs import wait_until

pytestmark = pytest.mark.slow

EPOCHS = 20
STUDY = (
    TINY.replace("name: tiny", "name: long")
    .replace("[resnet18, resnet34]", "[resnet18]")
    .replace("{epochs: 2, batch_size: 50", f"{{epochs: {EPOCHS}, batch_size: 10")
    .replace("{train: 100, test: 50}", "{train: 20, test: 20}")
)
OPTIONS = ("--cores", "1", "--configfile", "config/long.yaml")
COMMAND = ("snakemake", "--resources", "gpu=1", *OPTIONS)
RUN = "scratch-32/resnet18/seed-0"


@pytest.fixture
def long(project: Project) -> Project:
    """A study whose steps wait, so that it lasts and computes little, and which tells of itself."""
    project.overlay("long.yaml", STUDY)
    unknown = project.command("status", "config/long.yaml", check=False)
    assert unknown.returncode == 1
    assert "resnet-sizes study write config/long.yaml" in unknown.stdout
    project.snakemake(*OPTIONS, "--until", "run")
    drawn = "        drawn = self._inputs.draw("
    waits = f"        __import__('time').sleep(0.2)\n{drawn}"
    progress = "src/resnet_sizes/training/supervision/progress.py"
    project.edit(progress, "\nWRITE_EVERY = 1.0", "\nWRITE_EVERY = 0.2")
    project.edit("src/resnet_sizes/training/engine/loop.py", drawn, waits)
    return project


def said(project: Project) -> str:
    log = project.folder / f"results/long/logs/train/{RUN}.log"
    return log.read_text(encoding="utf-8") if log.exists() else ""


def epochs_done(project: Project) -> int:
    return len(re.findall(rf"epoch \d+/{EPOCHS}", said(project)))


def checkpoints(project: Project) -> list[Path]:
    return list((project.folder / "work").glob("*/epoch-*.safetensors"))


def status(project: Project) -> dict[str, Any]:
    done = project.command("status", "results/long/study.json", "--json")
    return json.loads(done.stdout)


def test_a_study_that_is_interrupted_and_then_killed_goes_on_from_its_checkpoints(long):
    first = long.start(*COMMAND, "--until", "train", log="first.txt")
    wait_until(lambda: epochs_done(long) >= 1, 240)
    wait_until(lambda: (status(long)["runs"][0]["progress"] or {}).get("loss"))
    found = status(long)
    (run,) = found["runs"]
    assert (run["run"], run["state"]) == (RUN, "running")
    assert found["summary"].startswith("long: 0 of 1 runs done, 1 running")
    assert found["snakemake"] == {
        "state": "running",
        "process": first.pid,
        "note": f"Snakemake is running (process {first.pid}).",
    }

    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C in a terminal
    assert first.wait(120) != 0
    wait_until(lambda: "stopped by SIGINT in epoch" in said(long))
    assert "Its checkpoint is written; the same command goes on from there." in said(long)
    assert checkpoints(long)

    second = long.start(*COMMAND, "--until", "train", log="second.txt")
    wait_until(lambda: "goes on in epoch" in said(long) and epochs_done(long) >= 1, 240)
    second.kill()
    second.wait()
    ended = f"the end of the process that had started it ({second.pid})"
    wait_until(lambda: ended in said(long))
    assert checkpoints(long)
    wait_until(lambda: status(long)["runs"][0]["state"] == "waiting")
    found = status(long)
    (run,) = found["runs"]
    assert "the end of the process that had started it" in run["note"]
    assert run["goes_on_from"]["epoch"] >= 1
    assert found["snakemake"]["state"] == "away"

    # As beside one that is at work.
    refused = long.snakemake(*OPTIONS, "--until", "train", check=False)
    assert refused.returncode != 0
    assert "Directory cannot be locked" in refused.stdout
    long.snakemake(*OPTIONS, "--unlock")
    long.snakemake(*OPTIONS, "--until", "train")
    metrics = json.loads(
        (long.folder / f"results/long/runs/{RUN}/metrics.json").read_text(encoding="utf-8")
    )
    assert metrics["resumed"] == 2
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == list(range(1, EPOCHS + 1))
    assert not checkpoints(long)
