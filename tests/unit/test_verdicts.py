"""Verdicts: each one reached, for the right reason, by rules that are right."""

import json
from collections.abc import Mapping
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from synthetic import ARTICLE_ACCURACIES, LEDGER, MODELS, make_study

from resnet_sizes.cli.evidence import evidence
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.evidence.measurements import Outcome, SeedTable
from resnet_sizes.evidence.rules import half_unit, holds, prints_as
from resnet_sizes.evidence.runs import read_runs
from resnet_sizes.evidence.values import collect_values
from resnet_sizes.evidence.verdicts import judge
from resnet_sizes.records.base import content_hash
from resnet_sizes.records.errors import UserError
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import StudyFolder
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.protocol import LAYERS, Description
from resnet_sizes.records.run import StudyFile
from resnet_sizes.records.statements import Needs, Ordering, ParetoKnee
from resnet_sizes.records.values import Values
from resnet_sizes.records.verdicts import Verdict, Verdicts

CONSTRUCTION = {"T2", "T5", "T8", "T10", "T12"}
MINUTE_CELLS = {"T3", "T6", "T9"}
VALUE_STATEMENTS = {"S3", "S4", "T1", "T4", "T7", "T11", "T13"}
ORDERS = {f"S{n}" for n in range(1, 15)} - {"S3", "S4"}

# Worse with depth in everything that the article praises.
REVERSED: dict[str, Any] = {
    "accuracies": {"resnet18": 0.86, "resnet50": 0.81, "resnet152": 0.80},
    "minutes": {"resnet18": 262, "resnet50": 112, "resnet152": 41},
    "losses": {"resnet18": (1.2, 0.4), "resnet50": (1.7, 1.6), "resnet152": (1.9, 1.8)},
}


Changes = Mapping[str, Mapping[str, Any]]
"""Keys of metrics.json, with the parts of them that are changed."""


def judged(
    folder: Path,
    *,
    partial: bool = False,
    article: Path = LEDGER,
    changed: Mapping[str, Changes] | None = None,
    **choices: Any,
) -> dict[str, Verdict]:
    """The verdicts by id, without drawing the figures; `changed` is of runs, by their name."""
    study = make_study(folder, article=article, **choices)
    for run, changes in (changed or {}).items():
        path = study.parent / "runs" / run / "metrics.json"
        data = json.loads(path.read_text())
        path.write_text(json.dumps(data | {key: data[key] | new for key, new in changes.items()}))
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), partial)
    ledger = load_ledger(article)
    verdicts = judge(ledger, runs, collect_values(runs, ledger).values.keys())
    return {verdict.id: verdict for verdict in verdicts}


def names(verdicts: dict[str, Verdict], ids: set[str]) -> set[str]:
    return {verdicts[name].verdict for name in ids}


def reasons(verdicts: dict[str, Verdict], ids: set[str]) -> set[tuple[str, ...]]:
    return {tuple(verdicts[name].reasons) for name in ids}


def test_the_articles_own_numbers_support_the_article(tmp_path: Path) -> None:
    found = judged(tmp_path)
    assert names(found, ORDERS | VALUE_STATEMENTS) == {"supported"}
    assert reasons(found, ORDERS) == {("rule-holds",)}
    assert reasons(found, VALUE_STATEMENTS) == {("inside-interval",)}
    assert names(found, CONSTRUCTION) == {"true-by-construction"}
    assert reasons(found, CONSTRUCTION) == {("construction",)}
    assert names(found, MINUTE_CELLS) == {"not-comparable"}
    assert reasons(found, MINUTE_CELLS) == {("other-device",)}


def test_reversed_numbers_contradict_the_article(tmp_path: Path) -> None:
    found = judged(tmp_path, **REVERSED)
    assert names(found, ORDERS | VALUE_STATEMENTS) == {"contradicted"}
    assert reasons(found, ORDERS) == {("rule-fails",)}
    assert reasons(found, VALUE_STATEMENTS) == {("outside-interval",)}
    assert not any(found[name].observed for name in ORDERS | VALUE_STATEMENTS)
    assert names(found, CONSTRUCTION) == {"true-by-construction"}
    assert names(found, MINUTE_CELLS) == {"not-comparable"}


