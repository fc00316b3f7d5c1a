"""Claims about an order: a quantity rises or falls from model to model, one model has the most or
the least of it, or is the best choice."""

import math
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise, product
from typing import Literal, Self

from pydantic import Field, model_validator

from resnet_sizes.schemas.article.claims.base import (
    Condition,
    ConditionKind,
    Models,
    OfQuantity,
    OrderClaim,
    Outcomes,
    TableRow,
    above,
    longer,
)
from resnet_sizes.schemas.article.columns import FROM_DEFINITIONS
from resnet_sizes.schemas.base import Number, Record
from resnet_sizes.schemas.hardware import shipped_network_costs
from resnet_sizes.schemas.study.networks import ModelName, depth_of


class Ordering(OfQuantity, OrderClaim):
    """`quantity` rises strictly from the first model to the last."""

    models: Models = Field(min_length=2, description="From the least to the most.")
    rule: Literal["ordering"]

    def compared(self) -> list[tuple[str, str]]:
        return self._measured_of(self.models)

    def conditions(self, means: Outcomes) -> list[Condition]:
        return [above(self.quantity, more, less) for less, more in pairwise(self.models)]


class Ratio(Ordering):
    """Training times rise from the first model to the last, each in the ratio to the first that
    the table's minutes have.

    It holds where they rise: how far the ratios are from the printed ones is a matter of degree,
    which the test decides.
    """

    rule: Literal["ratio"]  # type: ignore[assignment]
    quantity: Literal["minutes"] = Field(description="Times alone.")
    tolerance: Number = Field(gt=0, lt=1)
    """Fraction by which a ratio may differ from the printed one and still be the same: ratios of
    the same networks differ from device to device."""

    def check_against(self, rows: Mapping[str, TableRow], base_model: str) -> None:
        for model in self.models:
            row = rows.get(model)
            if row is None or float(row.cells.get("minutes") or 0) <= 0:
                raise ValueError(
                    f"claims: {self.id} compares the training time of {model}, but the table "
                    "prints no minutes above 0 for it. Add them there, or use the rule `ordering`"
                )


class Factor(OrderClaim):
    """The training time of `model` is at least `at_least` times that of `than`."""

    rule: Literal["factor"]
    quantity: Literal["minutes"] = Field(description="Times alone.")
    model: ModelName = Field(description="Name of the network.")
    than: ModelName = Field(description="The quicker one.")
    at_least: Number = Field(gt=1, description="How many times as long.")

    @property
    def base(self) -> str:
        """As other rules name it."""
        return self.than

    @model_validator(mode="after")
    def _models_differ(self) -> "Factor":
        if self.model == self.than:
            raise ValueError(f"than: is {self.than} like model. Name another one")
        return self

    def compared(self) -> list[tuple[str, str]]:
        return [(self.model, self.quantity), (self.than, self.quantity)]

    def holds(self, outcomes: Outcomes) -> bool:
        return outcomes[self.model].minutes >= self.at_least * outcomes[self.than].minutes

    def conditions(self, means: Outcomes) -> list[Condition]:
        """A factor of times is a difference of their logarithms."""
        return [longer(self.model, self.than, math.log(self.at_least))]


class Decrease(OrderClaim):
    """The loss of every model falls by the fraction `at_least` from first to last epoch."""

    rule: Literal["decrease"]
    models: Models = Field(min_length=1, description="Each by itself.")
    at_least: Number = Field(gt=0, lt=1, description="Fraction of the first loss.")

    def compared(self) -> list[tuple[str, str]]:
        return [(model, "loss_drop") for model in self.models]

    def holds(self, outcomes: Outcomes) -> bool:
        return all(outcomes[model].loss_drop >= self.at_least for model in self.models)

    def conditions(self, means: Outcomes) -> list[Condition]:
        return [Condition("drop", "loss_drop", (m,), {m: 1.0}, self.at_least) for m in self.models]


