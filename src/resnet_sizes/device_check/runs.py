"""Whole runs and their times: repeated, stopped, killed, timed in each form, forecast."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import torch

from resnet_sizes.device_check.bench import CLASSES, MODES, TEST_IMAGES, Bench, images, random_info
from resnet_sizes.forecast.cost import Counts, forecast_run, ignore
from resnet_sizes.io.files import write_json
from resnet_sizes.schemas.paths import RunFolder
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.run import CompileMode, RunFile
from resnet_sizes.schemas.run.tensors import write_dataset
from resnet_sizes.training.capabilities import best_compile_mode
from resnet_sizes.training.devices.locks import DeviceLocks, lock_folder
from resnet_sizes.training.engine import batches, networks
from resnet_sizes.training.engine.numerics import memory_format
from resnet_sizes.training.tensor_files import read_tensors

PATIENCE = 90.0
"""Seconds that a run may take to come to where it is waited for."""

FREED = 5.0
"""Seconds after which a killed run's device has to be free."""

SLOWER = 0.03
"""Share of the fastest form's speed by which the chosen one may be behind."""

STEPS = 20
"""Of an epoch that is timed."""

EPOCHS = 6
"""The first chooses kernels and records a graph; of the others the median counts."""


class Home:
    """A folder with a dataset and one run, and caches of its own, which are cold."""

    def __init__(self, bench: Bench, reading: str, train: int, **changes: Any) -> None:
        self.files = RunFolder(Path(mkdtemp(dir=bench.folder)))
        self._device = str(bench.device)
        arrays = images(train)
        info = random_info(arrays)
        self.run = bench.run(reading, dataset_identity=info.identity, **changes)
        write_dataset(self.files.folder / "dataset.safetensors", info, arrays)
        write_json(self.files.run, self.run)

    def start(self, checkpoint_minutes: float = 10) -> "subprocess.Popen[bytes]":
        """Begin the run, or go on with it."""
        command = [sys.executable, "-m", "resnet_sizes", "train", "run.json"]
        command += ["--dataset", "dataset.safetensors", "--device", self._device]
        command += ["--checkpoint-minutes", str(checkpoint_minutes)]
        folder = self.files.folder
        # PYTHONPATH may have been given as seen from another folder.
        own = {"PYTHONPATH": os.pathsep.join(sys.path), "CUDA_CACHE_PATH": f"{folder}/compiled"}
        with (folder / "said.txt").open("ab") as said:
            return subprocess.Popen(command, cwd=folder, env=os.environ | own, stderr=said)

    def finish(self) -> Metrics:
        """Run to the end."""
        if self.start().wait() != 0:
            raise RuntimeError(self.said())
        return Metrics.model_validate_json(self.files.metrics.read_bytes())

    def interrupt(self, how: signal.Signals, *, at: str) -> None:
        """Begin, send a signal once there is a file of this pattern, and see the device freed."""
        locks, folder = DeviceLocks(lock_folder()), self.files.folder
        process = self.start(checkpoint_minutes=0)
        begun = wait_for(lambda: process.poll() is not None or any(folder.glob(at)))
        held = list(locks.held("*"))
        process.send_signal(how if begun and held else signal.SIGKILL)
        process.wait()
        if not begun or not held or self.files.metrics.exists():
            raise TimeoutError(f"was not stopped while it held a device. It said: {self.said()}")
        if not wait_for(lambda: not any(locks.held("*")), FREED):
            raise TimeoutError(f"the device is not free {FREED:g} s after {how.name}")

    def bits(self) -> dict[str, object]:
        """All that is equal where two runs are."""
        metrics = self.finish()
        kept = [read_tensors(path)[1] for path in self.features()]
        return {
            "losses": [(each.train_loss, each.test_loss) for each in metrics.epochs],
            "predictions": self.files.predictions.read_bytes(),
            "features": [each.numpy().tobytes() for found in kept for each in found.values()],
        }

    def features(self) -> list[Path]:
        """Those that are complete."""
        found = self.files.folder.glob("work/features/*.safetensors")
        return [path for path in found if ".partial" not in path.name]

    def said(self) -> str:
        """The end of what its processes have said."""
        text = (self.files.folder / "said.txt").read_text(encoding="utf-8", errors="replace")
        return " / ".join(text.splitlines()[-3:])


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait until it holds; False where it does not in time."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def kinds(bench: Bench) -> dict[str, dict[str, Any]]:
    """The runs that are repeated: a pass and an epoch have several batches each."""
    cuda = bench.device.type == "cuda"
    batch, batches = (64, 32) if cuda else (8, 8)
    common = {"batch_size": batch, "train": batch * batches, "epochs": 2, "reading": "scratch-32"}
    frozen = {"reading": "probe-224", "evaluation_batch_size": batch, "epochs": 30}
    found: dict[str, dict[str, Any]] = {"frozen": common | frozen}
    if not bench.quick:
        found["augmented"] = common | {"reading": "augmented"}
    if cuda:
        found["graphs"] = common | {"compile_mode": "cuda-graph"}
    if "fp16" in bench.precisions():
        found["fp16"] = common | {"precision": "fp16"}
    return found