def test_digits_are_a_test_of_nothing_but_the_layer_counts(tmp_path: Path) -> None:
    found = judged(tmp_path, content="digits", seeds=[0], epochs=10)
    others = ORDERS | VALUE_STATEMENTS | MINUTE_CELLS
    assert names(found, others) == {"not-comparable"}
    assert reasons(found, ORDERS | VALUE_STATEMENTS) == {
        ("other-data", "other-epochs", "few-seeds")
    }
    assert reasons(found, MINUTE_CELLS) == {
        ("other-data", "other-epochs", "other-device", "few-seeds")
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
    assert reasons(found, VALUE_STATEMENTS) == {("other-data",)}


def test_a_subset_is_not_comparable(tmp_path: Path) -> None:
    found = judged(tmp_path, full=False, epochs=2)
    assert reasons(found, ORDERS | VALUE_STATEMENTS) == {("subset", "other-epochs")}
    assert names(found, ORDERS | VALUE_STATEMENTS) == {"not-comparable"}


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
    assert names(found, ORDERS | VALUE_STATEMENTS) == {"not-comparable"}
    assert reasons(found, ORDERS | VALUE_STATEMENTS) == {(reason,)}


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
    assert names(found, ORDERS | VALUE_STATEMENTS) == {"not-enough-runs"}
    assert reasons(found, ORDERS | VALUE_STATEMENTS) == {("few-seeds",)}
    assert {found[name].observed for name in ORDERS | VALUE_STATEMENTS} == {True}


def test_one_seed_shows_no_spread_to_hold_a_value_against(tmp_path: Path) -> None:
    found = judged(tmp_path, seeds=[0])
    assert {found[name].observed for name in VALUE_STATEMENTS} == {None}
    assert {found[name].observed for name in ORDERS} == {True}


def test_a_model_outside_the_study_leaves_its_statements_open(tmp_path: Path) -> None:
    found = judged(tmp_path, models=["resnet18", "resnet50"])
    assert found["S1"].verdict == "not-enough-runs"
    assert found["S1"].reasons == ["models-missing"]
    assert found["S8"].verdict == "supported"
    assert found["T4"].verdict == "supported"
    assert found["T12"].verdict == "true-by-construction"


def test_a_missing_run_leaves_the_statements_on_its_model_open(tmp_path: Path) -> None:
    found = judged(
        tmp_path, seeds=[0, 1, 2, 3], missing=["scratch-32/resnet152/seed-1"], partial=True
    )
    assert found["S1"].verdict == "not-enough-runs"
    assert found["S1"].reasons == ["runs-missing"]
    assert found["S1"].observed is True
    assert found["S8"].verdict == "supported"


def test_seeds_that_disagree_are_not_enough_runs(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        accuracies={"resnet18": 0.80, "resnet50": (0.82, 0.79, 0.82), "resnet152": 0.85},
    )
    assert found["S1"].verdict == "not-enough-runs"
    assert found["S1"].reasons == ["seeds-disagree"]
    assert found["S1"].observed is None
    assert found["S11"].verdict == "supported"


@pytest.mark.parametrize(
    ("seeds", "verdict"),
    [
        # One further run of these: 0.81 ± 4.303 · 0.004 · √(4/3) = 0.7901 … 0.8299.
        ((0.806, 0.81, 0.814), "supported"),
        # Of (0.799, 0.80, 0.801): 0.80 ± 0.00497, which ends below 0.8084.
        ((0.799, 0.800, 0.801), "contradicted"),
        # No spread at all, and the value itself.
        ((0.8084, 0.8084, 0.8084), "supported"),
        # No spread, and one image more than rounds to 80.84 %.
        ((0.8085, 0.8085, 0.8085), "contradicted"),
    ],
)
def test_a_cell_is_supported_inside_the_interval_for_one_further_run(
    tmp_path: Path, seeds: tuple[float, ...], verdict: str
) -> None:
    found = judged(tmp_path, accuracies=ARTICLE_ACCURACIES | {"resnet18": seeds})
    assert found["T1"].verdict == verdict


def test_an_interval_that_is_too_wide_supports_nothing(tmp_path: Path) -> None:
    # 0.8084 ± 0.0497: the article's own number is in the middle.
    found = judged(tmp_path, accuracies=ARTICLE_ACCURACIES | {"resnet18": (0.7984, 0.8084, 0.8184)})
    for name in ("T1", "T11", "T13", "S3", "S4"):
        assert found[name].verdict == "not-enough-runs", name
        assert found[name].reasons == ["interval-too-wide"], name
        assert found[name].observed is None, name
    assert found["T4"].verdict == "supported"


def test_a_number_outside_even_a_wide_interval_is_contradicted(tmp_path: Path) -> None:
    # 0.72 ± 0.0497 ends below 0.8084.
    found = judged(tmp_path, accuracies=ARTICLE_ACCURACIES | {"resnet18": (0.71, 0.72, 0.73)})
    assert (found["T1"].verdict, found["T1"].reasons) == ("contradicted", ["outside-interval"])


def test_noise_alone_never_turns_a_verdict_into_support(tmp_path: Path) -> None:
    verdicts = []
    for spread in (0.0, 0.002, 0.006, 0.02, 0.05):
        seeds = (0.80 - spread, 0.80, 0.80 + spread)
        accuracies = ARTICLE_ACCURACIES | {"resnet18": seeds}
        verdicts.append(judged(tmp_path / str(spread), accuracies=accuracies)["T1"].verdict)
    assert verdicts == [
        "contradicted",
        "supported",  # 0.80 ± 0.0099
        "not-enough-runs",
        "not-enough-runs",
        "not-enough-runs",
    ]


@pytest.mark.parametrize(
    "change", [{"kind": "cpu"}, {"name": "Other GPU"}, {"threads": 8}], ids=lambda change: [*change]
)
def test_minutes_of_different_devices_are_not_compared(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    found = judged(tmp_path, changed={"scratch-32/resnet50/seed-2": {"device": change}})
    for name in ("S2", "S12", "S13"):
        assert found[name].verdict == "not-comparable", name
        assert found[name].reasons == ["mixed-devices"], name
        assert found[name].observed is None, name
    others = (ORDERS | VALUE_STATEMENTS) - {"S2", "S12", "S13"}
    assert names(found, others) == {"supported"}


def test_an_extreme_of_minutes_needs_one_device_among_its_own_models(tmp_path: Path) -> None:
    fastest = {"rule": "extreme", "quantity": "minutes", "model": "resnet18", "extreme": "lowest"}
    fastest |= {"needs": {"data": ["cifar10"]}}
    article = made_up_ledger(
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
    assert names(found, ORDERS | VALUE_STATEMENTS) == {"supported"}


def test_a_demonstration_is_never_a_test_of_the_article(tmp_path: Path) -> None:
    for folder, choices in {"same": {}, "reversed": REVERSED}.items():
        found = judged(tmp_path / folder, demo=True, **choices)
        others = ORDERS | VALUE_STATEMENTS
        assert names(found, others | MINUTE_CELLS) == {"not-comparable"}
        assert reasons(found, others) == {("demo",)}
        assert reasons(found, MINUTE_CELLS) == {("demo", "other-device")}
        assert names(found, CONSTRUCTION) == {"true-by-construction"}


def test_a_demonstration_is_named_before_all_other_reasons(tmp_path: Path) -> None:
    found = judged(tmp_path, demo=True, content="digits", seeds=[0])
    assert reasons(found, ORDERS) == {("demo", "other-data", "few-seeds")}


def test_minute_cells_are_not_comparable_however_few_the_runs(tmp_path: Path) -> None:
    found = judged(
        tmp_path,
        models=["resnet18", "resnet50"],
        seeds=[0, 1],
        missing=["scratch-32/resnet50/seed-0"],
        partial=True,
    )
    assert names(found, MINUTE_CELLS) == {"not-comparable"}
    assert found["T6"].reasons == ["other-device", "runs-missing", "few-seeds"]
    assert found["T9"].reasons == ["other-device", "models-missing", "few-seeds"]


def test_layer_counts_have_their_number_whatever_the_study_holds(tmp_path: Path) -> None:
    found = judged(tmp_path, models=["resnet50"], seeds=[0])
    assert found["T8"].values["ours"] == "layers.resnet152"
    assert found["T12"].values["ours"] == "layers.resnet152.increment"


def test_verdicts_name_the_ledger_that_they_were_judged_by(tmp_path: Path) -> None:
    other = made_up_ledger(
        tmp_path,
        {"rule": "ordering", "quantity": "layers", "models": ["resnet18", "resnet50"]},
    )
    hashes = []
    for number, article in enumerate((LEDGER, other)):
        study = make_study(tmp_path / str(number), seeds=[0], epochs=2, full=False, article=article)
        verdicts = build_evidence(study, tmp_path / str(number) / "evidence", False)
        assert verdicts.ledger_hash == content_hash(load_ledger(article))
        hashes.append(verdicts.ledger_hash)
    assert len(set(hashes)) == 2


def test_wrong_layer_counts_in_an_article_are_contradicted(tmp_path: Path) -> None:
    text = LEDGER.read_text(encoding="utf-8").replace('"744"', '"745"')
    article = tmp_path / "wrong.yaml"
    article.write_text(text, encoding="utf-8")
    found = judged(tmp_path, article=article)
    assert found["T12"].verdict == "contradicted"
    assert found["T12"].reasons == ["construction"]
    assert found["T10"].verdict == "true-by-construction"


def made_up_ledger(folder: Path, *statements: dict[str, Any]) -> Path:
    """The shipped ledger with other statements."""
    content = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
    text = {"pt": "uma afirmação", "en": "a statement"}
    content["statements"] = [
        {"id": f"S{number}", "place": "results", "text": text} | statement
        for number, statement in enumerate(statements, start=1)
    ]
    path = folder / "made-up.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def test_a_ledger_may_compare_layer_counts_in_any_way(tmp_path: Path) -> None:
    compare = {"quantity": "layers", "among": list(MODELS), "extreme": "highest"}
    article = made_up_ledger(
        tmp_path,
        {"rule": "ordering", "quantity": "layers", "models": ["resnet18", "resnet50"]},
        {"rule": "extreme", "model": "resnet18"} | compare,
        {
            "rule": "conjunction",
            "parts": [{"model": "resnet152"} | compare, {"model": "resnet152"} | compare],
        },
        {
            "rule": "increment",
            "quantity": "layers",
            "base": "resnet50",
            "model": "resnet152",
            "printed": "204",
        },
    )
    found = judged(tmp_path, article=article)
    assert {name: verdict.verdict for name, verdict in found.items()} == {
        "S1": "true-by-construction",
        "S2": "contradicted",
        "S3": "true-by-construction",
        "S4": "true-by-construction",
    }


def test_a_ledger_may_accept_any_set_up_and_a_single_seed(tmp_path: Path) -> None:
    needs = {"data": ["digits"], "seeds": 1, "article_setup": False}
    order = {"rule": "ordering", "quantity": "accuracy", "models": list(MODELS)}
    value: dict[str, Any] = {
        "rule": "cell",
        "model": "resnet18",
        "column": "accuracy",
        "printed": "80.84",
    }
    value |= {"max_half_width": 2}
    article = made_up_ledger(tmp_path, order | {"needs": needs}, value | {"needs": needs})
    found = judged(tmp_path, article=article, content="digits", full=False, epochs=2, seeds=[0])
    assert found["S1"].verdict == "supported"
    # A value needs a spread to be held against, whatever the ledger asks.
    assert (found["S2"].verdict, found["S2"].reasons) == ("not-enough-runs", ["few-seeds"])


def test_an_increment_over_a_deeper_model_is_judged(tmp_path: Path) -> None:
    increment = {
        "rule": "increment",
        "quantity": "accuracy",
        "base": "resnet50",
        "model": "resnet152",
        "printed": "2.9",  # 85.94 / 83.55 − 1 = 2.86 %
        "max_half_width": 2.0,
        "needs": {"data": ["cifar10"]},
    }
    found = judged(tmp_path, article=made_up_ledger(tmp_path, increment))
    assert found["S1"].verdict == "supported"
    # values.json knows increments over the shallowest model alone: none that would mislead.
    assert found["S1"].values == {}


def test_an_increment_over_nothing_cannot_be_judged(tmp_path: Path) -> None:
    found = judged(tmp_path, accuracies=ARTICLE_ACCURACIES | {"resnet18": 0.0})
    assert (found["S3"].verdict, found["S3"].reasons) == ("not-enough-runs", ["few-seeds"])
    assert found["S3"].observed is None


def test_each_protocol_is_judged_by_its_own_runs(tmp_path: Path) -> None:
    study = make_study(tmp_path, protocols=["one", "two"], seeds=[0, 1, 2])
    for metrics in study.parent.glob("runs/two/resnet50/*/metrics.json"):
        metrics.unlink()
    verdicts = build_evidence(study, tmp_path / "evidence", True)
    found = {(v.protocol, v.id): v.verdict for v in verdicts.verdicts}
    assert found["one", "S1"] == "supported"
    assert found["two", "S1"] == "not-enough-runs"
    assert len(found) == 2 * 27


def test_the_numbers_that_led_to_a_verdict_are_in_the_values(tmp_path: Path) -> None:
    accuracies = {"resnet18": (0.80, 0.81, 0.82), "resnet50": 0.8355, "resnet152": 0.86}
    study = make_study(tmp_path, accuracies=accuracies)
    verdicts = build_evidence(study, study.parent / "evidence", False)
    values = read_record(study.parent / "evidence" / "values.json", Values, "").values
    for verdict in verdicts.verdicts:
        assert verdict.values, verdict.id
        assert set(verdict.values.values()) <= set(values)
    [cell] = [verdict for verdict in verdicts.verdicts if verdict.id == "T1"]
    numbers = {role: values[key].value for role, key in cell.values.items()}
    assert numbers == pytest.approx(
        {"article": 80.84, "ours": 0.81, "low": 0.76032, "high": 0.85968}, abs=1e-5
    )
    [conjunction] = [verdict for verdict in verdicts.verdicts if verdict.id == "S12"]
    assert set(conjunction.values) == {
        f"{model}.{quantity}"
        for model in MODELS
        for quantity in ("minutes", "accuracy", "loss_drop")
    }


def test_the_evidence_is_complete_and_the_same_every_time(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=3, full=False)
    folder = study.parent / "evidence"
    evidence(study)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    evidence(study)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert set(first) == {
        "table.csv",
        "figure-loss.pt.svg",
        "figure-loss.pt.png",
        "figure-loss.pt.pdf",
        "values.json",
        "verdicts.json",
    }
    verdicts = read_record(folder / "verdicts.json", Verdicts, "")
    assert {run.state for run in verdicts.runs} == {"finished"}


def test_partial_evidence_goes_to_a_folder_of_its_own(tmp_path: Path) -> None:
    study = make_study(tmp_path, epochs=2, full=False, missing=["scratch-32/resnet50/seed-2"])
    with pytest.raises(UserError, match="resnet50/seed-2: missing"):
        evidence(study)
    assert not (study.parent / "evidence").exists()
    evidence(study, partial=True)
    folder = study.parent / "partial" / "evidence"
    verdicts = read_record(folder / "verdicts.json", Verdicts, "")
    assert [r.run for r in verdicts.runs if r.state == "missing"] == ["scratch-32/resnet50/seed-2"]
    values = read_record(folder / "values.json", Values, "").values
    assert values["verdict.total.count"].sources[0].file == "partial/evidence/verdicts.json"


# The rules by themselves.

TEXT = Description(pt="x", en="x")
NEEDS = Needs(data=["cifar10"])
DEPTHS = list(LAYERS)


def table(
    accuracies: list[float], minutes: list[float] | None = None, models: list[str] = DEPTHS
) -> SeedTable:
    times = minutes or [1.0] * len(accuracies)
    return {
        model: Outcome(LAYERS[model], accuracy, time, 2.0, 1.0)
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


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5))
def test_an_ordering_holds_where_sorting_changes_nothing(values: list[float]) -> None:
    rises = values == sorted(values) and len(set(values)) == len(values)
    assert holds(ordering(DEPTHS[: len(values)]), table(values)) == rises


@given(st.lists(st.floats(0, 1), min_size=2, max_size=4, unique=True))
def test_exactly_one_ordering_of_different_values_holds(values: list[float]) -> None:
    models = DEPTHS[: len(values)]
    held = [order for order in permutations(models) if holds(ordering(list(order)), table(values))]
    assert held == [tuple(sorted(models, key=lambda model: values[models.index(model)]))]


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=5),
    st.lists(st.floats(0.1, 100), min_size=5, max_size=5),
)
def test_at_most_one_model_is_the_knee(accuracies: list[float], minutes: list[float]) -> None:
    models = DEPTHS[: len(accuracies)]
    numbers = table(accuracies, minutes)
    knees = [model for model in models if holds(knee(model, models), numbers)]
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
        ([0.80, 0.87, 0.86], [41, 112, 262], False),  # itself the most accurate: an end
        ([0.80, 0.84, 0.84], [41, 41, 41], False),  # no trade-off to be made
    ],
)
def test_the_knee_lies_above_the_chord_of_the_front(
    accuracies: list[float], minutes: list[float], expected: bool
) -> None:
    numbers = table(accuracies, minutes, list(MODELS))
    assert holds(knee("resnet50", list(MODELS)), numbers) == expected


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
    [statement] = [item for item in load_ledger(LEDGER).statements if item.id == "S5"]
    assert holds(statement, table(accuracies, models=list(MODELS))) == expected


