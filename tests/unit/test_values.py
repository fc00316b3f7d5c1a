"""values.json: every key and its number."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from study_values import ACCURACIES, values_of
from synthetic import MODELS, make_study, own_readings
from synthetic_runs import MACS, PARAMETERS

from resnet_sizes.schemas.evidence.verdicts import OutcomeName, VerdictName
from resnet_sizes.schemas.study.networks import depth_of
from resnet_sizes.schemas.study.study import RESERVED_NAMES


def numbers(study: Path) -> dict[str, Any]:
    return {key: value.value for key, value in values_of(study).items()}


def test_every_documented_key_is_there(tmp_path: Path) -> None:
    values = values_of(make_study(tmp_path, accuracies=ACCURACIES))
    per_model = [
        "layers",
        "accuracy.mean",
        "accuracy.sd",
        "accuracy.prediction_low",
        "accuracy.prediction_high",
        "best_accuracy.mean",
        "selection_bias.mean",
        "minutes.mean",
        "minutes.sd",
        "minutes.prediction_low",
        "minutes.prediction_high",
        "minutes_ratio",
        "measured_minutes.mean",
        "precision",
        "compile_mode",
        "initial_loss.mean",
        "initial_loss.sd",
        "final_loss.mean",
        "final_loss.sd",
        "loss_drop.mean",
        "loss_fall.mean",
        "runs",
        "parameters",
        "macs_per_image",
        "peak_memory",
        "first_test_accuracy.mean",
        "final_train_accuracy.mean",
        *(f"confusion.{key}" for key in ("true", "predicted", "share")),
        *(f"hardest_class.{key}" for key in ("name", "share")),
    ]
    increments = [
        "layers_increment",
        "accuracy_increment",
        "accuracy_increment.prediction_low",
        "accuracy_increment.prediction_high",
    ]
    expected = {
        *(f"scratch-32.{model}.{key}" for model in MODELS for key in per_model),
        *(f"scratch-32.{model}.{key}" for model in MODELS[1:] for key in increments),
        *(
            f"article.{model}.{key}"
            for model in MODELS
            for key in ("accuracy", "layers", "minutes", "minutes_ratio")
        ),
        *(f"article.{model}.{key}" for model in MODELS[1:] for key in increments[:2]),
        *(f"layers.{model}" for model in MODELS),
        *(f"layers.{model}.increment" for model in MODELS[1:]),
        *(f"study.{key}" for key in ("name", "epochs", "batch_size", "learning_rate")),
        *(f"study.{key}" for key in ("seeds", "runs", "finished_runs", "gradient_accumulation")),
        *(f"data.{key}" for key in ("content", "identity", "source_file")),
        *(f"data.{full}{part}_images" for full in ("", "full_") for part in ("train", "test")),
        *(f"article.{key}" for key in ("epochs", "batch_size", "learning_rate", "images")),
        *(f"article.{part}_images" for part in ("train", "test")),
        *(f"hardware.{key}" for key in ("device", "kind", "threads")),
        *(f"versions.{package}" for package in ("python", "torch", "torchvision")),
        *(f"made.{key}" for key in ("started", "finished", "training_seconds")),
        *(f"made.{key}" for key in ("training_hash", "git_commit", "runs_with_local_changes")),
        *(f"scratch-32.printed_accuracies.{key}" for key in ("with_interval", "inside")),
        *(f"verdict.{name}.count" for name in (*get_args(VerdictName), "total")),
        *(f"outcome.{of}.{n}" for of in ("overall", "scratch-32") for n in get_args(OutcomeName)),
        *(f"study.seeds.{number}" for number in range(3)),
        *(f"study.protocol.scratch-32.description.{language}" for language in ("pt", "en")),
        *(
            f"reading.scratch-32.{model}.{setting}"
            for model in MODELS
            for setting in ("input_size", "momentum", "weight_decay")
        ),
        "method.confidence",
        "judging.level",
        "judging.seed_deviation.points",
    }
    cells = {key for key in values if re.fullmatch(r"scratch-32\.\w+\.confusion\.cells\..*", key)}
    assert set(values) - cells == expected


def test_numbers_are_those_of_the_runs(tmp_path: Path) -> None:
    found = numbers(make_study(tmp_path, accuracies=ACCURACIES))
    prefix = "scratch-32.resnet50"
    assert found[f"{prefix}.accuracy.mean"] == pytest.approx(0.84)
    assert found[f"{prefix}.accuracy.sd"] == pytest.approx(0.01)
    assert found[f"{prefix}.best_accuracy.mean"] == pytest.approx(0.842)
    assert found[f"{prefix}.accuracy_increment"] == pytest.approx((0.84 / 0.81 - 1) * 100)
    assert found[f"{prefix}.layers_increment"] == pytest.approx(177.7777, abs=1e-4)
    assert found[f"{prefix}.minutes_ratio"] == pytest.approx(112 / 41)
    assert found["scratch-32.resnet18.minutes_ratio"] == 1
    assert found[f"{prefix}.initial_loss.mean"] == pytest.approx(1.7)
    assert found[f"{prefix}.final_loss.mean"] == pytest.approx(0.5)
    assert found[f"{prefix}.loss_drop.mean"] == pytest.approx(1 - 0.5 / 1.7)
    assert found[f"{prefix}.runs"] == 3
    assert found[f"{prefix}.parameters"] == PARAMETERS["resnet50"]
    assert found[f"{prefix}.macs_per_image"] == MACS["resnet50"]
    assert found["made.training_seconds"] == pytest.approx(3 * 60 * (41 + 112 + 262))
    assert found["made.started"] == "2025-01-01T08:00:00Z"
    assert found["made.finished"] == "2025-01-03T20:00:00Z"
    assert found["hardware.device"] == ["Synthetic GPU"]
    assert found["article.resnet152.accuracy"] == 85.94
    assert found["article.resnet152.minutes"] == 262
    assert found["article.resnet152.minutes_ratio"] == pytest.approx(262 / 41)
    assert found[f"{prefix}.measured_minutes.mean"] == found[f"{prefix}.minutes.mean"]
    assert found[f"{prefix}.precision"] == ["fp32"]
    assert found["verdict.true-by-construction.count"] == 7


def test_verdict_counts_add_up_without_what_is_true_by_construction(tmp_path: Path) -> None:
    found = numbers(make_study(tmp_path, content="digits", seeds=[0], full=False, epochs=2))
    names = ("supported", "contradicted", "not-comparable", "not-enough-runs")
    # 32 claims: 7 by construction, 3 that no data can test, and 3 that are the test of another.
    assert sum(int(found[f"verdict.{name}.count"]) for name in names) == 19
    assert found["verdict.total.count"] == 19
    assert found["verdict.not-comparable.count"] == 19
    assert found["verdict.not-testable.count"] == 3
    assert found["verdict.supported.count"] == 0
    for of in ("overall", "scratch-32"):
        assert [found[f"outcome.{of}.{name}"] for name in get_args(OutcomeName)] == [0, 0, 19]


def test_what_one_seed_cannot_tell_is_left_out(tmp_path: Path) -> None:
    found = numbers(make_study(tmp_path, content="digits", seeds=[0], full=False, epochs=2))
    assert not [key for key in found if key.endswith((".sd", ".prediction_low"))]
    assert "data.source_file" not in found
    assert "scratch-32.resnet18.accuracy_increment" not in found
    assert "scratch-32.resnet18.layers_increment" not in found


def test_models_without_a_finished_run_have_no_numbers(tmp_path: Path) -> None:
    missing = [f"scratch-32/resnet18/seed-{seed}" for seed in (0, 1, 2)]
    found = numbers(make_study(tmp_path, full=False, epochs=2, missing=missing))
    assert found["scratch-32.resnet18.runs"] == 0
    assert found["study.runs"] == 9
    assert found["study.finished_runs"] == 6
    assert "scratch-32.resnet18.accuracy.mean" not in found
    assert "scratch-32.resnet50.accuracy_increment" not in found
    assert "scratch-32.resnet50.minutes_ratio" not in found
    assert "scratch-32.resnet50.layers_increment" in found


def test_layer_counts_need_no_run_and_no_place_in_the_study(tmp_path: Path) -> None:
    losses = {"resnet18": (1.9, 0.8), "resnet34": (1.8, 0.7)}
    study = make_study(
        tmp_path,
        models=["resnet34", "resnet18"],
        accuracies={"resnet18": 0.8, "resnet34": 0.82},
        minutes={"resnet18": 41, "resnet34": 70},
        losses=losses,
        missing=[f"scratch-32/resnet34/seed-{seed}" for seed in (0, 1, 2)],
        full=False,
        epochs=2,
    )
    found = numbers(study)
    models = ("resnet18", "resnet34", "resnet50", "resnet152")
    assert {key for key in found if key.startswith("layers.")} == {
        *(f"layers.{model}" for model in models),
        *(f"layers.{model}.increment" for model in models[1:]),
    }
    assert {model: found[f"layers.{model}"] for model in models} == {
        model: depth_of(model) for model in models
    }
    assert found["layers.resnet152.increment"] == pytest.approx((152 / 18 - 1) * 100)


def test_bounds_stop_where_no_run_can_be_and_increments_may_fall(tmp_path: Path) -> None:
    low, high = (0.01, 0.05, 0.01), (0.99, 0.95, 0.99)
    found = numbers(
        make_study(
            tmp_path,
            accuracies={"resnet18": low, "resnet50": (0.05, 0.01, 0.01), "resnet152": high},
            minutes={"resnet18": (1, 9, 1), "resnet50": 2, "resnet152": 3},
        )
    )
    prediction = {
        key.removeprefix("scratch-32."): value
        for key, value in found.items()
        if ".prediction_" in key
    }
    assert prediction["resnet18.accuracy.prediction_low"] == 0
    assert prediction["resnet18.minutes.prediction_low"] == 0
    assert prediction["resnet152.accuracy.prediction_high"] == 1
    assert prediction["resnet50.accuracy_increment.prediction_low"] < -100
    assert prediction["resnet152.accuracy_increment.prediction_high"] > 100


def test_times_that_are_computed_or_of_a_shared_device_say_so(tmp_path: Path) -> None:
    names = ("probe-224", "scratch-32")
    study = make_study(
        tmp_path,
        protocols=names,
        readings=own_readings(*names),
        shared=["scratch-32/resnet18/seed-1"],
    )
    values = values_of(study)
    flags = {
        key: (value.computed, value.shared)
        for key, value in values.items()
        if value.computed or value.shared
    }
    assert flags["probe-224.resnet50.minutes.mean"] == (True, False)
    assert flags["probe-224.resnet50.minutes_ratio"] == (True, False)
    assert flags["scratch-32.resnet18.minutes.mean"] == (False, True)
    assert flags["scratch-32.resnet18.measured_minutes.mean"] == (False, True)
    assert "probe-224.resnet50.measured_minutes.mean" not in flags
    assert all("minutes" in key for key in flags)


def change_run(study: Path, run: str, **changes: Any) -> None:
    """Change parts of one run's metrics."""
    path = study.parent / "runs" / run / "metrics.json"
    data = json.loads(path.read_text())
    for key, change in changes.items():
        data[key] = data[key] | change
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    "change", [{"kind": "cpu"}, {"name": "Other GPU"}, {"threads": 8}], ids=lambda change: [*change]
)
def test_times_of_different_devices_give_no_ratio(tmp_path: Path, change: dict[str, Any]) -> None:
    study = make_study(tmp_path, full=False, epochs=2)
    change_run(study, "scratch-32/resnet50/seed-1", device=change)
    found = numbers(study)
    assert "scratch-32.resnet50.minutes_ratio" not in found
    assert "scratch-32.resnet50.minutes.mean" in found
    assert found["scratch-32.resnet152.minutes_ratio"] == pytest.approx(262 / 41)


