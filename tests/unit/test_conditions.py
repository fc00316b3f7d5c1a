"""Conditions that are tested say the same as the rules by which claims hold."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic import ARTICLE, MODELS

from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.article.claims import OrderClaim, ParetoKnee
from resnet_sizes.schemas.article.claims.base import LOG_MINUTES, Condition, Outcome
from resnet_sizes.schemas.study.protocol import LAYERS

CLAIMS = [claim for claim in load_article(Path(ARTICLE)).claims if isinstance(claim, OrderClaim)]

# Whole numbers, so that no sum differs by a rounding error from the rule's.
outcomes = st.builds(
    Outcome,
    layers=st.just(0),
    accuracy=st.integers(0, 64).map(lambda n: n / 64),
    minutes=st.integers(1, 300).map(float),
    initial_loss=st.integers(64, 128).map(lambda n: n / 64),
    final_loss=st.integers(0, 128).map(lambda n: n / 64),
)


def met(condition: Condition, table: dict[str, Outcome]) -> bool:
    """By exact comparison of times instead of their logarithms."""
    quantity = "minutes" if condition.quantity == LOG_MINUTES else condition.quantity
    total = sum(w * getattr(table[model], quantity) for model, w in condition.weights.items())
    return bool(total > condition.threshold + 1e-12)


@settings(max_examples=300)
@given(st.tuples(outcomes, outcomes, outcomes))
def test_a_claim_holds_where_all_of_its_conditions_are_met(
    numbers: tuple[Outcome, Outcome, Outcome],
) -> None:
    table = {
        model: Outcome(LAYERS[model], o.accuracy, o.minutes, o.initial_loss, o.final_loss)
        for model, o in zip(MODELS, numbers, strict=True)
    }
    minutes = {model: o.minutes for model, o in table.items()}
    for claim in CLAIMS:
        conditions = claim.conditions(minutes)
        # The slowest model has no condition that could make it a knee.
        expected = bool(conditions) and all(met(condition, table) for condition in conditions)
        if claim.rule in ("diminishing", "pareto-knee", "decrease") and _on_the_border(
            conditions, table
        ):
            continue
        assert claim.holds(table) == expected, claim.id


def _on_the_border(conditions: list[Condition], table: dict[str, Outcome]) -> bool:
    """Sums of thirds and the like: equal but for rounding; and a fall by just the threshold."""
    sums = [
        sum(w * getattr(table[model], c.quantity) for model, w in c.weights.items()) - c.threshold
        for c in conditions
    ]
    return any(abs(total) < 1e-9 for total in sums)


@settings(max_examples=200)
@given(st.tuples(outcomes, outcomes, outcomes, outcomes))
def test_a_knee_among_four_models_is_a_list_of_conditions_too(
    numbers: tuple[Outcome, Outcome, Outcome, Outcome],
) -> None:
    (knee,) = [claim for claim in CLAIMS if isinstance(claim, ParetoKnee)]
    four = knee.model_copy(update={"among": [*MODELS, "resnet34"]})
    table = dict(zip(four.among, numbers, strict=True))
    minutes = {model: o.minutes for model, o in table.items()}
    conditions = four.conditions(minutes)
    if len(set(minutes.values())) < len(minutes) or _on_the_border(conditions, table):
        return
    expected = bool(conditions) and all(met(condition, table) for condition in conditions)
    assert four.holds(table) == expected


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_article_s_own_table_meets_every_condition_on_it(claim: OrderClaim) -> None:
    accuracies, minutes = (0.8084, 0.8355, 0.8594), (41.0, 112.0, 262.0)
    table = {
        model: Outcome(LAYERS[model], accuracy, time, 1.9 - number / 5, 0.8 - number / 5)
        for number, (model, accuracy, time) in enumerate(
            zip(MODELS, accuracies, minutes, strict=True)
        )
    }
    conditions = claim.conditions(dict(zip(MODELS, minutes, strict=True)))
    assert all(met(condition, table) for condition in conditions)