@pytest.mark.parametrize(("final", "expected"), [(1.5, True), (1.51, False), (2.5, False)])
def test_a_loss_falls_markedly_by_a_quarter(final: float, expected: bool) -> None:
    [statement] = [item for item in load_ledger(LEDGER).statements if item.id == "S6"]
    falling = Outcome(18, 0.8, 1.0, 2.0, 0.5)
    last = Outcome(152, 0.8, 1.0, 2.0, final)
    outcomes = dict(zip(MODELS, [falling, falling, last], strict=True))
    assert holds(statement, outcomes) == expected


def test_a_tie_for_the_best_is_not_the_best() -> None:
    [statement] = [item for item in load_ledger(LEDGER).statements if item.id == "S11"]
    assert not holds(statement, table([0.8, 0.86, 0.86], models=list(MODELS)))
    assert holds(statement, table([0.8, 0.85, 0.86], models=list(MODELS)))


@pytest.mark.parametrize(
    ("printed", "half"), [("80.84", 0.005), ("41", 0.5), ("3", 0.5), ("0.80", 0.005), ("100", 0.5)]
)
def test_half_a_unit_of_the_print_follows_its_digits(printed: str, half: float) -> None:
    assert half_unit(printed) == half


@given(st.floats(-1000, 1000), st.integers(0, 3))
def test_a_number_prints_as_its_own_rounding(value: float, digits: int) -> None:
    printed = f"{value:.{digits}f}"
    step = 10.0**-digits
    assert prints_as(value, printed) or abs(value * 10**digits % 1) == pytest.approx(0.5)
    assert not prints_as(value, f"{float(printed) + 2 * step:.{digits}f}")


def test_the_articles_points_per_layer_diminish() -> None:
    rows = load_ledger(LEDGER).table
    gains = [
        (float(deeper.accuracy) - float(row.accuracy)) / (deeper.layers - row.layers)
        for row, deeper in pairwise(rows)
    ]
    assert gains == pytest.approx([0.0847, 0.0234], abs=1e-4)
