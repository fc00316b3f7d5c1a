"""What a training asks a scheduler or this machine for, with a forecast and without one."""

import json
import re
import shutil
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


def limits(project: Project) -> dict[str, int]:
    """By model the time limit of its training, as a dry run has it."""
    output = project.plan("-p", "--until", "train", "--configfile", "config/tiny.yaml").stdout
    found = re.findall(r"train/scratch-32/(\w+)/seed-0.*--time-limit (\d+)", output)
    return {model: int(minutes) for model, minutes in found}


def test_time_is_that_of_the_forecast_with_a_factor_and_within_bounds(project: Project) -> None:
    models = ["resnet18", "resnet34", "resnet50", "resnet101"]
    project.edit("config/tiny.yaml", "[resnet18, resnet34]", f"[{', '.join(models)}]")
    write_forecast(project, {"resnet18": 60, "resnet34": 3600, "resnet50": 100_000}, "cuda", 70)
    assert limits(project) == dict(zip(models, (30, 135, 720, 720), strict=True))

    # That forecast is of another study then.
    project.edit("config/tiny.yaml", "epochs: 2", "epochs: 3")
    assert limits(project) == dict.fromkeys(models, 720)


def test_a_damaged_forecast_is_named(project: Project) -> None:
    write_forecast(project, 60, "cuda", 1)
    path = project.folder / "results/tiny/forecast.json"
    path.write_text(json.dumps({"schema_version": 1}), encoding="utf-8")
    done = project.plan("--configfile", "config/tiny.yaml", check=False)
    assert done.returncode != 0
    assert "results/tiny/forecast.json: is not a valid Forecast" in done.stdout
    assert "resnet-sizes forecast" in done.stdout


def test_a_scheduler_is_asked_for_time_memory_a_gpu_and_cores_whatever_this_machine_has(
    project: Project,
) -> None:
    profile = project.folder / "profiles/cluster-generic/config.yaml"
    settings = yaml.safe_load(profile.read_text(encoding="utf-8"))
    # A scheduler that writes down what it is asked for and refuses.
    wanted = "{resources.runtime} {resources.mem_mb} {resources.gpu} {threads}"
    settings["cluster-generic-submit-cmd"] = f"echo {wanted} >>asked.txt; false"
    profile.write_text(yaml.safe_dump(settings | {"retries": 0}), encoding="utf-8")
    asked = project.folder / "asked.txt"

    def lines() -> list[str]:
        asked.unlink(missing_ok=True)
        quick = ("--seconds-between-status-checks", "1", "--until", "train")
        command = ("--workflow-profile", "profiles/cluster-generic", *quick)
        overlay = ("--configfile", "config/tiny.yaml")
        assert project.snakemake(*command, *overlay, check=False, options=()).returncode == 1
        return sorted(asked.read_text(encoding="utf-8").splitlines())

    project.edit("config/tiny.yaml", "resnet34]", "resnet34, resnet50]")
    peaks = {"resnet18": 1.0, "resnet34": 20.0, "resnet50": 70.0}
    write_forecast(project, 60, "cpu", peaks)
    assert lines() == ["30 30000 1 1", "30 64000 1 1", "30 8000 1 1"]
    # A GPU has its own memory; the cores of this machine are not those of a cluster's.
    project.edit("config/tiny.yaml", "threads: 1", "threads: auto")
    write_forecast(project, 60, "cuda", peaks)
    assert lines() == ["30 8000 1 4"] * 3


SLURM = """#!/bin/bash
[ "${0##*/}" = sacctmgr ] && { echo my-project; exit; }
printf '%s\\n' "$@" >>"$ASKED"
echo "sbatch: error: not today" >&2
exit 1
"""


def test_what_a_site_writes_at_the_top_of_a_copied_profile_reaches_sbatch(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tools := project.folder / "tools").mkdir()
    for name in ("sbatch", "sacctmgr"):
        (tools / name).write_text(SLURM, encoding="utf-8")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    monkeypatch.setenv("ASKED", str(project.folder / "asked.txt"))
    profile = project.folder / "profiles/local/config.yaml"
    shutil.copytree(project.folder / "profiles/slurm", profile.parent)
    top, rest = profile.read_text(encoding="utf-8").split("# -----", 1)
    key = r"^( *)# ?( *(?:[a-z_]+|train|set-resources|set-threads):(?: |$).*)$"
    top = re.sub(key, r"\1\2", re.sub("# (gpu_model|software)", r"##\1", top), flags=re.MULTILINE)
    profile.write_text(top + "# -----" + rest.replace("retries: 3", "retries: 0"), encoding="utf-8")

    overlay = ("--until", "train", "--configfile", "config/tiny.yaml")
    quick = ("--jobs", "1", "--slurm-init-seconds-before-status-checks", "1")
    options = ("--workflow-profile", "profiles/local", *quick)
    done = project.snakemake(*options, *overlay, check=False, options=())
    assert "not today" in done.stdout
    asked = (project.folder / "asked.txt").read_text(encoding="utf-8")
    for option in (
        "-p\ngpu", "-A\nmy-project", "--qos=normal", "-C\na100|h100", "--gres=gpu:a100:1",
        "--mail-type=END\n--exclude=node7", "-t\n240", "--mem\n16000", "--cpus-per-task=8",
    ):  # fmt: skip
        assert f"{option}\n" in asked, asked
    assert "--gpus" not in asked


@pytest.mark.parametrize(("profile", "config"), [("slurm", "config"), ("cluster-generic", "demo")])
def test_the_shipped_studies_are_planned_under_the_shipped_profiles(
    project: Project, profile: str, config: str
) -> None:
    options = ("--workflow-profile", f"profiles/{profile}", "--configfile", f"config/{config}.yaml")
    assert "Job stats" in project.plan(*options).stdout


def test_cores_of_this_machine_are_shared_among_its_slots(project: Project) -> None:
    project.edit("config/tiny.yaml", "threads: 1", "threads: auto")
    options = ("--cores", "6", "--resources", "gpu=2", "--configfile", "config/tiny.yaml")
    project.snakemake(RUN, *options, options=())
    metrics = json.loads((project.folder / RUN).read_text(encoding="utf-8"))
    assert metrics["device"]["threads"] == 3
