"""The rules of the claims by themselves, on numbers instead of runs; and that the conditions which
are tested say the same as the rules by which claims hold."""

import math
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import ARTICLE, MODELS

from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.article.claims import OrderClaim
from resnet_sizes.schemas.article.claims.base import (
    LOG_MINUTES,
    Condition,
    Needs,
    Outcome,
    Outcomes,
    half_unit,
    printed_ends,
)
from resnet_sizes.schemas.article.claims.orders import (
    Factor,
    FewestResources,
    Ordering,
    ParetoFront,
    ParetoKnee,
)
from resnet_sizes.schemas.study.protocol import Description

TEXT = Description(pt="x", en="x")

NEEDS = Needs(data=["cifar10"])

DEPTHS = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


def table(
    accuracies: list[float], minutes: list[float] | None = None, models: list[str] = DEPTHS
) -> Outcomes:
    times = minutes or [1.0] * len(accuracies)
    return {
        model: Outcome(model, accuracy, time, 2.0, 1.0)
        for model, accuracy, time in zip(models, accuracies, times, strict=False)
    }


def ordering(models: list[str]) -> Ordering:
    return Ordering.model_validate(
        {"id": "S1", "place": "table", "text": TEXT, "needs": NEEDS}
        | {"rule": "ordering", "quantity": "accuracy", "models": models}
    )


def knee(model: str, among: list[str]) -> ParetoKnee:
    return ParetoKnee.model_validate(
        {"id": "S1", "place": "table", "text": TEXT, "needs": NEEDS}
        | {"rule": "pareto-knee", "model": model, "among": among}
    )


def order(name: str) -> OrderClaim:
    """A claim of the article on an order."""
    [claim] = [item for item in load_article(ARTICLE).claims if item.id == name]
    assert isinstance(claim, OrderClaim)
    return claim


def test_an_end_of_the_front_is_no_knee_whatever_rounding_says() -> None:
    # 1/64 − (1/64)/206 · 206 is a little more than zero.
    ends = table([0.0, 1 / 64, 0.0], [45.0, 251.0, 45.0], ["resnet18", "resnet50", "resnet152"])
    assert not knee("resnet50", ["resnet18", "resnet50", "resnet152"]).holds(ends)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_an_ordering_holds_where_sorting_changes_nothing(values: list[float]) -> None:
    rises = values == sorted(values) and len(set(values)) == len(values)
    assert ordering(DEPTHS[: len(values)]).holds(table(values)) == rises


@given(st.lists(st.floats(0, 1), min_size=2, max_size=4, unique=True))
def test_exactly_one_ordering_of_different_values_holds(values: list[float]) -> None:
    models = DEPTHS[: len(values)]
    held = [order for order in permutations(models) if ordering(list(order)).holds(table(values))]
    assert held == [tuple(sorted(models, key=lambda model: values[models.index(model)]))]


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=5),
    st.lists(st.floats(0.1, 100), min_size=5, max_size=5),
)
def test_at_most_one_model_is_the_knee(accuracies: list[float], minutes: list[float]) -> None:
    models = DEPTHS[: len(accuracies)]
    numbers = table(accuracies, minutes)
    knees = [model for model in models if knee(model, models).holds(numbers)]
    assert len(knees) <= 1
    for model in knees:
        # Nothing is at once as fast and as accurate: it is on the front.
        assert not any(
            numbers[other].minutes <= numbers[model].minutes
            and numbers[other].accuracy > numbers[model].accuracy
            for other in models
        )


