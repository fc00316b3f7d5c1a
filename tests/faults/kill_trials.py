"""Runs that are killed at random moments and started again, beside runs that are left alone.

    python tests/faults/kill_trials.py [--each 3] [--seed 0]

Each trial starts a run in a process of its own, kills it with SIGKILL at a random moment in
mid-run, starts it again (and may kill it again), and compares the end with that of the run that
was left alone: predictions and losses must be equal bit by bit. One line per kill says where it
landed and what had been kept.
"""

import argparse
import logging
import math
import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from safetensors.numpy import load_file

from child_runs import FORK, PROBE, folder_in_memory
from resnet_sizes.schemas.paths import FEATURES, RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile, batches_per_epoch
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.training.engine.loop import Trainer
from resnet_sizes.training.features.extraction import FeatureExtractor
from resnet_sizes.training.job import checkpointing
from resnet_sizes.training.supervision.launch import RunOptions
from small_runs import run_of, small_arrays, train_run, weights_file, write_small_dataset


@dataclass(frozen=True)
class Kind:
    """A protocol whose state differs from the others'."""

    changes: dict[str, Any]
    checkpoint_seconds: float

    images: int = 40
    every_epoch: bool = False
    """Whether a checkpoint follows each epoch, however short it is."""


LONGEST = 300.0
"""Seconds after which a run that should take a few is taken for one that hangs."""

# A checkpoint about every third step. What computes float16 on a CPU is slow.
KINDS = {
    "adam": Kind({}, 0.3),
    "sgd-cosine-augmented": Kind(
        {
            "reading": {
                "optimizer": "sgd",
                "momentum": 0.9,
                "schedule": "cosine",
                "augmentation": "flip-crop",
            },
        },
        0.3,
        every_epoch=True,
    ),
    "adamw-accumulated": Kind({"gradient_accumulation": 2, "reading": {"optimizer": "adamw"}}, 0.3),
    "fp16": Kind({"epochs": 2, "batch_size": 4, "reading": {"precision": "fp16"}}, 0.3, images=14),
    "head-bn-train": Kind({"reading": PROBE | {"frozen_batch_norm": "train"}}, 0.1),
    "head-cached": Kind({"epochs": 150, "reading": PROBE | {"input_size": 96}}, 0.05),
}


@dataclass(frozen=True)
class Landing:
    """Where a kill landed, and what had been kept by then."""

    kind: str
    place: str
    """Epoch and step, or the pass that computes the features."""
    kept: str | None
    """Name of the newest checkpoint."""
    lost_steps: int | None = None
    """Whole steps since it, or since the run's beginning; None in a pass."""
    lost_seconds: float = 0.0
    """Since it was written, or since the attempt's first step."""

    @property
    def within_epoch(self) -> bool:
        """Whether what was kept lies within an epoch."""
        return self.kept is not None and "-step-0000000" not in self.kept

    def __str__(self) -> str:
        return (
            f"{self.kind}: killed in {self.place}; kept: {self.kept or 'nothing'}; "
            f"lost: {'the pass' if self.lost_steps is None else f'{self.lost_steps} steps'}, "
            f"{self.lost_seconds:.2f} s"
        )


