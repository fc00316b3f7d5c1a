"""Initial weights in the workflow: fetched before training, and no reason to train again."""

import os
from pathlib import Path

import pytest
from workflow_project import Project

from state_dicts import saved, state_of

pytestmark = pytest.mark.slow

# A constant network learns nothing; what is run again after which change does not depend on it.
STUDY = """\
name: weighted
dataset: {source: digits, limit: {train: 40, test: 20}}
models: [resnet18]
protocols: [mine, scratch-32]
seeds: [0]
training: {epochs: 1, batch_size: 20, threads: 1}
protocol_definitions:
  mine: {weights: mine.pth, description: {pt: para os testes, en: for the tests}}
  other: {weights: other.pth, description: {pt: para os testes, en: for the tests}}
"""
CONFIG = "config/weighted.yaml"
JOB = ("--until", "train")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A study with and without initial weights, trained. Copy it before changing it."""
    project = Project.create(tmp_path_factory.mktemp("trained") / "project")
    project.overlay("weighted.yaml", STUDY)
    for name, value in (("mine.pth", 0.01), ("other.pth", 0.02)):
        saved(state_of("resnet18", value), project.folder / name)
    project.snakemake("--configfile", CONFIG, *JOB)
    return project


@pytest.fixture
def study(trained: Project, tmp_path: Path) -> Project:
    return trained.copy_to(tmp_path / "project")


def test_a_run_starts_from_the_weights_of_its_protocol_and_has_nothing_to_do_again(study):
    runs = study.folder / "results/weighted/runs"
    assert '"name": "file"' in (runs / "mine/resnet18/seed-0/run.json").read_text()
    assert '"initial_weights": null' in (runs / "scratch-32/resnet18/seed-0/run.json").read_text()
    assert (runs / "mine/resnet18/seed-0/metrics.json").is_file()
    # Their content decides, not their time, nor where they could be fetched from.
    (study.folder / "mine.pth").touch()
    config = study.overlay(
        "mirrors.yaml",
        STUDY + "downloads: {timeout: 7, weights: {mirrors: ['https://mirror.example/']}}\n",
    )
    assert study.planned(*JOB, config=config) == {}


def test_another_protocol_trains_only_its_own_runs(study):
    config = study.overlay("more.yaml", STUDY.replace("[mine,", "[other, mine,"))
    assert study.planned(*JOB, config=config) == {"weights": 1, "run": 1, "train": 1}


def test_changed_weights_train_only_the_runs_that_start_from_them(study):
    saved(state_of("resnet18", 0.03), study.folder / "mine.pth")
    os.utime(study.folder / "mine.pth", (1_000_000_000, 1_000_000_000))  # older in time
    assert study.planned(*JOB, config=CONFIG) == {"weights": 1, "run": 1, "train": 1}


def test_prefetch_reaches_images_and_weights_and_nothing_else(project):
    planned = project.planned("--", "prefetch", config="config/readings.yaml")
    planned.pop("prefetch")
    assert planned == {"fetch": 1, "weights": 3}


def test_weights_of_another_network_stop_before_training(study):
    saved(state_of("resnet34"), study.folder / "mine.pth")
    (log,) = study.folder.glob("results/weighted/runs/mine/**/log.jsonl")
    log.unlink()
    done = study.snakemake("--configfile", CONFIG, *JOB, check=False)
    assert done.returncode != 0
    assert "is not a state dict of resnet18" in done.stdout
    assert not log.exists()


@pytest.mark.parametrize(
    ("overlay", "local"),
    [
        ("{}", True),
        ("training: {compile: auto}", False),
    ],
    ids=["all said", "compile"],
)
def test_the_run_file_is_written_where_the_gpu_is_if_the_device_decides(project, overlay, local):
    snakefile = project.folder / "Snakefile"
    asked = "'run' in workflow._localrules, workflow.get_rule('run').resources['gpu'].value"
    snakefile.write_text(f"{snakefile.read_text(encoding='utf-8')}\nprint('run:', {asked})\n")
    config = project.overlay("device.yaml", overlay)
    output = project.plan("--configfile", "config/tiny.yaml", config).stdout
    assert f"run: {local} {int(not local)}\n" in output
