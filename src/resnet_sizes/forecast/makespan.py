"""How long a whole study takes on several devices: its runs, dealt out one after the other."""

import heapq
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ExpectedRun:
    """One run, in seconds."""

    seconds: float
    """Of what the run does for itself: training, evaluation, start."""
    features: Hashable | None = None
    """Equal for runs that share the features of a frozen backbone."""
    feature_seconds: float = 0.0
    """Of the pass that computes them, which the first of these runs does."""


def makespan(runs: Sequence[ExpectedRun], devices: int) -> float:
    """Seconds until the last run ends, when each free device takes the next run in order.

    A run whose features another one is computing waits for them, and holds its device meanwhile,
    as `resnet-sizes train` does. Raises ValueError without a device.
    """
    if devices < 1:
        raise ValueError(f"devices: found {devices}; allowed: 1 or more")
    free = [0.0] * devices
    ready: dict[Hashable, float] = {}
    for run in runs:
        begin = heapq.heappop(free)
        if run.features is not None:
            begin = max(begin, ready.setdefault(run.features, begin + run.feature_seconds))
        heapq.heappush(free, begin + run.seconds)
    return max(free)


def least_possible(runs: Sequence[ExpectedRun], devices: int) -> float:
    """Seconds that no order can go below: all work shared evenly, or the longest run alone."""
    passes = {run.features: run.feature_seconds for run in runs if run.features is not None}
    work = sum(run.seconds for run in runs) + sum(passes.values())
    longest = max((run.seconds + passes.get(run.features, 0.0) for run in runs), default=0.0)
    return max(work / devices, longest)
