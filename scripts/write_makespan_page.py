"""Write docs/makespan.md: how long 600 runs would take on 1, 8 and 64 GPUs.

    python scripts/write_makespan_page.py [FILE]

Nothing is measured here. A run's time is that of the audit (config/devices.yaml: published speeds
of each GPU, times the network's operations), its start that of benchmarks/README.md.
"""

import heapq
import random
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from resnet_sizes.evidence.audit.minutes import device_rates
from resnet_sizes.schemas.evidence.audit import DeviceRate
from resnet_sizes.schemas.hardware import Devices, load_devices, shipped_network_costs
from resnet_sizes.schemas.study.protocol import Protocol
from resnet_sizes.study.loading import load_study

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "makespan.md"

DEPTHS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
READINGS = [
    "probe-224",
    "probe-224-bn-train",
    "scratch-32",
    "scratch-cifar-stem",
    "finetune-32",
    "finetune-112",
]
TOGETHER = {"probe-224"}
SEEDS = 20
EPOCHS = 50
TRAIN_IMAGES, TEST_IMAGES = 50_000, 10_000

START_SECONDS = 6.0
"""Of each run: the workflow's own cost, and the import of torch."""

GPUS = [1, 8, 64]
ORDERS = 100
SHOWN = ["t4", "v100", "a100"]


def expected(model: str, protocol: Protocol, rate: DeviceRate, devices: Devices) -> float:
    """Seconds of one run on one GPU; on kept features all seeds, which one process trains."""
    reading = protocol.recipe_for(model)
    entry = shipped_network_costs().of(model, reading.stem, reading.input_size)
    assert entry is not None
    forward = entry.macs_per_image / rate.inference
    if reading.trainable == "head" and reading.frozen_batch_norm == "eval":
        every_image_once = (TRAIN_IMAGES + TEST_IMAGES) * forward
        return START_SECONDS * (SEEDS + 1) + every_image_once
    step = forward
    if reading.trainable == "all":
        step = entry.macs_per_image * devices.assumptions.backward_factor / rate.training
    return START_SECONDS + EPOCHS * (TRAIN_IMAGES * step + TEST_IMAGES * forward)


def makespan(runs: Sequence[float], devices: int) -> float:
    """Seconds until the last run ends, when each free device takes the next run in order."""
    free = [0.0] * devices
    for seconds in runs:
        heapq.heappush(free, heapq.heappop(free) + seconds)
    return max(free)


def least_possible(runs: Sequence[float], devices: int) -> float:
    """Seconds that no order can go below: all work shared evenly, or the longest run alone."""
    return max(sum(runs) / devices, *runs)


def duration(seconds: float) -> str:
    """Rounded as coarsely as the assumptions deserve."""
    hours = seconds / 3600
    if hours < 1:
        return f"{seconds / 60:.0f} min"
    if hours < 10:
        return f"{hours:.1f} h"
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.1f} days"


def row(rate: DeviceRate, protocols: dict[str, Protocol], devices: Devices) -> str:
    """One GPU's row: the sum of its hours, then each number of GPUs."""
    runs = [
        expected(model, protocols[name], rate, devices)
        for name in READINGS
        for model in DEPTHS
        for _ in range(1 if name in TOGETHER else SEEDS)
    ]
    draw = random.Random(0)
    cells = []
    for count in GPUS:
        found = [makespan(draw.sample(runs, len(runs)), count) for _ in range(ORDERS)]
        middle, worst = duration(statistics.median(found)), duration(max(found))
        best = duration(least_possible(runs, count))
        spread = "" if middle == worst == best else f" (at most {worst}, at best {best})"
        cells.append(middle + spread)
    return f"| {rate.name} | {' | '.join(cells)} |"


def main(page: Path) -> None:
    """Write the page."""
    devices = load_devices(ROOT / "config" / "devices.yaml")
    rates = {r.device: r for r in device_rates(devices, shipped_network_costs())}
    protocols = load_study([]).protocol_definitions
    rows = "\n".join(row(rates[device], protocols, devices) for device in SHOWN)
    page.write_text(
        PAGE_TEXT.format(
            rows=rows,
            heading=" | ".join(f"{count} GPU{'s' if count > 1 else ''}" for count in GPUS),
            rule="|".join(["---"] * (len(GPUS) + 1)),
            runs=len(DEPTHS) * len(READINGS) * SEEDS,
            depths=", ".join(model.removeprefix("resnet") for model in DEPTHS),
            readings=", ".join(f"`{name}`" for name in READINGS),
            seeds=SEEDS,
            epochs=EPOCHS,
            start=f"{START_SECONDS:g}",
            orders=ORDERS,
            factor=f"{devices.assumptions.time_factor:g}",
        ),
        encoding="utf-8",
    )
    print(page)


PAGE_TEXT = """\
<!-- Made by scripts/write_makespan_page.py. -->

# How long would {runs} runs take?

ResNet-{depths} under {readings}, with {seeds} seeds each: {epochs} epochs on all of CIFAR-10.

| GPU | {heading} |
|{rule}|
{rows}

**Computed, not measured.** No such study has been run. For a forecast measured on a GPU of your
own, in some minutes: `resnet-sizes forecast config/YOURS.yaml`.

What is assumed:

- A GPU does as many operations per second as in the published measurement that
  [config/devices.yaml](../config/devices.yaml) names for it. The same file explains why a computed
  time may be wrong by a factor of {factor} either way; that holds for each cell here too.
- Each run costs {start} s more, for the workflow's own work, starting Python and importing torch
  ([benchmarks/README.md](../benchmarks/README.md)). A scheduler's own delays, and waiting in a
  queue behind other people's jobs, are not in it.
- A free GPU takes the next run at once, and keeps it to its end. Snakemake promises no order, so
  the cells give the median of {orders} random ones, the worst of them, and what no order could
  go below.
- Features of a frozen backbone are computed once for all its seeds, by one process that trains them
  all. Training on features takes seconds and is left out.
- Nothing fails or is preempted. A run that is stopped loses its work since the last checkpoint.
- No memory limit is checked here: `resnet-sizes audit articles/santos-2024/article.yaml` does that.
"""


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE)
