"""Jobs in a container go through apptainer, for which a stand-in writes down what it ran."""

import re
from pathlib import Path

import pytest
from workflow_project import Project

# apptainer exec --home FOLDER OPTIONS IMAGE SHELL -c COMMAND
STAND_IN = """#!/bin/bash
[ "$1" = --version ] && { echo "apptainer version 1.4.2"; exit; }
echo "$*" | head -n 1 >>"$CALLS"
exec "${@: -3:1}" "${@: -2:2}"
"""

IMAGE = "resnet-sizes.sif"


@pytest.fixture
def calls(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file to which the stand-in, which is on the PATH, writes."""
    tools = project.folder / "tools"
    tools.mkdir()
    (tools / "apptainer").write_text(STAND_IN, encoding="utf-8")
    (tools / "apptainer").chmod(0o755)
    calls = project.folder / "calls"
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("CALLS", str(calls))
    return calls


def test_with_apptainer_each_job_runs_in_the_image(project: Project, calls: Path) -> None:
    (project.folder / IMAGE).touch()
    in_container = ("--sdm", "apptainer", "--apptainer-args=--nv", "--until", "dataset")
    project.snakemake(*in_container, "--configfile", "config/tiny.yaml")
    ran = calls.read_text(encoding="utf-8").splitlines()
    assert len(ran) == 1
    assert re.search(rf"exec --home \S+ --nv .*{IMAGE} .*resnet-sizes .*data ", ran[0])
    assert project.planned(*in_container) == {}


def test_without_the_image_nothing_is_planned(project: Project, calls: Path) -> None:
    said = project.plan("--sdm", "apptainer", "--configfile", "config/tiny.yaml", check=False)
    assert said.returncode != 0
    assert f"{IMAGE}: no such file" in said.stdout
    assert "docs/containers.md" in said.stdout
    assert not calls.exists()


@pytest.mark.parametrize("profile", ["default", "slurm", "cluster-generic"])
def test_a_study_may_move_into_a_container_and_keep_its_runs(
    project: Project, calls: Path, profile: str
) -> None:
    (project.folder / IMAGE).touch()
    project.snakemake("--until", "dataset", "--configfile", "config/tiny.yaml")
    under = ("--workflow-profile", f"profiles/{profile}", "--until", "dataset")
    assert project.planned(*under, "--sdm", "apptainer") == {}
