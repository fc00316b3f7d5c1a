"""Which models no other beats in training time and accuracy at once."""

from collections.abc import Mapping
from statistics import mean

from resnet_sizes.evidence.runs.measurements import by_depth, on_one_device, outcome
from resnet_sizes.evidence.runs.read import StudyRuns

Point = tuple[float, float]
"""Training minutes and accuracy."""


def mean_points(runs: StudyRuns, protocol: str) -> dict[str, Point]:
    """Mean minutes and accuracy (fraction) of each model that has finished runs, from shallow
    to deep."""
    points = {}
    for model in by_depth(runs.study.models):
        outcomes = [outcome(run) for run in runs.of(protocol, model)]
        if outcomes:
            points[model] = (mean(o.minutes for o in outcomes), mean(o.accuracy for o in outcomes))
    return points


def times_compare(runs: StudyRuns, protocol: str) -> bool:
    """Whether the times of all models were measured on one device."""
    return on_one_device(run for model in runs.study.models for run in runs.of(protocol, model))


def pareto_front(points: Mapping[str, Point]) -> list[str]:
    """The models of the Pareto front, from fast to slow.

    A model is on it unless another is at least as fast and as accurate, and better in one.
    """
    front = [name for name, own in points.items() if not _is_beaten(own, points)]
    return sorted(front, key=points.__getitem__)


def _is_beaten(own: Point, points: Mapping[str, Point]) -> bool:
    minutes, accuracy = own
    return any(
        other != own and other[0] <= minutes and other[1] >= accuracy for other in points.values()
    )
