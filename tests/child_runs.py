"""Runs in processes of their own, by the command that a person types."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from resnet_sizes.cli.app import main
from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import RunFile
from resnet_sizes.schemas.run.weights import WeightsInfo
from small_runs import run_of, small_arrays, weights_file, write_small_dataset

# Torch is loaded already, which takes seconds in each new process.
FORK = multiprocessing.get_context("fork")

PROBE = {"weights": "backbone.pth", "trainable": "head", "normalisation": "imagenet"}


def memory() -> Path | None:
    """A folder in memory, where there is one: checkpoints of 130 MB wait for a disk."""
    folder = Path("/dev/shm")
    return folder if os.access(folder, os.W_OK) else None


@contextmanager
def folder_in_memory() -> Iterator[Path]:
    """A new folder there, which is removed at the end."""
    with TemporaryDirectory(dir=memory()) as folder:
        yield Path(folder)


class Home:
    """A working directory with a dataset and the file of one run."""

    def __init__(self, folder: Path, images: int = 48, **changes: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.dataset = write_small_dataset(
            folder / "data" / "dataset.safetensors", small_arrays(images, 20)
        )
        self.weights: WeightsInfo | None = None
        if "weights" in changes.get("reading", {}):
            self.weights = weights_file(folder / "backbone.pth", "resnet18", seed=7)
            changes["initial_weights"] = self.weights.initial
            write_json(folder / "weights.json", self.weights)
        self.run: RunFile = run_of(self.dataset, **changes)
        self.write_run()

    def write_run(self) -> None:
        """Write the run's file."""
        write_json(self.files.run, self.run)

    @classmethod
    def of_probe(cls, folder: Path, **changes: object) -> "Home":
        """A head on features that are computed once: steps of milliseconds, small checkpoints."""
        return cls(folder, **({"reading": PROBE, "epochs": 6} | changes))

    def copy_to(self, folder: Path) -> "Home":
        """The same with all that is in it. The file of weights stays where it is."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        copied = copy(self)
        copied.folder, copied.dataset = folder, folder / self.dataset.relative_to(self.folder)
        return copied

    def not_begun(self, folder: Path) -> "Home":
        """A copy without results, and with the features."""
        copied = self.copy_to(folder)
        files = copied.files
        for path in (files.log, files.predictions, files.metrics, folder / "log.txt"):
            path.unlink(missing_ok=True)
        return copied

    @property
    def files(self) -> RunFolder:
        """The files of the run."""
        return RunFolder(self.folder / "run")

    @property
    def work(self) -> Path:
        """Where checkpoints and features go."""
        return self.folder / "work"

    def checkpoints(self) -> list[Path]:
        """Those of the run, the oldest first."""
        return sorted((self.work / content_hash(self.run)).glob("epoch-*.safetensors"))

    def said(self, log: str = "log.txt") -> str:
        """All that the last process with this log said."""
        path = self.folder / log
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def metrics(self) -> Metrics:
        """The results."""
        return Metrics.model_validate_json(self.files.metrics.read_text(encoding="utf-8"))

    def result(self) -> tuple[bytes, list[tuple[float, ...]]]:
        """All that has to be equal to the last bit: predictions, and losses by epoch."""
        losses = [
            (each.train_loss, each.train_accuracy, each.test_loss, each.test_accuracy)
            for each in self.metrics().epochs
        ]
        return self.files.predictions.read_bytes(), losses

    def arguments(self, *options: str, log: str = "log.txt") -> list[str]:
        """What stands behind the name of the command, in the working directory."""
        weights = ["--weights", "weights.json"] if self.weights else []
        named = ["run/run.json", "--dataset", "data/dataset.safetensors", "--device", "cpu"]
        return ["--log", log, "train", *named, *weights, *options]

    def start(
        self, *options: str, environment: dict[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """The command in a new Python."""
        (self.folder / "log.txt").unlink(missing_ok=True)
        return subprocess.Popen(
            [sys.executable, "-m", "resnet_sizes", *self.arguments(*options)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def fork(
        self,
        *options: str,
        before: Callable[[], object] = lambda: None,
        log: str = "log.txt",
    ) -> BaseProcess:
        """The command in a copy of this Python, in which `before` is called."""
        (self.folder / log).unlink(missing_ok=True)
        arguments = self.arguments(*options, log=log)
        process = FORK.Process(target=self.command, args=(arguments, before))
        process.start()
        return process

    def command(self, arguments: list[str], before: Callable[[], object]) -> None:
        """The command in this process, which then has another working directory and output."""
        os.chdir(self.folder)
        handle = os.open("stderr.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o666)
        os.dup2(handle, 2)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        sys.argv = ["resnet-sizes", *arguments]
        before()
        main()

    def finish(self, *options: str) -> None:
        """Run the command to its end."""
        process = self.fork(*options)
        process.join()
        assert process.exitcode == 0, self.said()


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for what another process does."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)
