"""What a training asks a scheduler or this machine for, with a forecast and without one."""

import json
import re
from pathlib import Path

import pytest
import yaml
from made_forecasts import write_forecast
from workflow_project import Project

RUN = "results/tiny/runs/scratch-32/resnet18/seed-0/metrics.json"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The tiny study, ready to be trained."""
    project = Project.create(tmp_path_factory.mktemp("prepared") / "project")
    project.snakemake("--until", "run", "--configfile", "config/tiny.yaml")
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    return prepared.copy_to(tmp_path / "project")


def minutes_asked(project: Project) -> int:
    """The time limit of one training, as a dry run has it."""
    output = project.plan(
        RUN, "--forcerun", "train", "--printshellcmds", "--configfile", "config/tiny.yaml"
    ).stdout
    found = re.search(r"--time-limit (\d+)", output)
    assert found, output
    return int(found[1])


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(60, 30), (3600, 135), (100_000, 720)], ids=["short", "some", "long"]
)
def test_time_is_that_of_the_forecast_with_a_factor_and_within_bounds(
    project: Project, seconds: float, minutes: int
) -> None:
    write_forecast(project, seconds, "cuda", 70)
    assert minutes_asked(project) == minutes


def test_without_a_forecast_and_with_one_of_another_study_it_is_half_a_day(
    project: Project,
) -> None:
    assert minutes_asked(project) == 720
    write_forecast(project, 60, "cuda", 1)
    project.edit("config/tiny.yaml", "epochs: 2", "epochs: 3")
    assert minutes_asked(project) == 720


def test_a_damaged_forecast_is_named(project: Project) -> None:
    write_forecast(project, 60, "cuda", 1)
    path = project.folder / "results/tiny/forecast.json"
    path.write_text(json.dumps({"schema_version": 1}), encoding="utf-8")
    done = project.plan("--configfile", "config/tiny.yaml", check=False)
    assert done.returncode != 0
    assert "results/tiny/forecast.json: is not a valid Forecast" in done.stdout
    assert "resnet-sizes forecast" in done.stdout


@pytest.mark.parametrize(
    ("kind", "peak_gb", "megabytes"),
    [("cpu", 1, 8000), ("cpu", 20, 30_000), ("cuda", 70, 8000)],
    ids=["small", "large", "of a GPU, which has its own"],
)
def test_memory_is_that_of_a_forecast_made_on_a_cpu(
    project: Project, kind: str, peak_gb: float, megabytes: int
) -> None:
    write_forecast(project, 60, kind, peak_gb)
    # A scheduler that writes down what it is asked for and refuses.
    submit = "echo {resources.runtime} {resources.mem_mb} {resources.gpu} >>asked.txt; false"
    options = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", submit]
    options += ["--seconds-between-status-checks", "1"]
    project.snakemake("--jobs", "1", *options, RUN, "--configfile", "config/tiny.yaml", check=False)
    assert (project.folder / "asked.txt").read_text() == f"30 {megabytes} 1\n"


@pytest.mark.parametrize(("said", "cores"), [("threads: 1", 1), ("threads: auto", 4)])
def test_cores_are_those_of_the_study_or_four_whatever_this_machine_has(
    project: Project, said: str, cores: int
) -> None:
    project.edit("config/tiny.yaml", "threads: 1", said)
    profile = project.folder / "profiles/cluster-generic/config.yaml"
    settings = yaml.safe_load(profile.read_text(encoding="utf-8"))
    settings["cluster-generic-submit-cmd"] = "echo {threads} {resources.gpu} >>asked.txt; false"
    profile.write_text(yaml.safe_dump(settings | {"retries": 0}), encoding="utf-8")
    quick = ("--seconds-between-status-checks", "1", "--until", "train")
    command = ("snakemake", "--workflow-profile", "profiles/cluster-generic", *quick)
    assert project.run(*command, "--configfile", "config/tiny.yaml", check=False).returncode == 1
    assert (project.folder / "asked.txt").read_text() == f"{cores} 1\n" * 2


@pytest.mark.parametrize("config", ["config", "demo"])
@pytest.mark.parametrize("profile", ["slurm", "cluster-generic"])
def test_the_shipped_studies_are_planned_under_the_shipped_profiles(
    project: Project, profile: str, config: str
) -> None:
    options = ("--workflow-profile", f"profiles/{profile}", "--configfile", f"config/{config}.yaml")
    assert "Job stats" in project.plan(*options).stdout


def test_cores_of_this_machine_are_shared_among_its_slots(project: Project) -> None:
    project.edit("config/tiny.yaml", "threads: 1", "threads: auto")
    options = ("--cores", "6", "--resources", "gpu=2", "--configfile", "config/tiny.yaml")
    project.run("snakemake", RUN, *options)
    metrics = json.loads((project.folder / RUN).read_text(encoding="utf-8"))
    assert metrics["device"]["threads"] == 3