class Bench:
    """A folder in which runs of one kind are made, killed and compared."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.kind, self.folder = name, KINDS[name], folder
        folder.mkdir(parents=True)
        self._dataset = write_small_dataset(
            folder / "dataset.safetensors", small_arrays(self.kind.images, 10)
        )
        changes = {"epochs": 3} | self.kind.changes
        self._weights: WeightsInfo | None = None
        if "weights" in changes.get("reading", {}):
            self._weights = weights_file(folder / "backbone.pth", "resnet18", seed=7)
            changes["initial_weights"] = self._weights.initial
        self._run: RunFile = run_of(self._dataset, **changes)

    def start(self, attempt: str) -> BaseProcess:
        """A process that makes the run in `attempt`'s own folders."""
        process = FORK.Process(target=self._train, args=(attempt,))
        process.start()
        return process

    def _train(self, attempt: str) -> None:
        home = self.folder / attempt
        home.mkdir(exist_ok=True)
        _log_to(home / "log.txt")
        _tell_steps(home / "place")
        if self.kind.every_epoch:
            checkpointing.SHARE = math.inf
        options = RunOptions(work=home / "work", checkpoint_seconds=self.kind.checkpoint_seconds)
        train_run(self._run, self._dataset, RunFolder(home / "run"), "cpu", self._weights, options)

    def result(self, attempt: str) -> tuple[bytes, list[tuple[float, ...]], Metrics]:
        """Predictions and losses of a finished run, and all that it says."""
        folder = RunFolder(self.folder / attempt / "run")
        metrics = Metrics.model_validate_json(folder.metrics.read_text(encoding="utf-8"))
        losses = [
            (each.train_loss, each.train_accuracy, each.test_loss, each.test_accuracy)
            for each in metrics.epochs
        ]
        lines = folder.log.read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(metrics.epochs)
        return folder.predictions.read_bytes(), losses, metrics

    def features(self, attempt: str) -> dict[str, dict[str, bytes]]:
        """The tensors of finished files of features, by name; none for a run that keeps none."""
        found = (self.folder / attempt / "work" / FEATURES).glob("*.safetensors")
        # A kill while one is written leaves the beginning of it under a hidden name.
        finished = (path for path in found if not re.search(r"^\.|\.partial\.", path.name))
        # The order of the keys in a file's header is another each time.
        return {
            path.name: {name: tensor.tobytes() for name, tensor in load_file(path).items()}
            for path in finished
        }

    def undisturbed(self) -> float:
        """Make the run once without a kill; the seconds that it took from its first step."""
        process = self.start("whole")
        self._wait_for_a_step("whole", process)
        started = time.monotonic()
        self.end("whole", process)
        return time.monotonic() - started

    def end(self, attempt: str, process: BaseProcess) -> None:
        """Wait until a run is finished; one that takes far too long is killed."""
        process.join(LONGEST)
        process.kill()
        process.join()
        assert process.exitcode == 0, (self.folder / attempt / "log.txt").read_text("utf-8")

    def _wait_for_a_step(self, attempt: str, process: BaseProcess) -> None:
        until = time.monotonic() + LONGEST
        while process.is_alive() and not self._place(attempt):
            assert time.monotonic() < until, f"{attempt} makes no step"
            time.sleep(0.002)

    def _place(self, attempt: str) -> str:
        """Where a run is: its epoch and step, or the pass that computes the features."""
        path = self.folder / attempt / "place"
        return path.read_text(encoding="utf-8").strip() if path.is_file() else ""

    def is_done(self, attempt: str) -> bool:
        """Whether a run has its results and nothing else is left to do."""
        home = self.folder / attempt
        return (home / "run" / "metrics.json").exists() and not _checkpoints(home)

    def kill_at(self, attempt: str, seconds: float) -> Landing | None:
        """Start a run and kill it so long after its first step; None where it was done."""
        (self.folder / attempt / "place").unlink(missing_ok=True)
        process = self.start(attempt)
        self._wait_for_a_step(attempt, process)
        began = time.time()
        process.join(seconds)
        killed = time.time()
        process.kill()
        process.join()
        where = self._place(attempt)
        if process.exitcode != -signal.SIGKILL or not where or self.is_done(attempt):
            return None
        kept = _checkpoints(self.folder / attempt)
        newest = kept[-1].stem if kept else None
        since = kept[-1].stat().st_mtime if kept else began
        return Landing(self.name, where, newest, self._steps_lost(where, newest), killed - since)

    def _steps_lost(self, place: str, kept: str | None) -> int | None:
        if not place.startswith("epoch"):
            return None
        in_epoch = batches_per_epoch(self.kind.images, self._run.batch_size)
        epoch, step = map(int, re.findall(r"\d+", place))
        kept_epoch, kept_step = map(int, re.findall(r"\d+", kept)) if kept else (1, 0)
        # The step that is named was under way.
        return max(0, (epoch - kept_epoch) * in_epoch + step - 1 - kept_step)


def _checkpoints(home: Path) -> list[Path]:
    return sorted((home / "work").glob("*/epoch-*.safetensors"))


def _log_to(path: Path) -> None:
    """All that this process says goes to a file: one line per epoch is too much for a terminal."""
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
    os.dup2(handle, 2)
    log = logging.getLogger("resnet_sizes")
    log.setLevel(logging.INFO)
    log.handlers = [logging.StreamHandler(open(2, "w", closefd=False))]  # noqa: SIM115