@pytest.mark.parametrize(
    ("accuracies", "minutes", "expected"),
    [
        ([0.80, 0.84, 0.86], [41, 112, 262], True),  # above the chord
        ([0.80, 0.81, 0.86], [41, 112, 262], False),  # below it
        ([0.80, 0.79, 0.86], [41, 112, 262], False),  # slower and worse than the first
        ([0.80, 0.87, 0.86], [41, 112, 262], True),  # beats the slower one outright
        ([0.80, 0.79, 0.70], [41, 112, 262], False),  # above the line, but worse than the first
        ([0.80, 0.84, 0.82], [112, 41, 262], True),  # the fastest and the most accurate
        ([0.80, 0.84, 0.86], [112, 41, 262], False),  # the fastest, and another is better
        ([0.80, 0.86, 0.84], [41, 262, 112], False),  # the slowest
        ([0.80, 0.84, 0.84], [41, 41, 41], False),  # no trade-off to be made
    ],
)
def test_the_knee_is_better_than_all_faster_ones_and_above_the_line(
    accuracies: list[float], minutes: list[float], expected: bool
) -> None:
    numbers = table(accuracies, minutes, list(MODELS))
    assert knee("resnet50", list(MODELS)).holds(numbers) == expected


def front(models: list[str]) -> ParetoFront:
    return ParetoFront.model_validate(
        {"id": "S1", "place": "table", "text": TEXT, "needs": NEEDS}
        | {"rule": "pareto-front", "models": models}
    )


@pytest.mark.parametrize(
    ("accuracies", "minutes", "expected"),
    [
        ([0.80, 0.84, 0.86], [41, 112, 262], True),
        ([0.80, 0.81, 0.86], [41, 112, 262], True),  # below the chord, and still on the front
        ([0.86, 0.84, 0.80], [262, 112, 41], True),  # whichever of them is the deepest
        ([0.80, 0.86, 0.84], [41, 112, 262], False),  # the slowest is beaten
        ([0.80, 0.80, 0.86], [41, 112, 262], False),  # as accurate, and slower
        ([0.80, 0.84, 0.86], [41, 41, 262], False),  # as fast, and more accurate
    ],
)
def test_all_are_on_the_front_where_each_slower_one_is_more_accurate(
    accuracies: list[float], minutes: list[float], expected: bool
) -> None:
    numbers = table(accuracies, minutes, list(MODELS))
    assert front(list(MODELS)).holds(numbers) == expected


@given(
    st.lists(st.integers(0, 6), min_size=3, max_size=5),
    st.lists(st.integers(1, 6), min_size=5, max_size=5),
)
def test_a_front_of_all_is_one_on_which_none_is_beaten(
    accuracies: list[int], minutes: list[int]
) -> None:
    models = DEPTHS[: len(accuracies)]
    numbers = table([float(a) for a in accuracies], [float(m) for m in minutes], models)
    beaten = any(
        numbers[other].minutes <= numbers[model].minutes
        and numbers[other].accuracy >= numbers[model].accuracy
        for model, other in permutations(models, 2)
    )
    assert front(models).holds(numbers) != beaten


@pytest.mark.parametrize(("minutes", "expected"), [(200, False), (224, True), (262, True)])
def test_a_factor_of_times_holds_from_that_factor_on(minutes: float, expected: bool) -> None:
    claim = order("S18")
    assert claim.holds(table([0.8, 0.8, 0.8], [41, 112, minutes], list(MODELS))) == expected


def test_a_factor_is_between_two_models() -> None:
    own = {"rule": "factor", "quantity": "minutes", "model": "resnet50", "than": "resnet50"}
    with pytest.raises(ValueError, match="Name another one"):
        Factor.model_validate(
            {"id": "S1", "place": "table", "text": TEXT, "needs": NEEDS, "at_least": 2} | own
        )


@pytest.mark.parametrize(("model", "expected"), [("resnet18", True), ("resnet50", False)])
def test_the_fewest_resources_are_known_without_a_run(model: str, expected: bool) -> None:
    claim = FewestResources.model_validate(
        {"id": "S1", "place": "methods", "text": TEXT, "rule": "fewest-resources"}
        | {"model": model, "among": list(MODELS)}
    )
    assert claim.true_by_construction
    assert claim.holds({}) == expected


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.80, 0.83, 0.85], True),
        ([0.80, 0.83, 0.80], True),  # more depth even hurts in the end
        ([0.80, 0.81, 0.90], False),  # the gain a layer grows
        ([0.80, 0.79, 0.70], False),  # no benefit that could diminish
    ],
)
def test_a_benefit_diminishes_only_where_there_is_one(
    accuracies: list[float], expected: bool
) -> None:
    claim = order("S5")
    assert claim.holds(table(accuracies, models=list(MODELS))) == expected