def test_seeds_that_reuse_features_took_less_and_count_the_same(tmp_path: Path) -> None:
    readings = own_readings("probe-224")
    study = make_study(tmp_path, protocols=["probe-224"], readings=readings, full=False)
    found = numbers(study)
    prefix = "probe-224.resnet50"
    assert (found[f"{prefix}.minutes.mean"], found[f"{prefix}.minutes.sd"]) == (112, 0)
    forward, head = 0.98 * 112 / 50, 0.02 * 112
    # Of the run that did all of the work, not a mean over runs that had next to nothing to do.
    assert found[f"{prefix}.measured_minutes.mean"] == pytest.approx(head + forward)
    assert f"{prefix}.measured_minutes.sd" not in found
    assert found[f"{prefix}.minutes_ratio"] == pytest.approx(112 / 41)


def test_random_weights_have_no_file(tmp_path: Path) -> None:
    found = numbers(make_study(tmp_path, full=False, epochs=2))
    assert not [key for key in found if "initial_weights" in key or "forward_minutes" in key]


def test_all_devices_and_thread_counts_are_listed(tmp_path: Path) -> None:
    study = make_study(tmp_path, models=["resnet18"], seeds=[0, 1], full=False, epochs=2)
    path = study.parent / "runs/scratch-32/resnet18/seed-1/metrics.json"
    data = json.loads(path.read_text())
    data["device"] |= {"name": "Other GPU", "threads": 8}
    path.write_text(json.dumps(data))
    found = numbers(study)
    assert found["hardware.device"] == ["Synthetic GPU", "Other GPU"]
    assert found["hardware.threads"] == ["4", "8"]