def _tell_steps(path: Path) -> None:
    """Write down, before each step and each batch of a pass, which it is."""
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)
    step, features = Trainer._step, FeatureExtractor._features

    def told(text: str) -> None:
        os.pwrite(handle, text.ljust(60).encode(), 0)

    def told_step(self: Trainer, *arguments: Any) -> Any:
        told(f"epoch {self.epoch.number}, step {self.epoch.step + 1}")
        return step(self, *arguments)

    def told_features(self: FeatureExtractor, *arguments: Any) -> Any:
        told("the pass that computes features")
        return features(self, *arguments)

    Trainer._step, FeatureExtractor._features = told_step, told_features  # type: ignore[method-assign]


def trial(bench: Bench, number: int, seconds: float, draw: random.Random) -> list[Landing]:
    """Kill a run once or twice, let it end, and compare; where the kills landed."""
    landings: list[Landing] = []
    attempt = f"trial-{number}"
    for _ in range(draw.choice([1, 1, 2])):
        landing = bench.kill_at(attempt, draw.uniform(0.05, 0.9) * seconds)
        if landing is None:
            break
        landings.append(landing)
    compare(bench, attempt, landings)
    return landings


def compare(bench: Bench, attempt: str, landings: list[Landing], remove: bool = True) -> None:
    """Let a run that was killed end, and compare it with the one that was left alone."""
    if not bench.is_done(attempt):
        bench.end(attempt, bench.start(attempt))
    predictions, losses, metrics = bench.result(attempt)
    whole_predictions, whole_losses, _ = bench.result("whole")
    assert losses == whole_losses, landings
    assert predictions == whole_predictions, landings
    assert bench.features(attempt) == bench.features("whole"), landings
    # An attempt that was killed between its beginning and its first step may have recorded it.
    went_on = [*(landing.place.startswith("epoch") for landing in landings[1:]), True]
    least = sum(
        bool(landing.kept) and began for landing, began in zip(landings, went_on, strict=False)
    )
    log = (bench.folder / attempt / "log.txt").read_text(encoding="utf-8")
    assert least <= metrics.resumed <= log.count("goes on in epoch"), log
    assert not _checkpoints(bench.folder / attempt)
    if remove:
        shutil.rmtree(bench.folder / attempt)


def trials(
    each: int, seed: int, folder: Path, kinds: Collection[str] = KINDS.keys()
) -> list[Landing]:
    """So many runs of each kind that were killed; where the kills landed.

    It gives up where the kills keep missing: then it returns fewer.
    """
    draw = random.Random(seed)
    torch.set_num_threads(1)
    benches = [Bench(name, folder / name) for name in kinds]
    seconds = [bench.undisturbed() for bench in benches]
    landings: list[Landing] = []
    for bench, whole in zip(benches, seconds, strict=True):
        killed = number = 0
        while killed < each and number < 3 * each + 10:
            number += 1
            found = trial(bench, number, whole, draw)
            for landing in found:
                print(landing, flush=True)
            landings += found
            killed += bool(found)
    return landings


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--each", type=int, default=3)
    arguments.add_argument("--seed", type=int, default=0)
    asked = arguments.parse_args()
    with folder_in_memory() as folder:
        landings = trials(asked.each, asked.seed, folder / "trials")
    print(tell(landings))


def tell(landings: list[Landing]) -> str:
    """The result of trials, in a sentence."""
    kept = sum(1 for landing in landings if landing.kept)
    within = sum(1 for landing in landings if landing.within_epoch)
    return (
        f"{len(landings)} kills: all runs ended with equal predictions and losses; {kept} kills "
        f"after a checkpoint, {within} of these within an epoch; lost by a kill: "
        + _spread([each.lost_steps for each in landings if each.lost_steps is not None], "steps")
        + ", "
        + _spread([each.lost_seconds for each in landings], "s")
    )


def _spread(values: Sequence[float], unit: str) -> str:
    if not values:
        return f"no {unit}"
    return f"{median(values):.3g} {unit} in the median, {max(values):.3g} at worst"


if __name__ == "__main__":
    main()
