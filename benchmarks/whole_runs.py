"""Whole runs of the engine, each in a process and a folder of its own.

So a run's memory is its own, and no feature is found that an earlier run has computed.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from settings import Case, CompileChoice

from resnet_sizes.schemas.run.run import Precision
from resnet_sizes.schemas.study.protocol import ModelName


@dataclass(frozen=True)
class WholeRun:
    """One run of the engine; names as in a run file."""

    case: Case
    model: ModelName
    train_images: int
    test_images: int
    batch_size: int
    epochs: int
    input_size: int
    device: str
    precision: Precision
    compile: CompileChoice
    deterministic: bool
    evaluation_batch_size: int


def in_own_process(run: WholeRun) -> dict[str, Any]:
    """Do the run, and give what it took.

    `training_seconds`, and of them `last_epoch_seconds` and `forward_seconds` of the features
    (null without a cache); `wall_seconds` of the whole command, with evaluation and writing;
    `peak_memory_bytes`, and `idle_memory_bytes` before the run began.
    """
    with tempfile.TemporaryDirectory(prefix="resnet-sizes-bench-") as folder:
        wanted, found = Path(folder) / "run.json", Path(folder) / "result.json"
        wanted.write_text(json.dumps(asdict(run)), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), str(wanted), str(found)],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{run}:\n{done.stderr[-3000:]}")
        result: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
        return result


def main(wanted: Path, found: Path) -> None:
    """What the process of its own does."""
    import torch
    from engine import Choices, whole_run
    from settings import noise_images, recipe_of

    from resnet_sizes.training.devices.select import peak_memory

    run = WholeRun(**json.loads(wanted.read_text(encoding="utf-8")))
    device = torch.device(run.device)
    arrays = noise_images(run.train_images, run.test_images)
    recipe = recipe_of(run.case, run.model)
    idle = peak_memory(torch.device("cpu"))
    metrics, wall = whole_run(
        run.model,
        recipe.model_copy(update={"input_size": run.input_size}),
        batch_size=run.batch_size,
        epochs=run.epochs,
        arrays=arrays,
        device=device,
        choices=Choices(run.precision, run.compile, run.deterministic, run.evaluation_batch_size),
        folder=wanted.parent,
    )
    on_cpu = device.type == "cpu"
    cache = metrics.feature_cache
    result = {
        "training_seconds": metrics.training_seconds,
        "last_epoch_seconds": metrics.epochs[-1].training_seconds,
        "forward_seconds": cache.forward_seconds if cache else None,
        "wall_seconds": wall,
        "peak_memory_bytes": (metrics.peak_memory_bytes),
        "idle_memory_bytes": idle if on_cpu else 0,
    }
    found.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
