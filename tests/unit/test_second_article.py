"""Another article is another file: other networks, another set-up, other claims."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from report_studies import TEMPLATES, context_of
from synthetic import make_study
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article

ARTICLE = """
schema_version: 1
article: {title: Two depths on scanned digits, authors: [Somebody], year: 2020}
setup:
  data: digits
  train_images: 1437
  test_images: 360
  batch_size: 64
  learning_rate: 0.001
  epochs: 5
  device: Synthetic GPU
table:
  - {model: resnet34, accuracy: "90.0", layers: 34, minutes: "20.0", layers_increment: null, accuracy_increment: null}
  - {model: resnet101, accuracy: "95.0", layers: 101, minutes: "50.0", layers_increment: "197", accuracy_increment: "5.6"}
claims:
  - id: S1
    place: results
    text: {pt: A mais profunda acerta mais., en: The deeper one is better.}
    rule: ordering
    quantity: accuracy
    models: [resnet34, resnet101]
    needs: {data: [digits], seeds: 4, protocols: [scratch-32]}
  - id: S2
    place: results
    text: {pt: Os tempos crescem., en: Times grow.}
    rule: ratio
    quantity: minutes
    tolerance: 0.1
    models: [resnet34, resnet101]
    needs: {data: [digits], seeds: 4}
  - id: T1
    place: table
    text: {pt: Tempo da ResNet-34., en: Time of ResNet-34.}
    rule: cell
    model: resnet34
    column: minutes
    printed: "20.0"
    max_half_width: 4
    needs: {data: [digits], seeds: 4, article_device: true}
  - id: T2
    place: table
    text: {pt: Acréscimo de camadas., en: Increment in layers.}
    rule: cell
    model: resnet101
    column: layers_increment
    printed: "197"
open_choices: []
"""  # noqa: E501

RESULTS: dict[str, Any] = {
    "content": "digits",
    "models": ["resnet34", "resnet101"],
    "seeds": [0, 1, 2, 3],
    "accuracies": {"resnet34": (0.90, 0.91, 0.89, 0.90), "resnet101": (0.97, 0.98, 0.96, 0.97)},
    "minutes": {"resnet34": (20, 20.5, 19.5, 20), "resnet101": (50, 51, 49, 50)},
    "losses": {"resnet34": (1.9, 0.5), "resnet101": (2.0, 0.4)},
    "epochs": 5,
    "batch_size": 64,
    "learning_rate": 0.001,
}


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "second.yaml"
    path.write_text(ARTICLE, encoding="utf-8")
    return path


def evidence_of(study: Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["evidence", str(study)])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads((study.parent / "evidence" / "verdicts.json").read_text())
    return found


def test_a_second_article_is_judged_by_its_own_file(tmp_path: Path, article: Path) -> None:
    found = evidence_of(make_study(tmp_path, article=article, **RESULTS))
    verdicts = {verdict["id"]: verdict for verdict in found["verdicts"]}
    assert {name: verdict["verdict"] for name, verdict in verdicts.items()} == {
        "S1": "supported",
        "S2": "supported",
        "T1": "supported",  # this article names its device, and it is ours
        "T2": "true-by-construction",
    }
    assert verdicts["S2"]["basis"]["ratios"][0]["printed"] == 2.5
    # Five tests: those of S1, S2 and T1, and of the most accurate and the fastest network.
    assert {v["basis"]["tests"] for v in verdicts.values() if v["basis"]} == {5}


def test_a_claim_is_judged_from_the_readings_that_it_accepts(tmp_path: Path, article: Path) -> None:
    study = make_study(tmp_path, article=article, protocols=["scratch-32", "other"], **RESULTS)
    found = evidence_of(study)
    verdicts = {(v["id"], v["protocol"]): v for v in found["verdicts"]}
    assert verdicts["S1", "other"]["verdict"] == "not-comparable"
    assert verdicts["S1", "other"]["reasons"] == ["other-protocol"]
    assert verdicts["S2", "other"]["verdict"] == "supported"
    overall = {one["id"]: one["verdict"] for one in found["overall"]}
    assert overall["S1"] == "supported"  # the other reading has no say in it


def test_where_a_reading_cannot_decide_the_claim_is_open(tmp_path: Path, article: Path) -> None:
    article.write_text(ARTICLE.replace(", protocols: [scratch-32]", ""), encoding="utf-8")
    study = make_study(tmp_path, article=article, protocols=["scratch-32", "other"], **RESULTS)
    (study.parent / "runs" / "other" / "resnet101" / "seed-3" / "metrics.json").unlink()
    result = CliRunner().invoke(app, ["evidence", "--partial", str(study)])
    assert result.exit_code == 0, result.output
    found = json.loads((study.parent / "partial" / "evidence" / "verdicts.json").read_text())
    one = found["overall"][0]
    assert one["readings"] == {"scratch-32": "supported", "other": "not-enough-runs"}
    assert (one["verdict"], one["reasons"]) == ("decided-in-part", ["readings-open"])
    assert one["agreement"] == "readings-open"
    assert one["taking_part"] == ["scratch-32", "other"]


def test_on_another_device_printed_minutes_are_not_comparable(
    tmp_path: Path, article: Path
) -> None:
    article.write_text(ARTICLE.replace("Synthetic GPU", "Another GPU"), encoding="utf-8")
    found = evidence_of(make_study(tmp_path, article=article, **RESULTS))
    (cell,) = [verdict for verdict in found["verdicts"] if verdict["id"] == "T1"]
    assert (cell["verdict"], cell["reasons"]) == ("not-comparable", ["other-device"])


def test_ratios_of_times_need_printed_times(tmp_path: Path, article: Path) -> None:
    content = yaml.safe_load(ARTICLE)
    content["table"][0]["minutes"] = "0"
    content["claims"] = content["claims"][1:2]
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    study = make_study(tmp_path, article=article, **RESULTS)
    result = CliRunner().invoke(app, ["evidence", str(study)])
    assert result.exit_code != 0
    assert "S2 compares the training time of resnet34" in str(result.exception or result.output)


def test_seeds_are_planned_where_somebody_measured_how_they_vary(
    tmp_path: Path, article: Path
) -> None:
    results = RESULTS | {
        "seeds": [0],
        "accuracies": {"resnet34": 0.85, "resnet101": 0.86},
        "minutes": {"resnet34": 20, "resnet101": 50},
    }
    found = evidence_of(make_study(tmp_path / "unknown", article=article, **results))
    basis = found["verdicts"][0]["basis"]
    assert basis["needed_from"] == "minimum"
    judging = {"seed_deviation": {"points": 2.0, "source": {"pt": "alguém", "en": "somebody"}}}
    content = yaml.safe_load(ARTICLE) | {"judging": judging}
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    found = evidence_of(make_study(tmp_path / "known", article=article, **results))
    basis = found["verdicts"][0]["basis"]
    assert found["verdicts"][0]["verdict"] == "not-enough-runs"
    assert basis["needed_from"] == "assumed"
    assert basis["seeds_needed"] > 50  # 2 · (1.96 + 0.84)² · (2 / 1)²


def test_an_article_without_conclusions_has_a_report_without_an_empty_table(
    tmp_path: Path, article: Path
) -> None:
    study = make_study(tmp_path, article=article, **RESULTS)
    evidence_of(study)
    context = context_of(read_inputs(study, study.parent / "evidence"))
    text = render_article(context, TEMPLATES, choose_engine("pandoc")).text
    tables = re.findall(r"(?m)^\|:-.*\|\n(.*)", text)
    assert len(tables) > 5
    assert all(row.startswith("|") for row in tables)