class Diminishing(OrderClaim):
    """Accuracy gained per added layer is positive at the first step of depth and falls from
    each step to the next; `models` go from shallow to deep."""

    rule: Literal["diminishing"]
    models: Models = Field(min_length=3, description="From shallow to deep.")

    @model_validator(mode="after")
    def _models_go_deeper(self) -> "Diminishing":
        for shallower, deeper in pairwise(self.models):
            if depth_of(shallower) >= depth_of(deeper):
                raise ValueError(
                    f"models: must go from shallow to deep, but {deeper} has no more layers than "
                    f"{shallower}, so that there is no gain per layer"
                )
        return self

    def compared(self) -> list[tuple[str, str]]:
        return [(model, what) for model in self.models for what in ("accuracy", "layers")]

    def conditions(self, means: Outcomes) -> list[Condition]:
        steps = list(pairwise(self.models))
        gains = []
        for shallower, deeper in steps:
            per_layer = 1 / (depth_of(deeper) - depth_of(shallower))
            gains.append({deeper: per_layer, shallower: -per_layer})
        found = [Condition("gain", "accuracy", steps[0], gains[0])]
        for (step, following), (gain, later) in zip(pairwise(steps), pairwise(gains), strict=True):
            models = (*step, following[1])
            weights = {model: gain.get(model, 0.0) - later.get(model, 0.0) for model in models}
            found.append(Condition("gain-falls", "accuracy", models, weights))
        return found


class OneAmong(Record):
    """A model that is set against others."""

    model: ModelName = Field(description="Name of the network.")
    among: Models = Field(min_length=2, description="It and those that it is set against.")

    @model_validator(mode="after")
    def _model_is_among_them(self) -> Self:
        if self.model not in self.among:
            raise ValueError(
                f"model: {self.model} is not in among ({', '.join(self.among)}). Add it there"
            )
        return self

    @property
    def _others(self) -> list[str]:
        return [model for model in self.among if model != self.model]


class Part(OfQuantity, OneAmong):
    """`model` has the `highest` or `lowest` quantity of `among`, and no other has the same."""

    extreme: Literal["highest", "lowest"] = Field(description="Which it has.")

    def compared(self) -> list[tuple[str, str]]:
        """Each model with the quantity."""
        return self._measured_of(self.among)

    def conditions(self, means: Outcomes) -> list[Condition]:
        """One for each of the other models."""
        if self.extreme == "highest":
            return [above(self.quantity, self.model, other) for other in self._others]
        return [above(self.quantity, other, self.model) for other in self._others]


class Extreme(Part, OrderClaim):
    """As a part of a conjunction, standing alone."""

    rule: Literal["extreme"]

    @property
    def question(self) -> Hashable:
        if self.quantity == "error":  # the lowest is the highest accuracy
            other = "highest" if self.extreme == "lowest" else "lowest"
            return "accuracy", other, frozenset(self.among)
        return self.quantity, self.extreme, frozenset(self.among)


class Conjunction(OrderClaim):
    """All parts hold together."""

    rule: Literal["conjunction"]
    parts: list[Part] = Field(min_length=2, description="What holds together.")

    @property
    def model(self) -> str:
        """The one that it is about."""
        return self.parts[0].model

    def compared(self) -> list[tuple[str, str]]:
        return [pair for part in self.parts for pair in part.compared()]

    def by_yardstick(self) -> Sequence["Conjunction"]:
        ways = product(*(part.by_yardstick() for part in self.parts))
        return [self.model_copy(update={"parts": list(parts)}) for parts in ways]

    def conditions(self, means: Outcomes) -> list[Condition]:
        return [condition for part in self.parts for condition in part.conditions(means)]

    @model_validator(mode="after")
    def _definitions_stand_apart(self) -> "Conjunction":
        if len({part.quantity in FROM_DEFINITIONS for part in self.parts}) > 1:
            raise ValueError(
                "parts: some compare layers or parameters, which need no data, and some do not. "
                "Make two claims of them"
            )
        return self


class FewestResources(OneAmong, OrderClaim):
    """`model` has fewer parameters than each other of `among`, and needs fewer multiply-accumulates
    for an image of the same size, whatever the size and the first layers."""

    rule: Literal["fewest-resources"]

    def compared(self) -> list[tuple[str, str]]:
        return [(model, what) for what in ("parameters", "macs") for model in self.among]

    def holds(self, outcomes: Outcomes) -> bool:
        """By the networks' definitions alone, whatever the outcomes."""
        networks = shipped_network_costs().networks
        return all(
            own.parameters < other.parameters and own.macs_per_image < other.macs_per_image
            for own, other in product(networks, networks)
            if own.model == self.model and other.model in self._others
            if (own.stem, own.input_size) == (other.stem, other.input_size)
        )

    def conditions(self, means: Outcomes) -> list[Condition]:
        return []  # nothing is measured