def runs(bench: Bench) -> None:
    """Make each kind of run three times: twice at a stretch, and once stopped in an epoch, after
    that of a frozen network was killed in its pass."""
    for name, settings in kinds(bench).items():
        with bench.case(name):
            one, other, stopped = (Home(bench, **settings) for _ in range(3))
            wanted = one.bits()
            if name == "frozen":
                stopped.interrupt(signal.SIGKILL, at="work/features/*.partial.safetensors")
                if stopped.features():
                    raise TimeoutError("its pass had ended before it was killed")
            stopped.interrupt(signal.SIGTERM, at="work/*/epoch-*-step-000000[1-7].safetensors")
            for what, home in (("in another process", other), ("stopped", stopped)):
                different = [kind for kind, value in home.bits().items() if value != wanted[kind]]
                if different:
                    raise ArithmeticError(f"{what}: {', '.join(different)} differ")


def speed(bench: Bench) -> None:
    """Time steps in each form: another may not be faster than the one that fixed rules choose."""
    layouts = torch.contiguous_format, torch.channels_last
    for precision, model in product(bench.precisions(), bench.models):
        run = bench.run(model=model, precision=precision, epochs=EPOCHS)
        rates = {form: _rate(bench, run, *form) for form in product(layouts, MODES)}
        mode = best_compile_mode(run.reading, bench.device)
        chosen = memory_format(precision, bench.device), mode
        fastest = max(rates, key=rates.__getitem__)
        if rates[chosen] < (1 - SLOWER) * rates[fastest]:  # a second look, at both
            rates |= {form: _rate(bench, run, *form) for form in (fastest, chosen)}
        what = f"{model}, {precision}"
        for (layout, each), rate in rates.items():
            bench.numbers[f"{what}, {str(layout)[6:]}, {each}, images/s"] = round(rate)
        bench.within(f"{what}, behind the fastest", 1 - rates[chosen] / rates[fastest], SLOWER)


def _rate(bench: Bench, run: RunFile, layout: torch.memory_format, mode: CompileMode) -> float:
    count = STEPS * run.batch_size
    run = run.model_copy(update={"compile": mode, "compile_mode": mode})
    # The engine takes this memory format, and not that of its rule.
    own = partial(patch.object, attribute="memory_format", new=lambda *_: layout)
    with own(networks), own(batches):
        epochs = bench.trainer(run, images(count, 2)).epochs(ignore)
        seconds = [metrics.training_seconds for metrics, _ in epochs]
    return count / median(seconds[1:])


def forecast(bench: Bench) -> None:
    """Compare forecasts with runs; and the pass that made features with its time in a later run."""
    train = 10_240
    for reading in ("scratch-32", "probe-224"):
        with bench.case(reading):
            home = Home(bench, reading, train, epochs=40)
            cost = forecast_run(home.run, Counts(train, TEST_IMAGES, CLASSES), str(bench.device))
            if cost.problem:
                raise RuntimeError(cost.problem)
            found = home.finish()
            steps = cost.once_seconds + cost.training_seconds + cost.feature_seconds
            whole = found.training_seconds + (found.preparation_seconds or 0)
            for what, expected, actual in (
                ("memory", cost.peak_memory_bytes, found.peak_memory_bytes),
                ("training", steps, whole),
            ):
                bench.numbers |= {f"{reading}, {what}": actual, f"{what}, forecast": expected}
                bench.within(f"{reading}, {what}: error", abs(expected / actual - 1), 0.15)
            if (made := found.feature_cache) and (again := home.finish().feature_cache):
                error = abs(again.forward_seconds / made.forward_seconds - 1)
                bench.within(f"{reading}, clock of the pass: error", error, 0.05)
