"""The article chooses its table's columns, its languages, its ids and what it states."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from report_studies import TEMPLATES, context_of
from synthetic import make_study
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.figures.draw import write_figures
from resnet_sizes.reporting.figures.style import FigureContext
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.schemas.article.article import load_article

BASE = Path(__file__).parents[2] / "config/config.yaml"

ERRORS = """
schema_version: 1
languages: [en]
article: {title: Two depths by their errors, authors: [Somebody], year: 2021, language: en}
setup: {data: digits, train_images: 1437, test_images: 360, iterations: 100}
figure: error
table:
  - {model: resnet34, error: "9.72", parameters: "21.3"}
  - {model: resnet101, error: "3.10", parameters: "42.5"}
headline: [A1]
claims:
  - id: A1
    place: conclusions
    text: {en: The deeper one makes fewer errors.}
    rule: ordering
    quantity: error
    models: [resnet101, resnet34]
    needs: {data: [digits], seeds: 4, article_setup: false}
  - id: A2
    place: conclusions
    text: {en: The deeper one makes the fewest errors.}
    rule: extreme
    quantity: error
    model: resnet101
    extreme: lowest
    among: [resnet34, resnet101]
    needs: {data: [digits], seeds: 4, article_setup: false}
  - id: A3
    place: results
    text: {en: "Over five runs, the error of ResNet-34 is 9.80% on average."}
    rule: mean
    model: resnet34
    column: error
    printed: "9.80"
    deviation: "0.40"
    runs: 5
    max_half_width: 3
    needs: {data: [digits], seeds: 4, article_setup: false}
  - id: B1
    place: table
    text: {en: "Error of ResNet-34, 9.72%."}
    rule: cell
    model: resnet34
    column: error
    printed: "9.72"
    max_half_width: 4
    needs: {data: [digits], seeds: 4, article_setup: false}
  - id: B2
    place: table
    text: {en: "Error of ResNet-101, 3.10%."}
    rule: cell
    model: resnet101
    column: error
    printed: "3.10"
    max_half_width: 0.01
    needs: {data: [digits], seeds: 4, article_setup: false}
  - id: B3
    place: table
    text: {en: "Parameters of ResNet-34, 21.3 million."}
    rule: cell
    model: resnet34
    column: parameters
    printed: "21.3"
  - id: B4
    place: table
    text: {en: "Parameters of ResNet-101, 42.5 million."}
    rule: cell
    model: resnet101
    column: parameters
    printed: "42.5"
untestable:
  - id: Z1
    place: results
    text: {en: Depth is what helps.}
    reason: {en: No cause was measured.}
