"""A study through profiles/cluster-generic, on the same Slurm."""

import pytest
from cluster_project import MEMORY, QUICK, ClusterProject, wait_until
from slurm_cluster import Cluster

pytestmark = pytest.mark.cluster

PROFILE = ("snakemake", "--workflow-profile", "profiles/cluster-generic", *QUICK)


@pytest.fixture(scope="module")
def project(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> ClusterProject:
    return ClusterProject.on(cluster, tmp_path_factory.mktemp("generic") / "project")


def test_a_cancelled_job_is_noticed_and_the_study_comes_to_its_report(
    project: ClusterProject,
) -> None:
    overlay = project.study("generic", "[resnet18]", epochs=30)
    log, name = "generic.txt", "rs.train.scratch-32.resnet18.0"
    options = ("--retries", "1", "--set-resources", MEMORY, "train:runtime=5")
    with project.under_way(*PROFILE, *options, "--configfile", overlay, log=log) as snakemake:
        trained = project.folder / "results/generic/logs/train/scratch-32/resnet18/seed-0.log"
        wait_until(lambda: trained.exists() and "epoch 2/" in trained.read_text(), "an epoch")
        queue = project.cluster.queue()
        (cancelled,) = [number for number, (_, text) in queue.items() if text.split()[0] == name]
        assert project.cluster.asked(cancelled) == "gres:gpu:1"
        project.cluster.ask("scancel", str(cancelled))
        assert snakemake.wait(240) == 0, project.said(log)
    first, second = (project.cluster.ended()[job] for job in project.submitted(log))
    assert (first.number, first.state) == (cancelled, "CANCELLED")
    assert (second.name, second.state) == (name, "COMPLETED")
    assert project.metrics("generic", "scratch-32/resnet18/seed-0")["resumed"] == 1
    assert (project.folder / "results/generic/report/en/report.html").is_file()
    logs = project.folder / ".snakemake/cluster_logs"
    # Snakemake may notice before the run has said its last word, which its job's log has.
    last = (logs / f"train.scratch-32.resnet18.0.{cancelled}.log").read_text(encoding="utf-8")
    assert "stopped by SIGTERM" in last
    assert "Its checkpoint is written" in last