def test_every_protocol_has_its_own_numbers(tmp_path: Path) -> None:
    study = make_study(tmp_path, protocols=["one", "two"], full=False, epochs=2)
    found = numbers(study)
    assert found["one.resnet18.accuracy.mean"] == found["two.resnet18.accuracy.mean"] == 0.808


def test_no_protocol_can_be_named_as_a_group_of_keys(tmp_path: Path) -> None:
    study = make_study(tmp_path, protocols=["one"], full=False, epochs=2)
    groups = {key.partition(".")[0] for key in values_of(study)} - {"one"}
    # What the report adds, what another article's table asks for, and what runs of others add.
    assert groups | {"audit", "distances", "parameters", "pool"} == RESERVED_NAMES


def test_an_increment_and_its_interval_are_of_the_seeds_that_both_networks_have(
    tmp_path: Path,
) -> None:
    # The base without its worst seed, which would raise its mean.
    lost = "scratch-32/resnet18/seed-0"
    study = make_study(tmp_path, accuracies=ACCURACIES, missing=[lost])
    found = values_of(study)
    key = "scratch-32.resnet50.accuracy_increment"
    assert found[key].value == pytest.approx((0.845 / 0.815 - 1) * 100)
    low, high = (float(found[f"{key}.prediction_{end}"].number) for end in ("low", "high"))
    each = [(0.84 / 0.81 - 1) * 100, (0.85 / 0.82 - 1) * 100]
    assert (low + high) / 2 == pytest.approx(sum(each) / 2)
    assert found[f"{key}.seeds"].value == 2
    used = {source.file for source in found[key].sources}
    assert used == {source.file for source in found[f"{key}.prediction_low"].sources}
    assert not [file for file in used if "seed-0" in file]
    assert found["scratch-32.resnet50.runs"].value == 3


def test_networks_without_a_common_seed_have_no_increment(tmp_path: Path) -> None:
    missing = ["scratch-32/resnet18/seed-0", "scratch-32/resnet50/seed-1"]
    found = values_of(make_study(tmp_path, seeds=(0, 1), accuracies=ACCURACIES, missing=missing))
    assert "scratch-32.resnet50.accuracy_increment" not in found
    assert "scratch-32.resnet152.accuracy_increment" in found
