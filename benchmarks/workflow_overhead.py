"""What the workflow itself costs a run, and whether that grows with the number of runs.

    python benchmarks/workflow_overhead.py [--seeds 1 5 20]

Five depths under six readings, with 1, 5 and 20 seeds: 30, 150 and 600 runs. For each number a copy
of the project in a temporary folder plans the study (`snakemake -n`), makes it up to its last run,
and plans again, when nothing is left to do. The runs go one after the other (`gpu=1`), by the real
command, but with a training that takes no time and no torch (untrained.py): what remains is
scheduling, starting Python, hashing and checking. The fixed part, from the start of Snakemake to
the dataset, is measured alone and taken off. Between the first results and the last ones of a study
there are that many more runs behind and fewer before it: their intervals show whether a run's cost
grows.
"""

import argparse
import os
import re
import resource
import shutil
import stat
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
COPIED = ["Snakefile", "workflow", "config", "report", "profiles", "src", "tests", "benchmarks"]
READINGS = {
    "imagenet-stem-32": "stem: imagenet",
    "cifar-stem-32": "stem: cifar",
    "augmented-32": "augmentation: flip-crop",
    "enlarged-64": "input_size: 64",
    "enlarged-112": "input_size: 112",
    "enlarged-224": "input_size: 224",
}
SOME = 30
"""Runs at the beginning and at the end of a study that are looked at by themselves."""

DEPTHS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


def overlay(seeds: int) -> str:
    """A study file of 30 · seeds runs on few images."""
    lines = [
        "name: many",
        "demo: true",
        "dataset: {source: digits, limit: {train: 100, test: 50}}",
        f"models: [{', '.join(DEPTHS)}]",
        f"protocols: [{', '.join(READINGS)}]",
        f"seeds: {list(range(seeds))}",
        "training: {epochs: 50, batch_size: 50, threads: 1}",
        "protocol_definitions:",
    ]
    for name, key in READINGS.items():
        words = "{pt: leitura de ensaio, en: a trial reading}"
        lines.append(f"  {name}: {{description: {words}, weights: none, {key}}}")
    return "\n".join(lines) + "\n"


class Project:
    """A copy of the project whose `resnet-sizes` does not train."""

    def __init__(self, folder: Path, seeds: int) -> None:
        self._folder = folder
        for name in COPIED:
            source, target = ROOT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        (folder / "config" / "many.yaml").write_text(overlay(seeds))
        command = folder / "bin" / "resnet-sizes"
        command.parent.mkdir()
        command.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{folder}/benchmarks/untrained.py" "$@"\n'
        )
        command.chmod(command.stat().st_mode | stat.S_IXUSR)

    def measured(self, *arguments: str) -> tuple[float, float, str]:
        """Seconds that a call of Snakemake takes, those of the processor, and what it says."""
        places = [str(self._folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        command = ["snakemake", "--cores", "all", "--resources", "gpu=1"]
        started, before = time.perf_counter(), _processor_seconds()
        done = subprocess.run(
            [*command, "--configfile", "config/many.yaml", *arguments],
            cwd=self._folder,
            env=os.environ
            | {"PYTHONPATH": str(self._folder / "src"), "PATH": os.pathsep.join(places)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        seconds = time.perf_counter() - started
        if done.returncode:
            sys.exit(done.stdout)
        return seconds, _processor_seconds() - before, done.stdout

    def finished(self) -> list[float]:
        """When each run's results were written, in seconds, in that order."""
        found = self._folder.glob("results/many/runs/*/*/*/metrics.json")
        return sorted(path.stat().st_mtime for path in found)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def interval(moments: list[float]) -> float:
    """The median time from one to the next, in seconds."""
    return statistics.median(later - earlier for earlier, later in pairwise(moments))


def main() -> None:
    """Print a table, one row per number of seeds."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 5, 20])
    titles = ["Runs", "Plan", "Plan when all is done", "Whole study", "A run", "of the processor"]
    print("|", " | ".join([*titles, f"First {SOME}", f"Last {SOME}"]), "|")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for seeds in arguments.parse_args().seeds:
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder), seeds)
            plan, _, _ = project.measured("-n", "--quiet")
            fixed, fixed_work, _ = project.measured("--until", "dataset")
            whole, work, _ = project.measured("--until", "train")
            finished = project.finished()
            runs = len(finished)
            assert runs == len(DEPTHS) * len(READINGS) * seeds
            again, _, said = project.measured("-n", "--until", "train")
            assert re.search(r"^total +0$", said, re.MULTILINE), said
        print(
            f"| {runs} | {plan:.1f} s | {again:.1f} s | {whole:.1f} s "
            f"| {(whole - fixed) / runs:.2f} s | {(work - fixed_work) / runs:.2f} s "
            f"| {interval(finished[:SOME]):.2f} s | {interval(finished[-SOME:]):.2f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
