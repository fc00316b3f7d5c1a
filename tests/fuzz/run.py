"""Fuzzes every reader of files: `python tests/fuzz/run.py --each 12000`.

One process a kind, with a bound on its memory; prints a table, the slowest inputs and what was
found, and keeps the inputs that found something. Exit status 1 if there is a finding.
"""

import argparse
import logging
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "unit")]
os.environ.setdefault("OMP_NUM_THREADS", "1")

from fuzz_harness import MEMORY_MIB, SECONDS, Tally, fuzz  # noqa: E402
from fuzz_kinds import KINDS  # noqa: E402

from made_once import VARIABLE as SHARED_FOLDER  # noqa: E402

ADDRESS_SPACE = 8 * 1024**3
"""Far above what reading takes (torch alone maps gigabytes), far below what harms a machine."""


def fuzz_kind(number: int, count: int, seed: int) -> tuple[Tally, float]:
    """One kind in this process, and the seconds it took."""
    logging.getLogger("resnet_sizes").propagate = False  # what is printed here is the table
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[SHARED_FOLDER] = folder  # this process fuzzes one kind alone
        tally = fuzz(KINDS[number](Path(folder)), Path(folder), count, seed)
    return tally, time.perf_counter() - started


def main() -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=12_000, help="inputs of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=[], help="parts of names; otherwise all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-findings")
    options = parser.parse_args()
    numbers = [
        number
        for number, kind in enumerate(KINDS)
        if not options.kinds or any(part in kind.name for part in options.kinds)
    ]
    print(f"Bounds of one input: {SECONDS:g} s, {MEMORY_MIB} MiB. Seed {options.seed}.\n")
    print("| Inputs | Read | Accepted | Refused | Findings | Slowest | Peak rose by | Time |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    tallies: list[Tally] = []
    failed = False
    for number, result in _results(numbers, options):
        if result is None:
            print(f"| {KINDS[number].name} | the process ended: a crash, or too much memory |")
            failed = True
            continue
        tally, seconds = result
        tallies.append(tally)
        print(
            f"| {tally.name} | {tally.inputs:,} | {tally.accepted:,} | {tally.refused:,} "
            f"| {len(tally.findings)} | {tally.slowest:.2f} s | {tally.memory_mib:.0f} MiB "
            f"| {seconds:.0f} s |",
            flush=True,
        )
    print(
        f"| all | {sum(t.inputs for t in tallies):,} | {sum(t.accepted for t in tallies):,} "
        f"| {sum(t.refused for t in tallies):,} | {sum(len(t.findings) for t in tallies)} | | | |"
    )
    for tally in tallies:
        failed |= bool(tally.findings) or not tally.accepted or not tally.refused
        _keep(options.keep, tally)
    return int(failed)


def _results(numbers: list[int], options: argparse.Namespace):  # type: ignore[no-untyped-def]
    # A pool a kind's batch: a process that dies breaks its pool.
    context = get_context("spawn")
    for start in range(0, len(numbers), options.workers):
        batch = numbers[start : start + options.workers]
        pools = [ProcessPoolExecutor(1, mp_context=context) for _ in batch]
        futures = [
            pool.submit(fuzz_kind, number, options.each, options.seed)
            for pool, number in zip(pools, batch, strict=True)
        ]
        for number, future in zip(batch, futures, strict=True):
            try:
                yield number, future.result()
            except BrokenProcessPool:
                yield number, None
        for pool in pools:
            pool.shutdown()


def _keep(folder: Path, tally: Tally) -> None:
    for number, finding in enumerate(tally.findings.values()):
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{tally.name.replace(' ', '-').replace(',', '')}-{number}"
        path.write_bytes(finding.content)
        print(f"{tally.name}: {finding.times} × {finding.what}\n    {path}")
    print(f"{tally.name}: slowest begins with {tally.slowest_input[:60]!r}")


if __name__ == "__main__":
    sys.exit(main())