@pytest.mark.parametrize(("final", "expected"), [(1.5, True), (1.51, False), (2.5, False)])
def test_a_loss_falls_markedly_by_a_quarter(final: float, expected: bool) -> None:
    claim = order("S6")
    falling = Outcome("resnet18", 0.8, 1.0, 2.0, 0.5)
    last = Outcome("resnet152", 0.8, 1.0, 2.0, final)
    outcomes = dict(zip(MODELS, [falling, falling, last], strict=True))
    assert claim.holds(outcomes) == expected


def test_a_tie_for_the_best_is_not_the_best() -> None:
    claim = order("S11")
    assert not claim.holds(table([0.8, 0.86, 0.86], models=list(MODELS)))
    assert claim.holds(table([0.8, 0.85, 0.86], models=list(MODELS)))


@pytest.mark.parametrize(
    ("printed", "half"), [("80.84", 0.005), ("41", 0.5), ("3", 0.5), ("0.80", 0.005), ("100", 0.5)]
)
def test_half_a_unit_of_the_print_follows_its_digits(printed: str, half: float) -> None:
    assert float(half_unit(printed)) == half


@given(st.floats(-1000, 1000), st.integers(0, 3))
def test_a_printed_number_stands_for_all_that_round_to_it(value: float, digits: int) -> None:
    printed = f"{value:.{digits}f}"
    low, high = printed_ends(printed)
    assert low <= value <= high or abs(value * 10**digits % 1) == pytest.approx(0.5)
    low, high = printed_ends(f"{float(printed) + 2 * 10.0**-digits:.{digits}f}")
    assert not low <= value <= high


def test_the_articles_points_per_layer_diminish() -> None:
    rows = load_article(ARTICLE).table
    points = [(row.percent_right, int(row.cells.get("layers") or 0)) for row in rows]
    gains = [(after - before) / (deep - flat) for (before, flat), (after, deep) in pairwise(points)]
    assert gains == pytest.approx([0.0847, 0.0234], abs=1e-4)


CLAIMS = [
    claim
    for claim in load_article(Path(ARTICLE)).claims
    if isinstance(claim, OrderClaim) and not claim.true_by_construction
]

# Whole numbers, so that no sum differs by a rounding error from the rule's.
outcomes = st.builds(
    Outcome,
    model=st.just("resnet18"),
    accuracy=st.integers(0, 64).map(lambda n: n / 64),
    minutes=st.integers(1, 300).map(float),
    initial_loss=st.integers(64, 128).map(lambda n: n / 64),
    final_loss=st.integers(0, 128).map(lambda n: n / 64),
)


def met(condition: Condition, table: dict[str, Outcome]) -> bool:
    """By exact comparison of times instead of their logarithms."""
    if condition.kind == "factor":
        more, less = (table[model].minutes for model in condition.models)
        return bool(more >= round(math.exp(condition.threshold), 9) * less)
    quantity = "minutes" if condition.quantity == LOG_MINUTES else condition.quantity
    total = sum(w * getattr(table[model], quantity) for model, w in condition.weights.items())
    return bool(total > condition.threshold + 1e-12)


def conditions_of(claim: OrderClaim, table: dict[str, Outcome]) -> list[Condition] | None:
    """The conditions by all yardsticks; None where one has none, so that it cannot hold."""
    of_each = [each.conditions(table) for each in claim.by_yardstick()]
    return [one for each in of_each for one in each] if all(of_each) else None


@settings(max_examples=300)
@given(st.tuples(outcomes, outcomes, outcomes))
def test_a_claim_holds_where_all_of_its_conditions_are_met(
    numbers: tuple[Outcome, Outcome, Outcome],
) -> None:
    table = {
        model: Outcome(model, o.accuracy, o.minutes, o.initial_loss, o.final_loss)
        for model, o in zip(MODELS, numbers, strict=True)
    }
    for claim in CLAIMS:
        conditions = conditions_of(claim, table)
        # The slowest model has no condition that could make it a knee.
        expected = conditions is not None and all(met(each, table) for each in conditions)
        if claim.rule in ("diminishing", "pareto-knee", "decrease") and _on_the_border(
            conditions or [], table
        ):
            continue
        if claim.premises(table) and len({each.minutes for each in table.values()}) < len(table):
            continue  # its premise, an order of the times, is not met
        assert claim.holds(table) == expected, claim.id


