"""What makes runs not comparable with the article's, or too few to judge by."""

from pathlib import Path
from typing import Any

import pytest
from judged_studies import (
    CONSTRUCTION,
    MINUTE_CELLS,
    OF_TIMES,
    ORDERS,
    REVERSED,
    VALUE_CLAIMS,
    Changes,
    judged,
    made_up_article,
    names,
    reasons,
)
from synthetic import ARTICLE_ACCURACIES


def test_digits_are_a_test_of_nothing_but_the_layer_counts(tmp_path: Path) -> None:
    found = judged(tmp_path, content="digits", seeds=[0], epochs=10)
    assert names(found, ORDERS | VALUE_CLAIMS) == {"not-comparable"}
    assert names(found, MINUTE_CELLS) == {"not-testable"}
    assert reasons(found, ORDERS | VALUE_CLAIMS) == {("other-data", "other-epochs", "few-seeds")}
    assert reasons(found, MINUTE_CELLS) == {
        ("device-not-stated", "other-data", "other-epochs", "few-seeds")
    }
    assert names(found, CONSTRUCTION) == {"true-by-construction"}


def test_what_is_no_test_of_the_article_is_observed_all_the_same(tmp_path: Path) -> None:
    found = judged(tmp_path, content="digits", **REVERSED | {"accuracies": ARTICLE_ACCURACIES})
    assert found["S1"].observed is True
    assert found["S2"].observed is False
    assert found["T1"].observed is False  # 0.8084 of 360 images is 0.8083, three times over


def test_a_re_encoding_tests_orders_but_no_values(tmp_path: Path) -> None:
    found = judged(tmp_path, content="cifar10-reencoded")
    assert names(found, ORDERS) == {"supported"}
    assert reasons(found, VALUE_CLAIMS) == {("other-data",)}


def test_a_subset_is_not_comparable(tmp_path: Path) -> None:
    found = judged(tmp_path, full=False, epochs=2)
    assert reasons(found, ORDERS | VALUE_CLAIMS) == {("subset", "other-epochs")}
    assert names(found, ORDERS | VALUE_CLAIMS) == {"not-comparable"}


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"epochs": 49}, "other-epochs"),
        ({"batch_size": 128}, "other-batch-size"),
        ({"learning_rate": 0.001}, "other-learning-rate"),
    ],
)
def test_another_set_up_is_not_comparable(
    tmp_path: Path, choice: dict[str, Any], reason: str
) -> None:
    found = judged(tmp_path, **choice)
    assert names(found, ORDERS | VALUE_CLAIMS) == {"not-comparable"}
    assert reasons(found, ORDERS | VALUE_CLAIMS) == {(reason,)}


def test_all_reasons_are_listed_the_weightiest_first(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        content="digits",
        full=False,
        epochs=2,
        batch_size=64,
        learning_rate=0.1,
        seeds=[0, 1],
        models=["resnet18", "resnet50"],
        missing=["scratch-32/resnet18/seed-0"],
        partial=True,
    )
    assert found["S11"].verdict == "not-comparable"
    assert found["S11"].observed is None
    assert found["S11"].reasons == [
        "other-data",
        "subset",
        "other-epochs",
        "other-batch-size",
        "other-learning-rate",
        "models-missing",
        "runs-missing",
        "few-seeds",
    ]


def test_two_seeds_are_not_enough_runs(tmp_path: Path) -> None:
    found = judged(tmp_path, seeds=[0, 1])
    assert names(found, ORDERS | VALUE_CLAIMS) == {"not-enough-runs"}
    assert reasons(found, ORDERS | VALUE_CLAIMS) == {("few-seeds",)}
    assert {found[name].observed for name in ORDERS | VALUE_CLAIMS} == {True}


def test_one_seed_shows_no_spread_to_hold_a_value_against(tmp_path: Path) -> None:
    found = judged(tmp_path, seeds=[0])
    assert {found[name].observed for name in VALUE_CLAIMS} == {None}
    assert {found[name].observed for name in ORDERS} == {True}


def test_a_model_outside_the_study_leaves_its_claims_open(tmp_path: Path) -> None:
    found = judged(tmp_path, models=["resnet18", "resnet50"])
    assert found["S1"].verdict == "not-run"
    assert found["S1"].reasons == ["models-missing"]
    assert found["S8"].verdict == "supported"
    assert found["T4"].verdict == "supported"
    assert found["T12"].verdict == "true-by-construction"


def test_a_missing_run_leaves_the_claims_on_its_model_open(tmp_path: Path) -> None:
    found = judged(
        tmp_path, seeds=[0, 1, 2, 3], missing=["scratch-32/resnet152/seed-1"], partial=True
    )
    assert found["S1"].verdict == "not-enough-runs"
    assert found["S1"].reasons == ["runs-missing"]
    assert found["S1"].observed is True
    assert found["S8"].verdict == "supported"


