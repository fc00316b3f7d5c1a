"""values.json: where each number came from."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from study_values import ACCURACIES, VERDICTS_FILE, values_of
from synthetic import ARTICLE, make_study, own_readings
from synthetic_runs import PARAMETERS

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.evidence.values import Values


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
    build_evidence(study, study.parent / "evidence", allow_partial=False)
    values = read_record(study.parent / "evidence" / "values.json", Values, "").values
    for key, value in values.items():
        for source in value.sources:
            if source.file.endswith(".json") and source.file != VERDICTS_FILE:
                data = json.loads((study.parent / source.file).read_text())
                assert lookup(data, source.field) is not None, (key, source)
            elif source.file == "resnet_sizes.schemas.evidence.verdicts":
                assert hasattr(import_module(source.file), source.field), (key, source)
            elif source.file == "resnet_sizes.schemas.study.protocol":
                name, _, model = source.field.partition(".")
                assert model in getattr(import_module(source.file), name), (key, source)
            elif source.file.endswith(".safetensors"):
                with safe_open(study.parent / source.file, framework="numpy") as tensors:
                    assert source.field in tensors.keys(), (key, source)  # noqa: SIM118
            else:
                assert source.file in (VERDICTS_FILE, str(ARTICLE)), (key, source)


def test_a_number_of_one_source_is_that_fields(tmp_path: Path) -> None:
    study = make_study(tmp_path, accuracies=ACCURACIES, full=False, epochs=2)
    [source] = values_of(study)["scratch-32.resnet152.parameters"].sources
    assert source.file == "runs/scratch-32/resnet152/seed-0/metrics.json"
    data = json.loads((study.parent / source.file).read_text())
    assert lookup(data, source.field) == PARAMETERS["resnet152"]


def test_a_cached_run_counts_the_time_it_would_have_taken(tmp_path: Path) -> None:
    study = make_study(tmp_path, models=["resnet18"], seeds=[0], full=False, epochs=2)
    path = study.parent / "runs/scratch-32/resnet18/seed-0/metrics.json"
    data = json.loads(path.read_text())
    cache = {"key": "1" * 64, "reused": False, "forward_seconds": 1500.0, "timed_images": 50000}
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


def test_time_of_compiling_is_told_beside_that_of_training(tmp_path: Path) -> None:
    study = make_study(tmp_path, models=["resnet18"], seeds=[0, 1], full=False, epochs=2)
    assert "made.preparation_seconds" not in values_of(study)
    for seed, seconds in ((0, 8.0), (1, 0.5)):
        path = study.parent / f"runs/scratch-32/resnet18/seed-{seed}/metrics.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"preparation_seconds": seconds}))
    found = values_of(study)["made.preparation_seconds"]
    assert found.value == 8.5
    assert [source.field for source in found.sources] == ["preparation_seconds"] * 2


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
    assert values["own.resnet18.precision"].value == ["bf16"]
    assert values["own.resnet18.compile_mode"].value == ["reduce-overhead"]
    assert values["study.gradient_accumulation"].value == 4
    name = values["own.resnet18.initial_weights.name"]
    assert name.value == ["ResNet18_Weights.IMAGENET1K_V1"]
    assert [source.field for source in name.sources] == ["run.initial_weights.name"] * 2
    assert len(values["own.resnet50.initial_weights.sha256"].as_text) == 64
