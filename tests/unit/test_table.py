"""Table 1: the article's columns from any study."""

import csv
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from study_values import collected
from synthetic import ARTICLE, make_study, own_readings

from resnet_sizes.evidence.runs.read import read_runs
from resnet_sizes.evidence.values.table import comparison_table, write_table
from resnet_sizes.io.files import read_record
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile

COLUMNS = [
    "Teste",
    "Acurácia",
    "Camadas",
    "Tempo de treinamento (min)",
    "Acréscimo de camadas",
    "Acréscimo de acurácia",
    "Tempo medido (min)",
    "Desvio-padrão da acurácia (pontos)",
    "Desvio-padrão do tempo (min)",
]


def table_of(folder: Path, **choices: Any) -> pd.DataFrame:
    study = make_study(folder, **choices)
    return table_of_study(study)


def table_of_study(study: Path) -> pd.DataFrame:
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)
    article = load_article(ARTICLE)
    return comparison_table(runs.study, collected(runs, article), article)


def test_the_articles_numbers_give_the_articles_table(tmp_path: Path) -> None:
    table = table_of(tmp_path, epochs=2)
    assert list(table.columns) == COLUMNS
    rounded = [
        [row[0], f"{row[1]:.2f}", row[2], round(row[3]), *(f"{cell:.0f}" for cell in row[4:7])]
        for row in table.itertuples(index=False)
    ]
    assert rounded == [
        ["ResNet-18", "80.84", 18, 41, "nan", "nan", "41"],
        ["ResNet-50", "83.55", 50, 112, "178", "3", "112"],
        ["ResNet-152", "85.94", 152, 262, "744", "6", "262"],
    ]


def test_a_computed_time_stands_beside_the_measured_one(tmp_path: Path) -> None:
    readings = own_readings("literal")
    table = table_of(tmp_path, protocols=["literal"], readings=readings, seeds=[0], full=False)
    assert list(table["Tempo de treinamento (min)"]) == pytest.approx([41, 112, 262])
    measured = 262 * (0.02 + 0.98 / 50)
    assert list(table["Tempo medido (min)"]) == pytest.approx([41, 112, measured])


def test_several_seeds_give_means_and_increments_of_the_means(tmp_path: Path) -> None:
    table = table_of(
        tmp_path,
        epochs=2,
        full=False,
        models=["resnet18", "resnet50"],
        accuracies={"resnet18": (0.5, 0.6, 0.7), "resnet50": (0.7, 0.6, 0.8)},
        minutes={"resnet18": (1, 2, 6), "resnet50": 10},
    )
    assert list(table["Acurácia"]) == pytest.approx([60, 70])
    assert list(table["Tempo de treinamento (min)"]) == pytest.approx([3, 10])
    assert table["Acréscimo de acurácia"][1] == pytest.approx(100 / 6)


def test_other_depths_are_compared_with_the_shallowest(tmp_path: Path) -> None:
    numbers = {"resnet101": 0.9, "resnet34": 0.6}
    table = table_of(
        tmp_path,
        epochs=2,
        full=False,
        models=["resnet101", "resnet34"],
        accuracies=numbers,
        minutes={"resnet101": 5, "resnet34": 2},
        losses=dict.fromkeys(numbers, (2.0, 1.0)),
    )
    assert list(table["Teste"]) == ["ResNet-34", "ResNet-101"]
    assert table["Acréscimo de camadas"][1] == pytest.approx(101 / 34 * 100 - 100)
    assert table["Acréscimo de acurácia"][1] == pytest.approx(50)


def test_the_first_protocol_gives_the_table(tmp_path: Path) -> None:
    study = make_study(tmp_path, protocols=["b", "a"], epochs=2, full=False)
    (study.parent / "runs/b/resnet18/seed-0/metrics.json").unlink()
    for seed in (1, 2):
        (study.parent / f"runs/b/resnet18/seed-{seed}/metrics.json").unlink()
    assert table_of_study(study)["Acurácia"].isna().tolist() == [True, False, False]


def test_the_csv_holds_plain_numbers_and_empty_cells(tmp_path: Path) -> None:
    missing = [f"scratch-32/resnet152/seed-{seed}" for seed in (0, 1, 2)]
    path = tmp_path / "table.csv"
    write_table(table_of(tmp_path, epochs=2, missing=missing), path)
    text = path.read_text(encoding="utf-8")
    assert "\r" not in text
    rows = list(csv.reader(text.splitlines()))
    assert rows[0] == COLUMNS
    assert rows[1] == ["ResNet-18", "80.84", "18", "41", "", "", "41", "0", "0"]
    assert rows[2][:4] == ["ResNet-50", "83.55", "50", "112"]
    assert float(rows[2][5]) == pytest.approx(3.3523, abs=1e-4)
    assert rows[3] == ["ResNet-152", "", "152", "", "744.444444444", "", "", "", ""]
