"""The runs whose first losses are kept in `golden/`: one per protocol of config.yaml.

ResNet-18, but for `literal`, which treats ResNet-152 alone otherwise than `scratch-cifar-stem`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine_steps import coloured_patches, recipe_of, run_of, train_engine, write_state_dict
from resnet_sizes.schemas.study.protocol import ModelName

FOLDER = Path(__file__).parent / "golden"
STEPS = 20
REMAKE = "python tests/remake_golden.py"


@dataclass(frozen=True)
class GoldenRun:
    """Two batches, again and again: the loss falls at each step, so that a learning rate off by
    1 % shows far above rounding. On images seen once it would drown in it."""

    batch_size: int
    learning_rate: float
    tolerance_per_step: float
    """Allowed relative difference is this × the number of the step. Adam divides a gradient by
    its own size, rounding included, so differences grow as the run goes on."""
    model: ModelName = "resnet18"


# Whole networks: differences between one and two threads, with and without oneDNN, and with
# inputs off by 3e-7 stayed below 1e-4 × step at most and 4e-5 × step mostly; a learning rate off
# by 1 % gives 3 to 6e-4 × step from the third step on.
_WHOLE = {"learning_rate": 1e-5, "tolerance_per_step": 1.5e-4}
# Heads alone are a convex problem, in which rounding stays rounding.
_HEAD = {"learning_rate": 5e-4, "tolerance_per_step": 2e-6}

RUNS = {
    "probe-224": GoldenRun(batch_size=16, **_HEAD),
    "probe-224-bn-train": GoldenRun(batch_size=8, **_HEAD),
    # Through 152 layers from random weights, processors with AVX2 and with AVX-512 come to features
    # that differ by 4e-6; a learning rate off by 1 % still gives 1e-4 × step and more.
    "literal": GoldenRun(
        batch_size=8, model="resnet152", learning_rate=5e-4, tolerance_per_step=2e-5
    ),
    "scratch-32": GoldenRun(batch_size=32, **_WHOLE),
    "scratch-cifar-stem": GoldenRun(batch_size=8, **_WHOLE),
    "finetune-32": GoldenRun(batch_size=32, **_WHOLE),
    "finetune-112": GoldenRun(batch_size=8, **_WHOLE),
}


def losses(
    protocol: str, folder: Path, rate_factor: float = 1.0, steps: int = STEPS, **changes: Any
) -> list[float]:
    """The first losses of the protocol's golden run, trained again below `folder`."""
    golden = RUNS[protocol]
    arrays = coloured_patches(train=2 * golden.batch_size, test=2)
    recipe = recipe_of(protocol, golden.model)
    weights = None
    if recipe.weights != "none":
        weights = write_state_dict(folder / "weights.pth", golden.model, recipe, arrays)
    run = run_of(
        arrays,
        weights,
        protocol=protocol,
        model=golden.model,
        reading=recipe,
        epochs=steps // 2,
        batch_size=golden.batch_size,
        learning_rate=golden.learning_rate * rate_factor,
        **changes,
    )
    return train_engine(run, arrays, folder, weights).losses


def departures(protocol: str, found: list[float]) -> list[str]:
    """Where the first losses are not those of the golden file, one line per step."""
    kept = json.loads(path(protocol).read_text())["losses"][: len(found)]
    lines = []
    for step, (old, new) in enumerate(zip(kept, found, strict=True), start=1):
        difference = abs(new - old) / old
        allowed = step * RUNS[protocol].tolerance_per_step
        if not difference <= allowed:
            lines.append(
                f"step {step}: {new:.7g} instead of {old:.7g}, "
                f"off by {difference:.1e}, allowed {allowed:.1e}"
            )
    return lines


def path(protocol: str) -> Path:
    """The golden file of a protocol."""
    return FOLDER / f"{protocol}.json"


def write(protocol: str, folder: Path) -> None:
    """Make the golden file again with the present engine."""
    golden = RUNS[protocol]
    content = {
        "made_by": REMAKE,
        "run": f"{golden.model} under {protocol} of config/config.yaml in fp32, seed 0, one "
        f"thread, learning rate {golden.learning_rate:g}, {STEPS} steps over two batches of "
        f"{golden.batch_size} images",
        "torch": torch.__version__.split("+")[0],
        "losses": [float(f"{loss:.7g}") for loss in losses(protocol, folder)],
    }
    path(protocol).write_text(json.dumps(content, indent=1) + "\n")
