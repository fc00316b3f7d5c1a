"""Studies whose jobs have to give way to others, and what `status` says of them meanwhile."""

import pytest
from cluster_project import MEMORY, QUICK, QUICK_SLURM, ClusterProject, wait_until
from slurm_cluster import Cluster

from resnet_sizes.schemas.operations import RunStatus

pytestmark = pytest.mark.cluster

PROFILE = ("snakemake", "--workflow-profile", "profiles/slurm", *QUICK_SLURM)
GENERIC = ("snakemake", "--workflow-profile", "profiles/cluster-generic", *QUICK)
RUN = "scratch-32/resnet18/seed-0"
URGENT = ("--partition=urgent", "--gpus=2", "--mem=100", "--time=5", "--output=/dev/null")


@pytest.fixture(scope="module")
def project(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> ClusterProject:
    return ClusterProject.on(cluster, tmp_path_factory.mktemp("preempted") / "project")


def test_a_run_that_is_preempted_goes_on_in_the_same_job(project: ClusterProject) -> None:
    cluster, log = project.cluster, "preempted.txt"
    overlay = project.study("preempted", "[resnet18]", epochs=100)

    def run() -> RunStatus:
        (found,) = project.status("preempted").runs
        return found

    def state() -> str:
        return run().state

    options = ("--set-resources", MEMORY, "train:runtime=20")
    with project.under_way(*PROFILE, *options, "--configfile", overlay, log=log) as snakemake:
        wait_until(lambda: (project.folder / "results/preempted/study.json").exists(), "a study")
        wait_until(lambda: (told := run().progress) and (told.epoch or 0) > 2, "two epochs")
        (number,) = project.submitted(log)
        before = run()
        assert before.state == "running"
        assert before.job
        assert before.job.id == str(number)
        assert before.job.state == "RUNNING"

        cluster.ask("sbatch", *URGENT, "--wrap=sleep 8")
        wait_until(lambda: state() == "queued", "its job to be put back")
        waits = run()
        assert waits.job
        assert waits.job.id == str(number)
        assert waits.job.state == "PENDING"
        assert waits.job.reason
        assert waits.goes_on_from
        assert waits.goes_on_from.epoch >= 2

        wait_until(lambda: state() == "running", "it to go on")
        assert snakemake.wait(300) == 0, project.said(log)
    assert state() == "done"
    assert project.submitted(log) == [number]
    assert cluster.ended()[number].state == "COMPLETED"
    assert project.metrics("preempted", RUN)["resumed"] == 1
    assert project.uninterrupted("preempted", RUN) == project.result("preempted", RUN)


def test_a_run_whose_job_is_cancelled_for_another_goes_on_in_a_new_job(
    project: ClusterProject,
) -> None:
    """Which the profile asks for: nothing is said of retries here."""
    cluster, log = project.cluster, "cancelled.txt"
    overlay = project.study("cancelled", "[resnet18]", epochs=100)
    project.edit("profiles/cluster-generic/config.yaml", "--partition=gpu", "--partition=spare")
    options = ("--set-resources", MEMORY, "train:runtime=20")
    with project.under_way(*GENERIC, *options, "--configfile", overlay, log=log) as snakemake:
        trained = project.folder / "results/cancelled/logs/train/scratch-32/resnet18/seed-0.log"
        wait_until(lambda: trained.exists() and "epoch 3/" in trained.read_text(), "two epochs")
        cluster.ask("sbatch", *URGENT, "--wrap=sleep 5")
        assert snakemake.wait(300) == 0, project.said(log)
    first, second = (cluster.ended()[job].state for job in project.submitted(log))
    assert (first, second) == ("PREEMPTED", "COMPLETED")
    assert project.metrics("cancelled", RUN)["resumed"] == 1
