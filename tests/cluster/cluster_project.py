"""Studies on a cluster: a copy of the project, started as a person would on a login node."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from slurm_cluster import Cluster
from workflow_project import Project

from resnet_sizes.schemas.operations import StudyStatus

# Slurm's smallest time limit is a minute, and jobs here are short: what the profiles say for
# real ones would make the tests wait.
QUICK = ["--seconds-between-status-checks", "2", "--latency-wait", "20"]
QUICK_SLURM = [*QUICK, "--slurm-init-seconds-before-status-checks", "2"]

MEMORY = "train:mem_mb=1500"

STUDY = """\
name: {name}
demo: true
dataset: {{source: digits, limit: {{train: 100, test: 50}}}}
models: {models}
protocols: [scratch-32]
seeds: {seeds}
training: {{epochs: {epochs}, batch_size: 50, threads: 1, device: cpu}}
report: {{languages: [en], formats: [html]}}
"""


@dataclass(frozen=True)
class ClusterProject(Project):
    """The project, with the commands of a Slurm."""

    cluster: Cluster

    @classmethod
    def on(cls, cluster: Cluster, folder: Path) -> "ClusterProject":
        return cls(Project.create(folder).folder, cluster)

    @property
    def environment(self) -> dict[str, str]:
        ours, theirs = super().environment, self.cluster.environment
        # The environment's Python goes first, then Slurm's commands.
        folder = theirs["PATH"].split(os.pathsep)[0]
        first, rest = ours["PATH"].split(os.pathsep, 1)
        return ours | theirs | {"PATH": os.pathsep.join([first, folder, rest])}

    def study(self, name: str, models: str, seeds: str = "[0]", epochs: int = 2) -> str:
        """The overlay of a small study."""
        text = STUDY.format(name=name, models=models, seeds=seeds, epochs=epochs)
        return self.overlay(f"{name}.yaml", text)

    @contextmanager
    def under_way(self, *command: str, log: str) -> "Iterator[subprocess.Popen[bytes]]":
        """A command that runs; what is left of it at the end is ended, its jobs too."""
        process = self.start(*command, log=log)
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def said(self, log: str) -> str:
        """What a command has written so far."""
        path = self.folder / log
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def submitted(self, log: str) -> list[int]:
        """The jobs that a Snakemake says it has submitted."""
        found = re.findall(r"SLURM jobid (\d+)|external jobid '(\d+)'", self.said(log))
        return [int(one or other) for one, other in found]

    def metrics(self, study: str, run: str) -> dict:
        path = self.folder / f"results/{study}/runs/{run}/metrics.json"
        return json.loads(path.read_text(encoding="utf-8"))

    def result(self, study: str, run: str) -> tuple[str, list[tuple[float, ...]]]:
        """What has to be equal to the last bit: predictions, and losses by epoch."""
        return result_of(self.metrics(study, run))

    def uninterrupted(self, study: str, run: str) -> tuple[str, list[tuple[float, ...]]]:
        """The same of a run with the same settings and data that nothing stops."""
        folder = f"whole-{study}"
        whole = self.folder / folder
        (whole / "run").mkdir(parents=True)
        shutil.copy2(self.folder / f"results/{study}/runs/{run}/run.json", whole / "run")
        dataset = self.folder / f"results/{study}/data/dataset.safetensors"
        training = [sys.executable, "-m", "resnet_sizes", "train", "run/run.json"]
        options = ["--device", "cpu", "--dataset", str(dataset)]
        log = f"{folder}.txt"
        with self.under_way("env", "-C", folder, *training, *options, log=log) as process:
            assert process.wait(400) == 0, self.said(log)
        metrics = json.loads((whole / "run/metrics.json").read_text(encoding="utf-8"))
        assert metrics["resumed"] == 0
        return result_of(metrics)

    def status(self, study: str) -> StudyStatus:
        """What `resnet-sizes status` says, asked from another terminal."""
        command = [sys.executable, "-m", "resnet_sizes", "status", study, "--json"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return StudyStatus.model_validate_json(done.stdout)


def result_of(metrics: dict) -> tuple[str, list[tuple[float, ...]]]:
    losses = [(each["train_loss"], each["test_loss"]) for each in metrics["epochs"]]
    return metrics["predictions_sha256"], losses


def wait_until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"waited in vain for: {what}"
        time.sleep(0.2)
