"""A study on a machine with several GPUs, which here are not there."""

import re
import shutil

import pytest
from workflow_project import Project

from pretend_gpus import LIBRARY, PretendGpus, uuid
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.run.metrics import Metrics

STUDY = """\
name: devices
dataset: {limit: {train: 40, test: 20}}
seeds: [0, 1, 2]
models: [resnet18]
training: {epochs: 1}
"""


@pytest.mark.slow
@pytest.mark.long  # Three trainings at a time; faults/test_devices.py has runs that wait.
def test_with_more_slots_than_devices_each_run_has_one_and_the_rest_waits(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus = PretendGpus(project.folder / "machine")
    gpus.are("a", "b")
    for name, value in (gpus.environment() | {"PRETEND_ON_CPU": "yes"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    shutil.copy(LIBRARY / "pynvml.py", project.folder / "src" / "pynvml.py")
    overlay = project.overlay("devices.yaml", STUDY)
    configured = ("--configfile", "config/tiny.yaml", overlay)
    project.run(
        *("snakemake", "--until", "train", "--cores", "3", "--resources", "gpu=3", *configured)
    )

    folder = project.folder / "results" / "devices"
    logs = [path.read_text(encoding="utf-8") for path in (folder / "logs" / "train").rglob("*.log")]
    taken = [re.findall(r"takes GPU \d \(Pretend GPU, (.*)\)", log) for log in logs]
    assert sorted(len(each) for each in taken) == [1, 1, 1]
    assert {each[0] for each in taken} == {uuid("a"), uuid("b")}
    waited = [log for log in logs if "all 2 GPUs that it may use are taken" in log]
    assert len(waited) >= 1
    # Their GPUs compute as the CPU does, and those that met there know of each other.
    runs = [read_record(path, Metrics, "") for path in folder.rglob("metrics.json")]
    met = {run.run.name: run.sharing.others for run in runs if run.sharing and run.shared_device}
    assert met
    for name, others in met.items():
        assert name not in others
        assert set(others) <= {run.run.name for run in runs}
