"""How long a thousand runs take to become evidence, and how much memory.

    python benchmarks/digest_runs.py [--seeds 48]

Seven readings of three networks, each with so many seeds, 50 epochs and 10,000 test images with
ten classes, are written to a temporary folder with drawn predictions; then `resnet-sizes
evidence` digests them in a process of its own, whose time, processor time and peak memory are
printed. Nothing is trained. The files lie in the page cache, as they do after a study.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

import synthetic

from resnet_sizes.schemas.run.tensors import write_predictions

PROTOCOLS = tuple(f"reading-{number}" for number in range(1, 8))


def draw_predictions(path: Path, correct: int, generator: np.random.Generator) -> None:
    """Replace predictions by drawn ones with as many right."""
    images, classes = 10_000, 10
    labels = np.arange(images, dtype=np.int64) % classes
    logits = generator.normal(0, 1, (images, classes)).astype(np.float32)
    right = generator.permutation(images)[:correct]
    chosen = (labels + 1) % classes
    chosen[right] = labels[right]
    logits[np.arange(images), chosen] = logits.max(axis=1) + 0.5
    write_predictions(path, logits, labels)


def make_runs(folder: Path, seeds: int) -> Path:
    """A study of 21 · seeds runs below `folder`."""
    generator = np.random.default_rng(0)
    accuracies = {
        model: [min(1.0, mean + generator.normal(0, 0.003)) for _ in range(seeds)]
        for model, mean in synthetic.ARTICLE_ACCURACIES.items()
    }
    study = synthetic.make_study(
        folder, protocols=PROTOCOLS, seeds=tuple(range(seeds)), accuracies=accuracies
    )
    for metrics in study.parent.glob("runs/*/*/*/metrics.json"):
        accuracy = json.loads(metrics.read_text())["final_test_accuracy"]
        draw_predictions(
            metrics.with_name("predictions.safetensors"), round(accuracy * 10_000), generator
        )
    return study


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seeds", type=int, default=48)
    seeds = arguments.parse_args().seeds
    with tempfile.TemporaryDirectory() as folder:
        study = make_runs(Path(folder), seeds)
        runs = len(list(study.parent.glob("runs/*/*/*/metrics.json")))
        start = "from resnet_sizes.cli.app import main; main()"
        command = [sys.executable, "-c", start, "evidence", str(study)]
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        verdicts = json.loads((study.parent / "evidence" / "verdicts.json").read_text())
        assert len(verdicts["runs"]) == runs
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{runs} runs, {os.cpu_count()} cores: {seconds:.1f} s "
        f"({used.ru_utime + used.ru_stime:.1f} s of processor time), "
        f"{used.ru_maxrss / 1024:.0f} MiB at most"
    )


if __name__ == "__main__":
    main()
