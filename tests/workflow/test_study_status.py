"""`resnet-sizes status` from another terminal, while Snakemake works and after it was killed."""

import json
import time
from typing import Any

import pytest
from test_interruption import COMMAND, RUN, STUDY, wait_until
from workflow_project import Project

pytestmark = pytest.mark.slow


def status(project: Project) -> dict[str, Any]:
    done = project.run("resnet-sizes", "status", "results/long/study.json", "--json")
    return json.loads(done.stdout)


def test_a_study_is_followed_while_snakemake_works_and_after_it_was_killed(project: Project):
    project.overlay("long.yaml", STUDY)
    unknown = project.run("resnet-sizes", "status", "config/long.yaml", check=False)
    assert unknown.returncode == 1
    assert "resnet-sizes study write config/long.yaml" in unknown.stdout

    snakemake = project.start(*COMMAND, "--until", "train", log="first.txt")
    try:
        study = project.folder / "results/long/study.json"
        wait_until(study.exists, "the study")
        seen = {}
        until = time.monotonic() + 120
        while not (seen.get("progress") or {}).get("loss"):
            assert time.monotonic() < until, seen
            found = status(project)
            (seen,) = found["runs"]
            assert seen["state"] in ("waiting", "running")
        assert seen["run"] == RUN
        assert found["summary"].startswith("long: 0 of 1 runs done, 1 running")
        assert found["snakemake"] == {
            "state": "running",
            "process": snakemake.pid,
            "note": f"Snakemake is running (process {snakemake.pid}).",
        }
    finally:
        snakemake.kill()
        snakemake.wait()

    def run_has_noticed() -> bool:
        return status(project)["runs"][0]["state"] == "waiting"

    wait_until(run_has_noticed, "the run to stop itself", 60)
    found = status(project)
    (run,) = found["runs"]
    assert "the end of the process that had started it" in run["note"]
    assert run["goes_on_from"]["epoch"] >= 1
    assert found["snakemake"]["state"] == "away"
