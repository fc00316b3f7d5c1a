"""Seeds of a reading whose features are kept: one process trains them, and their jobs find them."""

import json
from pathlib import Path

import pytest
from workflow_project import Project

from state_dicts import saved, state_of

pytestmark = pytest.mark.slow

STUDY = """\
name: probe
demo: true
dataset: {source: digits, limit: {train: 40, test: 20}}
models: [resnet18]
protocols: [mine]
seeds: [0, 1]
training: {epochs: 2, batch_size: 20, threads: 1}
protocol_definitions:
  mine: {weights: mine.pth, trainable: head, description: {pt: para os testes, en: for tests}}
"""
CONFIG = "config/probe.yaml"
JOB = ("--until", "train")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Two seeds, trained together. Copy it before changing it."""
    project = Project.create(tmp_path_factory.mktemp("together") / "project")
    project.overlay("probe.yaml", STUDY)
    saved(state_of("resnet18", 0.01), project.folder / "mine.pth")
    project.snakemake("--configfile", CONFIG, *JOB)
    return project


@pytest.fixture
def study(trained: Project, tmp_path: Path) -> Project:
    return trained.copy_to(tmp_path / "project")


def metrics_of(project: Project, seed: int):
    path = project.folder / f"results/probe/runs/mine/resnet18/seed-{seed}/metrics.json"
    return json.loads(path.read_text())


def log_of(project: Project, rule: str, seed: int) -> str:
    path = project.folder / f"results/probe/logs/{rule}/mine/resnet18/seed-{seed}.log"
    return path.read_text()


def test_one_job_trains_all_seeds_and_their_own_jobs_take_no_device(trained):
    together = log_of(trained, "train_seeds", 0)
    assert [metrics_of(trained, seed)["feature_cache"]["reused"] for seed in (0, 1)] == [
        False,
        True,
    ]
    for seed in (0, 1):
        assert f"mine/resnet18/seed-{seed}: epoch 2/2" in together
        # No run waits with a device for another's features: when its job begins, it is done.
        own = log_of(trained, "train", seed)
        assert "epoch" not in own
        assert "waiting" not in own
        assert "which stay" in own
    assert trained.planned(*JOB, config=CONFIG) == {}


def test_a_further_seed_trains_alone_what_is_there_stays(study):
    before = [metrics_of(study, seed) for seed in (0, 1)]
    config = study.overlay("more.yaml", STUDY.replace("[0, 1]", "[0, 1, 2]"))
    study.snakemake("--configfile", config, *JOB)
    assert [metrics_of(study, seed) for seed in (0, 1)] == before
    assert metrics_of(study, 2)["feature_cache"]["reused"]
    together = log_of(study, "train_seeds", 0)
    assert "seed-2: epoch 2/2" in together
    assert "seed-0: epoch" not in together
    assert study.planned(*JOB, config=config) == {}


def test_a_deleted_result_is_trained_again_by_its_own_job(study):
    before = metrics_of(study, 1)
    (study.folder / "results/probe/runs/mine/resnet18/seed-1/metrics.json").unlink()
    assert study.planned(*JOB, config=CONFIG) == {"train": 1}
    study.snakemake("--configfile", CONFIG, *JOB)
    after = metrics_of(study, 1)
    assert after["predictions_sha256"] == before["predictions_sha256"]
    assert after["finished"] != before["finished"]


def test_a_single_seed_has_one_job(study):
    config = study.overlay("one.yaml", STUDY.replace("[0, 1]", "[7]"))
    assert study.planned(*JOB, config=config) == {"run": 1, "train": 1}
