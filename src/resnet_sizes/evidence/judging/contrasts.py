"""What a claim about an order asks of the means: linear conditions that must all hold.

`rules.holds` says of one set of numbers whether a claim holds. Here the same is a list of
weighted sums that must be above a threshold, so that each can be tested.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from resnet_sizes.schemas.article.claims import (
    Claim,
    Conjunction,
    Decrease,
    Diminishing,
    Extreme,
    Ordering,
    ParetoKnee,
    Part,
    Ratio,
)
from resnet_sizes.schemas.evidence.verdicts import ConditionKind
from resnet_sizes.schemas.study.protocol import LAYERS

LOG_MINUTES = "log_minutes"
"""Times differ by factors, and so does their spread: they are compared by their logarithms."""


@dataclass(frozen=True)
class Condition:
    """Σ weight · quantity(model) > threshold."""

    kind: ConditionKind
    quantity: str
    models: tuple[str, ...]
    weights: Mapping[str, float]
    threshold: float = 0.0


def conditions_of(claim: Claim, mean_minutes: Mapping[str, float]) -> list[Condition]:
    """The conditions of a claim about an order; empty where its rule is not linear.

    `mean_minutes` by model place the line of a Pareto knee, which is linear in the accuracies
    once the times are known.
    """
    return _CONDITIONS[claim.rule](claim, mean_minutes)


def _above(quantity: str, more: str, less: str) -> Condition:
    of_log = LOG_MINUTES if quantity == "minutes" else quantity
    return Condition("difference", of_log, (more, less), {more: 1.0, less: -1.0})


def _ordering(claim: Ordering | Ratio, _: Mapping[str, float]) -> list[Condition]:
    return [_above(claim.quantity, more, less) for less, more in pairwise(claim.models)]


def _extreme(claim: Extreme | Part, _: Mapping[str, float]) -> list[Condition]:
    own = claim.model
    others = [model for model in claim.among if model != own]
    if claim.extreme == "highest":
        return [_above(claim.quantity, own, other) for other in others]
    return [_above(claim.quantity, other, own) for other in others]


def _conjunction(claim: Conjunction, times: Mapping[str, float]) -> list[Condition]:
    return [condition for part in claim.parts for condition in _extreme(part, times)]


def _decrease(claim: Decrease, _: Mapping[str, float]) -> list[Condition]:
    return [
        Condition("drop", "loss_drop", (model,), {str(model): 1.0}, claim.at_least)
        for model in claim.models
    ]


def _diminishing(claim: Diminishing, _: Mapping[str, float]) -> list[Condition]:
    steps = list(pairwise(claim.models))
    gains = [_gain(*step) for step in steps]
    found = [Condition("gain", "accuracy", steps[0], gains[0])]
    for (step, following), (gain, later) in zip(pairwise(steps), pairwise(gains), strict=True):
        weights: dict[str, float] = {
            model: gain.get(model, 0.0) - later.get(model, 0.0) for model in (*step, following[1])
        }
        found.append(Condition("gain-falls", "accuracy", (*step, following[1]), weights))
    return found


def _gain(shallower: str, deeper: str) -> dict[str, float]:
    per_layer = 1 / (LAYERS[deeper] - LAYERS[shallower])
    return {deeper: per_layer, shallower: -per_layer}


def _pareto_knee(claim: ParetoKnee, times: Mapping[str, float]) -> list[Condition]:
    own: str = claim.model
    cheap, *middle, dear = sorted(claim.among, key=times.__getitem__)
    if times[own] <= times[cheap]:
        return [_above("accuracy", own, other) for other in claim.among if other != own]
    if times[own] >= times[dear]:
        return []  # the slowest, which is no knee whatever the accuracies are
    at_own = _height(own, cheap, dear, times)
    found = [Condition("above-chord", "accuracy", (own, cheap, dear), at_own)]
    for other in middle:
        if other != own:
            at_other = _height(other, cheap, dear, times)
            higher = {
                model: at_own.get(model, 0.0) - at_other.get(model, 0.0)
                for model in (own, other, cheap, dear)
            }
            found.append(Condition("higher-above-chord", "accuracy", (own, other), higher))
    faster = [model for model in claim.among if model != own and times[model] <= times[own]]
    return found + [_above("accuracy", own, model) for model in faster]


def _height(model: str, cheap: str, dear: str, times: Mapping[str, float]) -> dict[str, float]:
    """The weights of a model's accuracy above the line from the fastest to the slowest."""
    share = (times[model] - times[cheap]) / (times[dear] - times[cheap])
    return {model: 1.0, cheap: share - 1, dear: -share}


_CONDITIONS: dict[str, Callable[[Any, Mapping[str, float]], list[Condition]]] = {
    "ordering": _ordering,
    "ratio": _ordering,
    "extreme": _extreme,
    "conjunction": _conjunction,
    "decrease": _decrease,
    "diminishing": _diminishing,
    "pareto-knee": _pareto_knee,
}
