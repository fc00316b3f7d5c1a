"""values.json: every key, its number, and where it came from."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from synthetic import LEDGER, MACS, MODELS, PARAMETERS, make_study, own_readings

from resnet_sizes.evidence.measurements import increment_percent
from resnet_sizes.evidence.runs import read_runs
from resnet_sizes.evidence.statistics import prediction_interval
from resnet_sizes.evidence.values import collect_values, with_verdict_counts
from resnet_sizes.evidence.verdicts import judge
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import StudyFolder
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.protocol import LAYERS
from resnet_sizes.records.run import StudyFile
from resnet_sizes.records.study import RESERVED_NAMES
from resnet_sizes.records.values import Value

ACCURACIES = {
    "resnet18": (0.80, 0.81, 0.82),
    "resnet50": (0.83, 0.84, 0.85),
    "resnet152": (0.86, 0.87, 0.88),
}
FILE = "evidence/verdicts.json"


def values_of(study: Path) -> dict[str, Value]:
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)
    ledger = load_ledger(LEDGER)
    values = collect_values(runs, ledger)
    verdicts = judge(ledger, runs, values.values.keys())
    return with_verdict_counts(values, verdicts, FILE).values


def numbers(study: Path) -> dict[str, int | float | str]:
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
        "minutes.mean",
        "minutes.sd",
        "minutes.prediction_low",
        "minutes.prediction_high",
        "minutes_ratio",
        "measured_minutes.mean",
        "precision",
        "compile_mode",
        "initial_loss.mean",
        "final_loss.mean",
        "loss_drop.mean",
        "final_test_loss.mean",
        "runs",
        "parameters",
        "macs_per_image",
        "peak_memory",
        *(
            f"seed-{seed}.{quantity}"
            for seed in (0, 1, 2)
            for quantity in (
                "accuracy",
                "minutes",
                "measured_minutes",
                "initial_loss",
                "final_loss",
            )
        ),
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
        *(f"data.{key}" for key in ("content", "classes", "identity", "source_file")),
        *(f"data.{full}{part}_images" for full in ("", "full_") for part in ("train", "test")),
        *(f"article.{key}" for key in ("epochs", "batch_size", "learning_rate", "images")),
        *(f"article.{part}_images" for part in ("train", "test")),
        *(f"hardware.{key}" for key in ("device", "kind", "threads")),
        *(f"versions.{package}" for package in ("python", "torch", "torchvision")),
        *(f"made.{key}" for key in ("started", "finished", "training_seconds")),
        *(f"made.{key}" for key in ("training_hash", "git_commit", "runs_with_local_changes")),
        *(f"verdict.{name}.count" for name in ("supported", "contradicted", "not-comparable")),
        *(f"verdict.{name}.count" for name in ("not-enough-runs", "true-by-construction", "total")),
    }
    assert set(values) == expected


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
    assert found[f"{prefix}.final_test_loss.mean"] == pytest.approx(0.8)
    assert found[f"{prefix}.seed-2.accuracy"] == 0.85
    assert found[f"{prefix}.runs"] == 3
    assert found[f"{prefix}.parameters"] == PARAMETERS["resnet50"]
    assert found[f"{prefix}.macs_per_image"] == MACS["resnet50"]
    assert found["made.training_seconds"] == pytest.approx(3 * 60 * (41 + 112 + 262))
    assert found["made.started"] == "2025-01-01T08:00:00Z"
    assert found["made.finished"] == "2025-01-03T20:00:00Z"
    assert found["hardware.device"] == "Synthetic GPU"
    assert found["article.resnet152.accuracy"] == 85.94
    assert found["article.resnet152.minutes"] == 262
    assert found["article.resnet152.minutes_ratio"] == pytest.approx(262 / 41)
    assert found[f"{prefix}.measured_minutes.mean"] == found[f"{prefix}.minutes.mean"]
    assert found[f"{prefix}.precision"] == "fp32"
    assert found["verdict.true-by-construction.count"] == 5


def test_verdict_counts_add_up_without_what_is_true_by_construction(tmp_path: Path) -> None:
    found = numbers(make_study(tmp_path, content="digits", seeds=[0], full=False, epochs=2))
    names = ("supported", "contradicted", "not-comparable", "not-enough-runs")
    assert sum(int(found[f"verdict.{name}.count"]) for name in names) == 22
    assert found["verdict.total.count"] == 22
    assert found["verdict.not-comparable.count"] == 22
    assert found["verdict.supported.count"] == 0


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
        model: LAYERS[model] for model in models
    }
    assert found["layers.resnet152.increment"] == pytest.approx((152 / 18 - 1) * 100)


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


def lookup(data: Any, field: str) -> Any:
    """Follow `a.b[0].c`; indices may be negative. Keys may hold no dots."""
    for part in field.replace("]", "").replace("[", ".").split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


@pytest.mark.parametrize("protocol", ["scratch-32", "probe-224", "literal"])
def test_every_source_is_a_field_that_exists(tmp_path: Path, protocol: str) -> None:
    study = make_study(
        tmp_path,
        accuracies=ACCURACIES,
        protocols=[protocol],
        readings=own_readings(protocol),
        full=False,
        epochs=2,
    )
    for key, value in values_of(study).items():
        for source in value.sources:
            if source.file.endswith(".json") and source.file != FILE:
                data = json.loads((study.parent / source.file).read_text())
                assert lookup(data, source.field) is not None, (key, source)
            elif source.file == "resnet_sizes.records.protocol":
                name, _, model = source.field.partition(".")
                assert model in getattr(import_module(source.file), name), (key, source)
            else:
                assert source.file in (FILE, str(LEDGER)), (key, source)


def test_a_number_of_one_source_is_that_fields(tmp_path: Path) -> None:
    study = make_study(tmp_path, accuracies=ACCURACIES, full=False, epochs=2)
    [source] = values_of(study)["scratch-32.resnet152.seed-1.accuracy"].sources
    assert source.file == "runs/scratch-32/resnet152/seed-1/metrics.json"
    assert lookup(json.loads((study.parent / source.file).read_text()), source.field) == 0.87


def test_a_cached_run_counts_the_time_it_would_have_taken(tmp_path: Path) -> None:
    study = make_study(tmp_path, models=["resnet18"], seeds=[0], full=False, epochs=2)
    path = study.parent / "runs/scratch-32/resnet18/seed-0/metrics.json"
    data = json.loads(path.read_text())
    cache = {"key": "1" * 64, "reused": False, "forward_seconds": 1500.0}
    data |= {"equivalent_training_seconds": 6000.0, "feature_cache": cache}
    path.write_text(json.dumps(data))
    values = values_of(study)
    assert values["scratch-32.resnet18.minutes.mean"].value == 100
    assert values["scratch-32.resnet18.minutes.mean"].sources[0].field == (
        "equivalent_training_seconds"
    )
    measured = values["scratch-32.resnet18.measured_minutes.mean"]
    assert measured.value == pytest.approx(41)
    assert [source.field for source in measured.sources] == ["training_seconds"]
    forward = values["scratch-32.resnet18.forward_minutes.mean"]
    assert forward.value == 25
    assert [source.field for source in forward.sources] == ["feature_cache.forward_seconds"]
    assert values["made.training_seconds"].value == pytest.approx(41 * 60)


def test_seeds_that_reuse_features_took_less_and_count_the_same(tmp_path: Path) -> None:
    readings = own_readings("probe-224")
    study = make_study(tmp_path, protocols=["probe-224"], readings=readings, full=False)
    found = numbers(study)
    prefix = "probe-224.resnet50"
    assert [found[f"{prefix}.seed-{seed}.minutes"] for seed in range(3)] == [112, 112, 112]
    forward, head = 0.98 * 112 / 50, 0.02 * 112
    measured = [found[f"{prefix}.seed-{seed}.measured_minutes"] for seed in range(3)]
    assert measured == pytest.approx([forward + head, head, head])
    assert found[f"{prefix}.measured_minutes.mean"] == pytest.approx(head + forward / 3)
    assert f"{prefix}.measured_minutes.sd" not in found
    assert found[f"{prefix}.minutes_ratio"] == pytest.approx(112 / 41)


def test_what_the_run_files_resolved_is_kept_with_the_weights_files(tmp_path: Path) -> None:
    readings = {"own": {"weights": "default", "precision": "auto"}}
    study = make_study(
        tmp_path,
        protocols=["own"],
        readings=readings,
        training={"compile": "auto", "gradient_accumulation": 4},
        seeds=[0, 1],
        full=False,
        epochs=2,
    )
    values = values_of(study)
    assert values["own.resnet18.precision"].value == "bf16"
    assert values["own.resnet18.compile_mode"].value == "reduce-overhead"
    assert values["study.gradient_accumulation"].value == 4
    name = values["own.resnet18.initial_weights.name"]
    assert name.value == "ResNet18_Weights.IMAGENET1K_V1"
    assert [source.field for source in name.sources] == ["run.initial_weights.name"] * 2
    assert len(str(values["own.resnet50.initial_weights.sha256"].value)) == 64


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
    assert found["hardware.device"] == "Synthetic GPU, Other GPU"
    assert found["hardware.threads"] == "4, 8"


def test_every_protocol_has_its_own_numbers(tmp_path: Path) -> None:
    study = make_study(tmp_path, protocols=["one", "two"], full=False, epochs=2)
    found = numbers(study)
    assert found["one.resnet18.accuracy.mean"] == found["two.resnet18.accuracy.mean"] == 0.808


def test_no_protocol_can_be_named_as_a_group_of_keys(tmp_path: Path) -> None:
    study = make_study(tmp_path, protocols=["one"], full=False, epochs=2)
    groups = {key.partition(".")[0] for key in values_of(study)} - {"one"}
    assert groups == RESERVED_NAMES


@given(st.floats(0.01, 1), st.floats(-90, 1000))
def test_an_increment_leads_back_to_the_value(base: float, percent: float) -> None:
    value = base * (1 + percent / 100)
    assert increment_percent(value, base) == pytest.approx(percent, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_prediction_interval_is_that_of_scipys_t_distribution(values: list[float]) -> None:
    interval = prediction_interval(values)
    assert interval is not None
    count = len(values)
    spread = float(np.std(values, ddof=1)) * (1 + 1 / count) ** 0.5
    mean = sum(values) / count
    if spread > 1e-12:
        expected = stats.t.interval(0.95, df=count - 1, loc=mean, scale=spread)
        assert interval == pytest.approx(expected, rel=1e-9, abs=1e-12)
    else:
        assert interval == pytest.approx((mean, mean))


def test_one_value_gives_no_prediction_interval() -> None:
    assert prediction_interval([0.5]) is None
