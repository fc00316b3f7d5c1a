"""Write docs/verdict-rates.md: how often verdicts are wrong, and how often they find what is true.

    PYTHONPATH=tests/unit nice -n 10 python scripts/verdict_rates.py [FILE] [--studies N]

A small part of this runs in the suite (tests/unit/test_error_rates.py), with bounds.
"""

import argparse
import math
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import simulated
from verdict_cells import (
    FURTHER_RUN,
    KINDS,
    NUMBERS,
    ON_THE_LINE,
    READINGS,
    RULES,
    SEEDS,
    Cell,
    Found,
    cells,
    number_rate,
    simulate,
)

PAGE = Path(__file__).parents[1] / "docs" / "verdict-rates.md"


def percent(share: float) -> str:
    return f"{share * 100:.1f}"


def row(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


def table(heads: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    ruler = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join(row(*cells) for cells in (heads, ruler, *rows))


def page(results: Mapping[Cell, Found], studies: int, seconds: float) -> str:
    def of(truth: str, kind: str, seeds: int, readings: int = 1) -> Found:
        [found] = [
            found
            for cell, found in results.items()
            if (cell.truth, cell.kind, cell.seeds, cell.readings) == (truth, kind, seeds, readings)
        ]
        return found

    def rate(found: Found, count: int) -> str:
        return percent(count / found.studies)

    enough = [seeds for seeds in SEEDS if seeds > 2]
    by_rule: list[list[object]] = []
    for name, rule in [*RULES.items(), *ON_THE_LINE.items(), *FURTHER_RUN.items()]:
        truth = "line" if name in ON_THE_LINE else "equal"
        cells = [of(truth, kind, seeds) for kind in KINDS for seeds in enough]
        by_rule.append([f"{name}: {rule}", *(rate(f, f.alone[name]) for f in cells)])
    family = [
        [kind, *(rate(f := of("equal", kind, seeds), f.any_firm) for seeds in SEEDS)]
        for kind in KINDS
    ]
    warned = [
        [kind, *(rate(f := of("equal", kind, seeds), f.warned) for seeds in SEEDS)]
        for kind in KINDS
        if kind != "skewed times"
    ]
    readings = [["any", *(rate(f := of("equal", "normal", 3, n), f.any_firm) for n in READINGS)]]
    orders = {name: RULES[name] for name in ("S1", "S2", "S5", "S11", "S17")}
    orders |= {"S13": "knee of the Pareto front", "S18": "twice the time of another"}
    at_article = [of("article", "normal", seeds) for seeds in enough]
    power = [
        [f"{name}: {words}", *(rate(f, f.supported[name]) for f in at_article)]
        for name, words in orders.items()
    ]
    power += [
        [f"{name}: {words}", *(percent(number_rate(name, seeds)) for seeds in enough)]
        for name, words in NUMBERS.items()
    ]
    error = 2 * math.sqrt(0.05 * 0.95 / studies) * 100
    at_half = math.sqrt(0.25 / studies) * 100
    kinds = [f"{kind}, {seeds}" for kind in KINDS for seeds in enough]
    return f"""<!-- Made by scripts/verdict_rates.py. -->

# How often are verdicts wrong?

Measured by simulation, in {seconds / 60:.0f} minutes with {os.cpu_count()} processes on
{machine()}:

```sh
PYTHONPATH=tests/unit nice -n 10 python scripts/verdict_rates.py
```

All numbers are percent of studies, {studies:,} in each cell ({studies // 4:,} with one or two
seeds): a rate of 5 % is known to ±{error:.1f} (two standard errors), one of 50 % to
±{2 * at_half:.1f}.

A study has ResNet-18, 50 and 152 and {simulated.IMAGES:,} test images, of which some are hard for
all networks. Its seeds differ by 0.3 points of accuracy (standard deviation), by 3 % in time, and
by 2 % in losses.
*Skewed times* are log-normal with 40 %; of *outlying runs* one in ten is about 5 points less
accurate.

## Firm verdicts where nothing is true

The networks are equal in everything, with a fall of the loss exactly at its threshold (for S13 and
S18: exactly on the line of the knee, and exactly twice the time). The article's printed numbers are
those of one further run. Every firm verdict is then wrong, in either direction, but for a printed
number that is supported; and so is every recommendation beyond chance.

Any firm verdict or recommendation in a study of one reading, corrected for all its tests, by number
of seeds:

{table(["Seeds", *map(str, SEEDS)], family)}

With outlying runs it is the printed numbers that are called wrong, as the table by rule shows: an
interval from normal seeds does not expect a run five points lower. Orders of networks suffer in
power, not in false verdicts.

The same with three seeds, normal, by number of readings, without printed numbers where there are
several (a reading of its own has no run in the article):

{table(["Readings", *map(str, READINGS)], readings)}

Each rule as if it were the only test of the study, by kind and number of seeds (below three seeds
none decides):

{table(["Rule", *kinds], by_rule)}

Studies in which a run is named as an outlier (Grubbs' test), by number of seeds:

{table(["Seeds", *map(str, SEEDS)], warned)}

With three seeds an outlier can hardly be seen.

## True claims that are found

The truth has the article's accuracies and minutes. Supported, corrected for all tests of the study,
by number of seeds:

{table(["Claim", *map(str, enough)], power)}

Losses are missing here: the article prints none. A printed number is supported where it lies inside
the prediction interval and this is narrow enough; its rates are those of seeds around the article's
value on the article's test images.
"""


def machine() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return f"{names[0] if names else platform.machine()}, shared with other work"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=PAGE)
    parser.add_argument("--studies", type=int, default=1000)
    asked = parser.parse_args()
    begun, results = time.monotonic(), {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for cell, found in pool.map(simulate, cells(asked.studies)):
            results[cell] = found
            print(f"{time.monotonic() - begun:5.0f} s  {cell}", file=sys.stderr)
    asked.file.write_text(page(results, asked.studies, time.monotonic() - begun), encoding="utf-8")


if __name__ == "__main__":
    main()
