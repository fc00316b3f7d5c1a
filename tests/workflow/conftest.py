"""Fixtures: a fresh copy of the project, and one with a finished study."""

from pathlib import Path

import pytest
from workflow_project import TINY, Project

from made_once import made_once


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_tiny_study() -> Project:
    """The tiny study, run once from nothing to the report. Copy it before changing it."""

    def make(folder: Path) -> None:
        project = Project.create(folder / "project")
        project.snakemake("--configfile", "config/tiny.yaml")

    return Project(made_once(["finished tiny study", TINY], make) / "project")