class ParetoKnee(OneAmong, OrderClaim):
    """`model` is the knee of the Pareto front of (minutes, accuracy): more accurate than each
    faster model, and of those between the fastest and the slowest the farthest above the line
    from one to the other. The fastest one must be the most accurate.

    That is the knee of Satopää et al. ("Finding a 'Kneedle' in a haystack", ICDCS Workshops 2011),
    whatever the scales of the axes. A knee that is also more accurate than the slowest model has
    beaten it outright, and the fastest model is the best choice where it is the most accurate as
    well.
    """

    rule: Literal["pareto-knee"]
    among: Models = Field(min_length=3, description="It and those that it is set against.")

    @property
    def question(self) -> Hashable:
        return "knee", frozenset(self.among)

    def compared(self) -> list[tuple[str, str]]:
        return [(model, what) for model in self.among for what in ("minutes", "accuracy")]

    def premises(self, means: Outcomes) -> list[Condition]:
        """The order of the times, which says what is compared with what."""
        return _order_of_times(self.among, means)

    def conditions(self, means: Outcomes) -> list[Condition]:
        """In the order of times that is seen. Times have a spread like accuracies: they place the
        line, so that each height above it varies with them too."""
        own = str(self.model)
        cheap, *middle, dear = _by_time(self.among, means)
        if own == cheap:
            return [above("accuracy", own, other) for other in self._others]
        if own == dear:
            return []  # the slowest, which is no knee whatever the accuracies are
        heights = [{own: 1.0}, *({own: 1.0, other: -1.0} for other in middle if other != own)]
        faster = [other for other in self._others if means[other].minutes <= means[own].minutes]
        return [
            *(_above_chord(each, cheap, dear, means) for each in heights),
            *(above("accuracy", own, other) for other in faster),
        ]


class ParetoFront(OrderClaim):
    """None of `models` is at least as fast and as accurate as another: each slower one is more
    accurate, so that who chooses has to trade one for the other."""

    rule: Literal["pareto-front"]
    models: Models = Field(min_length=2, description="In any order.")

    def compared(self) -> list[tuple[str, str]]:
        return [(model, what) for model in self.models for what in ("minutes", "accuracy")]

    def premises(self, means: Outcomes) -> list[Condition]:
        return _order_of_times(self.models, means)

    def conditions(self, means: Outcomes) -> list[Condition]:
        steps = pairwise(_by_time(self.models, means))
        return [above("accuracy", slower, faster) for faster, slower in steps]


def _by_time(models: Sequence[str], means: Outcomes) -> list[str]:
    """From the fastest to the slowest."""
    return sorted(map(str, models), key=lambda model: means[model].minutes)


def _order_of_times(models: Sequence[str], means: Outcomes) -> list[Condition]:
    return [above("minutes", more, less) for less, more in pairwise(_by_time(models, means))]


def _above_chord(heights: Mapping[str, float], cheap: str, dear: str, means: Outcomes) -> Condition:
    """A weighted sum of heights above the line from the fastest model to the slowest: of one
    model, or of one less another.

    Of model m the height is a(m) − a(cheap) − w · (a(dear) − a(cheap)), with accuracies a and
    w = (t(m) − t(cheap)) / (t(dear) − t(cheap)) of the times t. Times `dear − cheap` it is a sum
    of products of accuracies and times; its derivatives by the times, over `dear − cheap`, are
    the weights of the minutes (as in Fieller, Journal of the Royal Statistical Society B 16, 1954).
    """
    span = means[dear].minutes - means[cheap].minutes
    rise = means[dear].accuracy - means[cheap].accuracy
    weights: dict[str, float] = dict.fromkeys((*heights, cheap, dear), 0.0)
    by_minute = dict(weights)
    for model, weight in heights.items():
        share = (means[model].minutes - means[cheap].minutes) / span if span else 0.0
        gain = means[model].accuracy - means[cheap].accuracy
        for name, of_accuracy, of_minutes in (
            (model, 1.0, -rise),
            (cheap, share - 1, rise - gain),
            (dear, -share, gain),
        ):
            weights[name] += weight * of_accuracy
            by_minute[name] += weight * of_minutes / span if span else 0.0
    kind: ConditionKind = "higher-above-chord" if len(heights) > 1 else "above-chord"
    models = tuple(heights) if len(heights) > 1 else (*heights, cheap, dear)
    return Condition(kind, "accuracy", models, weights, minute_weights=by_minute)