def _on_the_border(conditions: list[Condition], table: dict[str, Outcome]) -> bool:
    """Sums of thirds and the like: equal but for rounding; and a fall by just the threshold."""
    sums = [
        sum(w * getattr(table[model], c.quantity) for model, w in c.weights.items()) - c.threshold
        for c in conditions
    ]
    return any(abs(total) < 1e-9 for total in sums)


def is_knee(own: str, table: dict[str, Outcome]) -> bool:
    """By the words: no faster model is as accurate, and none is as far above the line."""
    points = {model: (one.minutes, one.accuracy) for model, one in table.items()}
    fastest, slowest = min(points.values()), max(points.values())
    minutes, accuracy = points.pop(own)
    if minutes == fastest[0]:
        return all(accuracy > other for _, other in points.values())
    slope = (slowest[1] - fastest[1]) / (slowest[0] - fastest[0])
    heights = [a - fastest[1] - slope * (m - fastest[0]) for m, a in points.values()]
    height = accuracy - fastest[1] - slope * (minutes - fastest[0])
    faster = [a for m, a in points.values() if m < minutes]
    # Both ends lie on the line, so that the slowest is above none.
    return minutes < slowest[0] and accuracy > max(faster) and height > max(heights)


@settings(max_examples=200)
@given(st.tuples(outcomes, outcomes, outcomes, outcomes), st.integers(3, 4))
def test_the_knee_is_the_farthest_above_the_line(
    numbers: tuple[Outcome, Outcome, Outcome, Outcome], size: int
) -> None:
    table = dict(list(zip([*MODELS, "resnet34"], numbers, strict=True))[:size])
    for model in table:
        claim = knee(model, list(table))
        different = len({each.minutes for each in table.values()}) == len(table)
        if different and not _on_the_border(claim.conditions(table), table):
            assert claim.holds(table) == is_knee(model, table)


@settings(max_examples=100)
@given(st.tuples(outcomes, outcomes, outcomes), st.sampled_from(MODELS))
def test_minutes_weigh_in_a_height_as_a_minute_more_changes_it(
    numbers: tuple[Outcome, Outcome, Outcome], moved: str
) -> None:
    """The derivative of height · (slowest − fastest), over that span, by differences."""
    table = dict(zip(MODELS, numbers, strict=True))
    fast, own, slow = sorted(MODELS, key=lambda model: table[model].minutes)
    if len({each.minutes for each in table.values()}) < len(table):
        return
    (knee,) = [claim for claim in CLAIMS if isinstance(claim, ParetoKnee)]
    found = knee.model_copy(update={"model": own}).conditions(table)[0]

    def height_by_span(minutes: dict[str, float]) -> float:
        a = {model: each.accuracy for model, each in table.items()}
        rise = (a[slow] - a[fast]) * (minutes[own] - minutes[fast])
        return (a[own] - a[fast]) * (minutes[slow] - minutes[fast]) - rise

    minutes = {model: each.minutes for model, each in table.items()}
    further = minutes | {moved: minutes[moved] + 1}
    change = (height_by_span(further) - height_by_span(minutes)) / (minutes[slow] - minutes[fast])
    assert found.minute_weights[moved] == pytest.approx(change, abs=1e-9)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_article_s_own_table_meets_every_condition_on_it(claim: OrderClaim) -> None:
    accuracies, minutes = (0.8084, 0.8355, 0.8594), (41.0, 112.0, 262.0)
    table = {
        model: Outcome(model, accuracy, time, 1.9 - number / 5, 0.9 - number / 3)
        for number, (model, accuracy, time) in enumerate(
            zip(MODELS, accuracies, minutes, strict=True)
        )
    }
    conditions = conditions_of(claim, table)
    assert conditions
    assert all(met(condition, table) for condition in conditions)
