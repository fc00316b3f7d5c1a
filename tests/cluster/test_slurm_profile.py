"""Studies through profiles/slurm on a real Slurm with two pretend GPUs."""

import json
import math
import os
import re
import time
from dataclasses import dataclass, field
from itertools import combinations

import pytest
import torch
from cluster_project import MEMORY, QUICK_SLURM, ClusterProject, wait_until
from slurm_cluster import Cluster, Job
from torchvision.models import get_model

pytestmark = pytest.mark.cluster

PROFILE = ("snakemake", "--workflow-profile", "profiles/slurm", *QUICK_SLURM)
RUNS = [f"scratch-32/{model}/seed-0" for model in ("resnet18", "resnet34")]

MORE_THAN_A_JOB = 60.0
"""Seconds of training of the larger network: Slurm's smallest time limit is a minute."""


def epochs_of(seconds: float) -> int:
    """How many epochs of two steps take so long on this machine as it is now."""
    network, images = get_model("resnet34", num_classes=10), torch.rand(50, 3, 32, 32)
    times = []
    for _ in range(4):
        began = time.perf_counter()
        network(images).sum().backward()
        times.append(time.perf_counter() - began)
    return math.ceil(seconds / (2.3 * min(times)))  # with an evaluation, a third of a step


@pytest.fixture(scope="module")
def project(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> ClusterProject:
    return ClusterProject.on(cluster, tmp_path_factory.mktemp("slurm") / "project")


@dataclass
class Story:
    """What was seen of a study while it ran."""

    project: ClusterProject
    devices: dict[int, str] = field(default_factory=dict)
    """Of each job, where Slurm put it."""
    asked: dict[int, str] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    """Of each job, its name and its comment."""
    jobs: list[Job] = field(default_factory=list)
    """All that ran, as Slurm recorded them."""
    output: str = ""

    def look(self) -> int:
        """Note what runs now; say how many jobs do."""
        cluster = self.project.cluster
        queue = cluster.queue()
        running = [number for number, (state, _) in queue.items() if state == "RUNNING"]
        self.texts |= {number: text for number, (_, text) in queue.items()}
        for number in running:
            if not self.devices.get(number):
                self.devices[number] = cluster.device(number)
                self.asked[number] = cluster.asked(number)
        return len(running)


@pytest.fixture(scope="module")
def story(project: ClusterProject) -> Story:
    """Two depths from nothing to the report, in jobs of a minute; the controller is restarted
    while both run."""
    told, log = Story(project), "hours.txt"
    overlay = project.study("hours", "[resnet18, resnet34]", epochs=epochs_of(MORE_THAN_A_JOB))
    options = ("--retries", "9", "--set-resources", MEMORY, "train:runtime=1")
    with project.under_way(*PROFILE, *options, "--configfile", overlay, log=log) as snakemake:
        wait_until(lambda: told.look() == 2, "both runs at once")
        project.cluster.restart_controller()
        until = time.monotonic() + 600
        while snakemake.poll() is None and time.monotonic() < until:
            told.look()
            time.sleep(1)
    told.output = project.said(log)
    assert snakemake.returncode == 0, told.output
    ended = project.cluster.ended()
    told.jobs = [ended[number] for number in project.submitted(log)]
    return told


def test_a_study_runs_from_nothing_to_the_report(story: Story) -> None:
    report = story.project.folder / "results/hours/report/en"
    assert (report / "report.html").is_file()
    assert json.loads((report / "report.json").read_text(encoding="utf-8"))
    # Light rules ran where Snakemake runs: nothing but trainings was submitted.
    assert {text.split()[1].split("_wildcards")[0] for text in story.texts.values()} == {
        "rule_train"
    }
    assert all(text.startswith("rs_") for text in story.texts.values())


def test_each_job_held_one_gpu_which_no_other_had_at_the_time(story: Story) -> None:
    assert len(story.jobs) >= 3
    assert {job.partition for job in story.jobs} == {"gpu"}
    for job in story.jobs:
        assert story.asked[job.number] == "gres:gpu:1"
        assert re.fullmatch(r"IDX:[01]", story.devices[job.number])
    for one, other in combinations(story.jobs, 2):
        if story.devices[one.number] == story.devices[other.number]:
            assert not one.overlaps(other), (one, other)


def test_two_gpus_train_two_depths_at_once(story: Story) -> None:
    first, second = story.jobs[:2]
    assert first.overlaps(second)
    assert story.devices[first.number] != story.devices[second.number]
    assert {story.texts[job.number].split("_")[-2] for job in (first, second)} == {
        "resnet18",
        "resnet34",
    }


def test_a_time_limit_leads_to_the_result_of_an_uninterrupted_run(story: Story) -> None:
    project = story.project
    stopped = [run for run in RUNS if project.metrics("hours", run)["resumed"]]
    assert stopped, story.output
    assert "stopped by its time limit" in story.output  # shown from the log of the job
    assert "Its checkpoint is written" in story.output
    # At least one stopped itself: Slurm had not to end it. (Where the machine is busy, another
    # may not have begun before its minute was over.)
    assert {"COMPLETED", "FAILED"} <= {job.state for job in story.jobs}
    run = stopped[-1]
    assert project.uninterrupted("hours", run) == project.result("hours", run)


def test_a_controller_restarted_in_mid_study_loses_nothing(story: Story) -> None:
    # Both runs of before went on under the new controller, and none was submitted twice at a
    # time.
    for model in ("resnet18", "resnet34"):
        jobs = [job for job in story.jobs if f"_{model}_" in story.texts[job.number]]
        assert not any(one.overlaps(other) for one, other in combinations(jobs, 2))
    assert "status is: 'CANCELLED'" not in story.output
    assert "status is: 'NODE_FAIL'" not in story.output


def test_the_demo_goes_through_the_profile_as_it_is(project: ClusterProject) -> None:
    """Also one of its jobs that is cancelled: the profile has it submitted again."""
    cluster, log = project.cluster, "demo.txt"
    short = project.overlay("short.yaml", "training: {epochs: 1, device: cpu}\n")
    files = ("--configfile", "config/demo.yaml", short)
    with project.under_way(*PROFILE, *files, log=log) as snakemake:
        wait_until(lambda: len(cluster.queue()) == 3, "its three jobs")
        assert {cluster.cores(number) for number in cluster.queue()} == {4}
        cancelled = next(n for n, (_, text) in cluster.queue().items() if "_resnet152_" in text)
        cluster.ask("scancel", str(cancelled))
        assert snakemake.wait(400) == 0, project.said(log)
    jobs = [cluster.ended()[number] for number in project.submitted(log) if number != cancelled]
    assert [job.state for job in jobs] == ["COMPLETED"] * 3
    assert len(project.submitted(log)) == 4
    for model in ("resnet18", "resnet50", "resnet152"):
        made = project.metrics("demo", f"scratch-32/{model}/seed-0")
        assert made["device"]["threads"] == min(4, os.cpu_count() or 1)
    for language in ("pt", "en"):
        for name in ("article.qmd", "report.html", "report.pdf"):
            assert (project.folder / "results/demo/report" / language / name).is_file()


def test_a_failed_and_a_cancelled_job_are_told_with_their_reasons(project: ClusterProject) -> None:
    overlay = project.study("failing", "[resnet18]", seeds="[0, 1]", epochs=500)
    # The log of epochs is a folder, so that the run cannot write it.
    runs = project.folder / "results/failing/runs/scratch-32/resnet18"
    (runs / "seed-0/log.jsonl/kept").mkdir(parents=True)
    log = "failing.txt"
    options = ("--retries", "0", "--set-resources", MEMORY, "train:runtime=5", "--until", "train")
    with project.under_way(*PROFILE, *options, "--configfile", overlay, log=log) as snakemake:
        trained = project.folder / "results/failing/logs/train/scratch-32/resnet18/seed-1.log"
        wait_until(lambda: trained.exists() and "epoch 1/" in trained.read_text(), "an epoch")
        queue = project.cluster.queue()
        (cancelled,) = [number for number, (_, text) in queue.items() if text.endswith("_1")]
        project.cluster.ask("scancel", str(cancelled))
        assert snakemake.wait(120) == 1
    output = project.said(log)
    assert f"SLURM-job '{cancelled}' failed, SLURM status is: 'CANCELLED'" in output
    (failed,) = set(project.submitted(log)) - {cancelled}
    assert f"SLURM-job '{failed}' failed, SLURM status is: 'FAILED'" in output
    assert "log.jsonl: cannot be written" in output  # the run's own words
    # Of the cancelled one its job's log has the last word, which may come a moment later.
    folder = project.folder / ".snakemake/slurm_logs/rule_train/scratch-32_resnet18_1"
    last = folder / f"{cancelled}.log"
    wait_until(lambda: "stopped by SIGTERM" in last.read_text(encoding="utf-8"), "its word", 20)
    assert "Its checkpoint is written" in last.read_text(encoding="utf-8")