@pytest.mark.parametrize(
    "change", [{"kind": "cpu"}, {"name": "Other GPU"}, {"threads": 8}], ids=lambda change: [*change]
)
def test_minutes_of_different_devices_are_not_compared(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    found = judged(tmp_path, changed={"scratch-32/resnet50/seed-2": {"device": change}})
    for name in OF_TIMES:
        assert found[name].verdict == "not-comparable", name
        assert found[name].reasons == ["mixed-devices"], name
        assert found[name].observed is None, name
    assert names(found, (ORDERS | VALUE_CLAIMS) - OF_TIMES) == {"supported"}


def interrupted(**before: Any) -> Changes:
    """A run that went on once, from a checkpoint that had been written so."""
    device = {"kind": "cuda", "name": "Synthetic GPU", "index": 0, "threads": 4}
    resumption = {"epoch": 3, "step": 0, "device": "Synthetic GPU", "at": "2025-01-01T09:00:00Z"}
    return {"resumed": 1, "resumptions": [resumption | {"before": device} | before]}


@pytest.mark.parametrize("change", [{"kind": "cpu"}, {"name": "Other GPU"}, {"threads": 8}])
def test_minutes_of_a_run_that_changed_its_device_are_not_compared(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    before = {"kind": "cuda", "name": "Synthetic GPU", "threads": 4} | change
    found = judged(tmp_path, changed={"scratch-32/resnet50/seed-2": interrupted(before=before)})
    assert names(found, OF_TIMES) == {"not-comparable"}
    assert reasons(found, OF_TIMES) == {("mixed-devices",)}
    assert names(found, (ORDERS | VALUE_CLAIMS) - OF_TIMES) == {"supported"}


def test_a_run_that_changed_its_version_of_torch_is_no_test(tmp_path: Path) -> None:
    change = interrupted(versions_before={"torch": "2.0.0"})
    found = judged(tmp_path, changed={"scratch-32/resnet152/seed-1": change})
    assert (found["S1"].verdict, found["S1"].reasons) == ("not-comparable", ["mixed-code"])


@pytest.mark.parametrize("before", [{}, {"before": None}, {"versions_before": {"numpy": "2.0"}}])
def test_an_interruption_alone_makes_no_difference(tmp_path: Path, before: dict[str, Any]) -> None:
    change = interrupted(**before)
    found = judged(tmp_path, changed={"scratch-32/resnet50/seed-2": change})
    assert names(found, ORDERS | VALUE_CLAIMS) == {"supported"}


def test_an_extreme_of_minutes_needs_one_device_among_its_own_models(tmp_path: Path) -> None:
    fastest = {"rule": "extreme", "quantity": "minutes", "model": "resnet18", "extreme": "lowest"}
    fastest |= {"needs": {"data": ["cifar10"]}}
    article = made_up_article(
        tmp_path,
        fastest | {"among": ["resnet18", "resnet50"]},
        fastest | {"among": ["resnet18", "resnet152"]},
    )
    change: Changes = {"device": {"name": "Other GPU"}}
    found = judged(tmp_path, article=article, changed={"scratch-32/resnet152/seed-0": change})
    assert found["S1"].verdict == "supported"
    assert (found["S2"].verdict, found["S2"].reasons) == ("not-comparable", ["mixed-devices"])


@pytest.mark.parametrize(
    "change",
    [{"code": {"training_hash": "f" * 64}}, {"versions": {"torch": "2.0.0"}}],
    ids=["training-hash", "torch"],
)
def test_runs_of_different_code_are_no_test(tmp_path: Path, change: Changes) -> None:
    found = judged(tmp_path, changed={"scratch-32/resnet152/seed-1": change})
    assert (found["S1"].verdict, found["S1"].reasons) == ("not-comparable", ["mixed-code"])
    assert (found["T7"].verdict, found["T7"].reasons) == ("not-comparable", ["mixed-code"])
    # These are on the other models alone.
    assert names(found, {"S3", "S8", "T1", "T4", "T11"}) == {"supported"}
    assert names(found, CONSTRUCTION) == {"true-by-construction"}


def test_code_that_trains_nothing_may_change_between_runs(tmp_path: Path) -> None:
    change: Changes = {"code": {"git_commit": "1" * 40}, "versions": {"python": "3.12.0"}}
    found = judged(tmp_path, changed={"scratch-32/resnet152/seed-1": change})
    assert names(found, ORDERS | VALUE_CLAIMS) == {"supported"}


def test_a_demonstration_is_never_a_test_of_the_article(tmp_path: Path) -> None:
    for folder, choices in {"same": {}, "reversed": REVERSED}.items():
        found = judged(tmp_path / folder, demo=True, **choices)
        others = ORDERS | VALUE_CLAIMS
        assert names(found, others) == {"not-comparable"}
        assert names(found, MINUTE_CELLS) == {"not-testable"}
        assert reasons(found, others) == {("demo",)}
        assert reasons(found, MINUTE_CELLS) == {("device-not-stated", "demo")}
        assert names(found, CONSTRUCTION) == {"true-by-construction"}


def test_a_demonstration_is_named_before_all_other_reasons(tmp_path: Path) -> None:
    found = judged(tmp_path, demo=True, content="digits", seeds=[0])
    assert reasons(found, ORDERS) == {("demo", "other-data", "few-seeds")}


def test_no_data_can_test_minute_cells_however_few_the_runs(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        models=["resnet18", "resnet50"],
        seeds=[0, 1],
        missing=["scratch-32/resnet50/seed-0"],
        partial=True,
    )
    assert names(found, MINUTE_CELLS) == {"not-testable"}
    assert found["T6"].reasons == ["device-not-stated", "runs-missing", "few-seeds"]
    assert found["T9"].reasons == ["device-not-stated", "models-missing", "few-seeds"]