open_choices: []
"""

RESULTS: dict[str, Any] = {
    "content": "digits",
    "models": ["resnet34", "resnet101"],
    "seeds": [0, 1, 2, 3],
    "accuracies": {"resnet34": (0.90, 0.91, 0.89, 0.90), "resnet101": (0.97, 0.98, 0.96, 0.97)},
    "minutes": {"resnet34": (20, 20.5, 19.5, 20), "resnet101": (50, 51, 49, 50)},
    "losses": {"resnet34": (1.9, 0.5), "resnet101": (2.0, 0.4)},
    "epochs": 5,
    "batch_size": 64,
    "languages": ("en",),
}


@pytest.fixture
def article(tmp_path: Path) -> Path:
    path = tmp_path / "errors.yaml"
    path.write_text(ERRORS, encoding="utf-8")
    return path


def evidence_of(study: Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["evidence", str(study)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    folder = study.parent / "evidence"
    return {
        name: json.loads((folder / f"{name}.json").read_text())
        for name in ("verdicts", "values", "audit", "figures")
    }


def changed(article: Path, /, **changes: Any) -> str:
    """What an article file with other keys is told."""
    content = yaml.safe_load(ERRORS) | changes
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_article(article)
    return str(caught.value)


def test_an_article_with_errors_and_parameters_is_judged_by_them(
    tmp_path: Path, article: Path
) -> None:
    found = evidence_of(make_study(tmp_path, article=article, **RESULTS))
    verdicts = {verdict["id"]: verdict for verdict in found["verdicts"]["verdicts"]}
    assert {name: verdict["verdict"] for name, verdict in verdicts.items()} == {
        "A1": "supported",
        "A2": "supported",
        "A3": "supported",
        "B1": "supported",
        "B2": "not-enough-runs",
        "B3": "true-by-construction",
        "B4": "true-by-construction",
    }
    assert list(verdicts) == ["A1", "A2", "A3", "B1", "B2", "B3", "B4"]
    values = found["values"]["values"]
    assert values["article.resnet34.error"]["value"] == 9.72
    assert values["scratch-32.resnet34.error.mean"]["value"] == pytest.approx(0.1, abs=0.002)
    assert values["parameters.resnet34"]["value"] == pytest.approx(21.29, abs=0.01)
    assert verdicts["B1"]["values"]["ours"] == "scratch-32.resnet34.error.mean"
    assert verdicts["B3"]["values"]["ours"] == "parameters.resnet34"
    prediction = verdicts["B1"]["basis"]["prediction"]
    assert prediction["mean"] == pytest.approx(10, abs=0.2)
    # The mean of five further runs is better known than one of them.
    of_five = verdicts["A3"]["basis"]["prediction"]
    assert of_five["high"] - of_five["low"] < 0.7 * (prediction["high"] - prediction["low"])


def test_an_order_of_errors_is_that_of_accuracies(tmp_path: Path, article: Path) -> None:
    """So it is the same test as that of the recommended network, counted once."""
    found = evidence_of(make_study(tmp_path, article=article, **RESULTS))["verdicts"]
    [comparison] = found["verdicts"][0]["basis"]["comparisons"]
    assert comparison["quantity"] == "accuracy"
    assert comparison["models"] == ["resnet101", "resnet34"]
    assert comparison["pairings"]
    # A1, A2 (which is the choice by accuracy), A3, B1, B2, and the fastest network.
    assert found["verdicts"][0]["basis"]["tests"] == 6


def test_the_audit_leaves_out_what_the_article_prints_no_numbers_for(
    tmp_path: Path, article: Path
) -> None:
    audit = evidence_of(make_study(tmp_path, article=article, **RESULTS))["audit"]
    assert audit["measure"] == "error"
    assert [each["accuracy"] for each in audit["accuracies"]] == pytest.approx([9.72, 3.1])
    assert (audit["increments"], audit["columns"], audit["protocols"]) == ([], [], [])
    assert audit["epochs"] is None
    yardsticks = {each["name"]: each["values"] for each in audit["returns"]["yardsticks"]}
    assert yardsticks["points-per-minute"] == [None]
    assert yardsticks["points-per-layer"] == pytest.approx([6.62 / 67])


def report_on(tmp_path: Path, article: Path) -> str:
    study = make_study(tmp_path, article=article, **RESULTS)
    evidence_of(study)
    context = context_of(read_inputs(study, study.parent / "evidence"), "en")
    return str(plain(render_article(context, TEMPLATES, choose_engine("pandoc")).text))


def test_its_table_has_its_columns_and_its_digits(tmp_path: Path, article: Path) -> None:
    text = report_on(tmp_path, article)
    lines = text.splitlines()
    head = lines.index("| Network | Error | Parameters (millions) |")
    assert lines[head + 1] == "|:---------|----:|----:|"
    assert lines[head + 2].startswith("| ResNet-34 | 10.")
    assert lines[head + 2].endswith(" | 21.29 |")
    assert lines[head + 3] == "| *in the article* | 9.72% | 21.3 |"
    assert "Training time (min)" not in text
    cells = [line for line in lines if line.startswith("| [B1]") or line.startswith("| B1 ")]
    assert any("| Error | 9.72% | 10." in line for line in cells)
    assert "figure-error.svg" in text
    assert "figure-loss.svg" not in text


def test_its_figure_shows_errors_by_iteration(tmp_path: Path, article: Path) -> None:
    study = make_study(tmp_path, article=article, **RESULTS)
    evidence_of(study)
    context = context_of(read_inputs(study, study.parent / "evidence"), "en")
    drawn = FigureContext(context.figures, context.words, "error", steps=22)
    paths = write_figures(drawn, tmp_path, ["svg"])
    assert paths[0].name == "figure-error.svg"
    assert not (tmp_path / "figure-loss.svg").exists()
    text = paths[0].read_text(encoding="utf-8")
    assert ">Iteration<" in text
    assert ">Error (%)<" in text
    assert ">100<" in text  # of 110 iterations


def test_all_texts_are_in_the_languages_that_an_article_names(article: Path) -> None:
    told = changed(article, languages=["pt", "en"])
    assert "claims.A1.text: has no text in pt" in told
    assert "Add it, or, where all texts of the file are in another, write languages: [en]" in told
    told = changed(article, languages=None)  # which means both
    assert "languages: found None" in told
    content = yaml.safe_load(ERRORS)
    content["untestable"][0]["reason"] = {"pt": "Nenhuma causa foi medida."}
    told = changed(article, untestable=content["untestable"])
    assert "untestable.Z1.reason: has no text in en" in told
    content["untestable"][0]["reason"] = {}
    told = changed(article, untestable=content["untestable"])
    assert "untestable.Z1.reason: has no text in en" in told


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"eror": "3.1", "parameters": "42.5"}, "'eror' is no column; allowed: accuracy, error,"),
        (
            {"error": "3.10"},
            "has other columns than resnet34, which has error, parameters",
        ),
        ({"error": "3,1", "parameters": "42.5"}, "error"),
        ({"error": "150", "parameters": "42.5"}, "error: found 150; allowed: numbers from 0 to"),
        (
            {"error": "-5", "parameters": "42.5"},
            "error: found -5; allowed: numbers from 0 to 100",
        ),
        (
            {"error": "3.1", "parameters": "-1"},
            "parameters: found -1; allowed: numbers from 0 to",
        ),
        (
            {"error": 3.1, "parameters": "42.5"},
            "error: found 3.1; allowed: text, and a number in quotes",
        ),
    ],
)
def test_a_row_with_other_columns_is_refused(article: Path, row: dict[str, str], told: str) -> None:
    rows = [yaml.safe_load(ERRORS)["table"][0], {"model": "resnet101", **row}]
    assert told in changed(article, table=rows)


def test_a_table_without_columns_is_refused(article: Path) -> None:
    rows = [{"model": "resnet34"}, {"model": "resnet101"}]
    assert "table: resnet34 has no column; allowed: accuracy, error," in changed(
        article, table=rows
    )


def test_a_mean_that_no_column_can_have_is_refused(article: Path) -> None:
    claims = yaml.safe_load(ERRORS)["claims"]
    claims[2]["printed"] = "150"
    assert "error: found 150; allowed: numbers from 0 to 100" in changed(article, claims=claims)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", " "),
        ("authors", [""]),
        ("year", -5),
        ("reference", "two words"),
        ("reference", "a--b"),
    ],
)
def test_what_names_no_article_is_refused(article: Path, key: str, value: Any) -> None:
    named = yaml.safe_load(ERRORS)["article"] | {key: value}
    assert f"article.{key}" in changed(article, article=named)


@pytest.mark.parametrize("key", ["doe2020", "doe-2020", "he_2015", "DBLP:conf/cvpr/HeZRS16"])
def test_usual_keys_of_a_bibliography_are_taken(article: Path, key: str) -> None:
    content = yaml.safe_load(ERRORS)
    content["article"]["reference"] = key
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert load_article(article).article.reference == key


def test_a_headline_of_what_has_no_verdict_is_refused(article: Path) -> None:
    told = changed(article, headline=["A1", "Z1"])
    assert "headline: Z1 is no id of a claim; these alone are judged" in told
    assert "headline: A1 stands twice" in changed(article, headline=["A1", "A1"])


def test_a_text_of_blanks_is_none(article: Path) -> None:
    claims = yaml.safe_load(ERRORS)["claims"]
    claims[0]["text"] = {"en": " "}
    assert "text.en: found ' '" in changed(article, claims=claims)


def test_a_claim_on_a_column_that_there_is_not_is_refused(article: Path) -> None:
    claims = yaml.safe_load(ERRORS)["claims"]
    claims[3]["column"] = "eror"
    told = changed(article, claims=claims)
    assert "'eror' is no column; allowed: accuracy, error," in told
    assert "Did you mean 'error'?" in told
    claims[3]["column"] = "accuracy"
    assert "prints 9.72 for resnet34 accuracy, but the table has None" in changed(
        article, claims=claims
    )
