"""Fixtures: a fresh copy of the project, and one with a finished study."""

from pathlib import Path

import pytest
from workflow_project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


@pytest.fixture(scope="module")
def finished_tiny_study(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny study, run once from nothing to the report. Copy it before changing it."""
    project = Project.create(tmp_path_factory.mktemp("finished") / "project")
    command = ("snakemake", "--cores", "2", "--resources", "gpu=1")
    project.run(*command, "--configfile", "config/tiny.yaml")
    return project
