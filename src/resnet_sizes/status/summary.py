"""A study's state in a sentence, and when it will be done."""

import heapq
from collections.abc import Mapping, Sequence

from resnet_sizes.io.messages import duration
from resnet_sizes.schemas.operations import RunStage, RunStatus, StudyStatus

UNFINISHED: tuple[RunStage, ...] = (
    "running",
    "queued",
    "waiting",
    "outdated",
    "failed",
    "stale",
    "invalid",
)
"""In the order in which a sentence names them."""


def summary(name: str, counts: Mapping[RunStage, int], left: float | None) -> str:
    """`demo: 3 of 9 runs done, 1 running, 5 waiting; about 12 min left`."""
    parts = [f"{counts['done']} of {sum(counts.values())} runs done", *_others(counts)]
    text = f"{name}: {', '.join(parts)}"
    return text if left is None else f"{text}; about {duration(left)} left"


def _others(counts: Mapping[RunStage, int]) -> list[str]:
    return [f"{counts[state]} {state}" for state in UNFINISHED if counts[state]]


def is_at_rest(status: StudyStatus) -> bool:
    """Whether nothing is under way and something went wrong. A study that merely waits may be
    about to begin."""
    counts = status.counts
    works = counts["running"] or counts["queued"] or status.snakemake.state != "away"
    return not works and any(counts[state] for state in ("failed", "stale", "invalid"))


def last_sentence(status: StudyStatus) -> str:
    """What `--watch` says at its end."""
    done, runs = status.counts["done"], len(status.runs)
    if done == runs:
        return "All runs are done."
    parts = [f"{done} of {runs} runs are done", *_others(status.counts)]
    return (
        f"Nothing is under way any more: {', '.join(parts)}. The plain snakemake command goes on."
    )


def seconds_left(runs: Sequence[RunStatus], taken: Sequence[float]) -> float | None:
    """Seconds until the last run is done, if as many go on side by side as do now.

    `taken` is what each finished run took, in seconds. None unless something runs, every running
    one has an estimate, and every waiting one has a finished one of its protocol and model beside
    it; and where a queue, a failure or a killed run makes it a guess.
    """
    under_way = [run.remaining_seconds for run in runs if run.state == "running"]
    known = [seconds for seconds in under_way if seconds is not None]
    unsure = any(run.state in ("queued", "failed", "stale", "invalid") for run in runs)
    if unsure or not known or len(known) < len(under_way):
        return None
    like: dict[tuple[str, str], list[float]] = {}
    for run, seconds in zip(runs, taken, strict=True):
        if run.state == "done":
            like.setdefault((run.protocol, run.model), []).append(seconds)
    slots = list(known)
    heapq.heapify(slots)
    for run in runs:
        if run.state in ("waiting", "outdated"):
            finished = like.get((run.protocol, run.model))
            if not finished:
                return None
            heapq.heapreplace(slots, slots[0] + sum(finished) / len(finished))
    return max(slots)
