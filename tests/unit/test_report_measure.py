"""The report speaks of what the article printed: errors, its own order, its columns, its times."""

import csv
import json
from pathlib import Path
from typing import Any

import pypandoc
import pytest
import yaml
from audited_articles import article_of, audited
from report_studies import TEMPLATES, context_of
from synthetic import make_study
from test_article_folders import own_article, written
from test_he_2015 import ERRORS, SPREAD, he_study
from test_second_article import ARTICLE as SECOND
from test_second_article import RESULTS, evidence_of

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.i18n.numbers import show
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.schemas.paths import StudyFolder


def text_of(study: Path) -> str:
    evidence = StudyFolder.of_file(study).evidence
    build_evidence(study, evidence, allow_partial=True)
    context = context_of(read_inputs(study, evidence), "en")
    return str(plain(render_article(context, TEMPLATES, choose_engine("pandoc")).text))


@pytest.fixture(scope="module")
def of_errors(tmp_path_factory: pytest.TempPathFactory) -> str:
    return text_of(he_study(tmp_path_factory.mktemp("he")))


def test_an_article_that_prints_errors_is_spoken_of_by_errors(of_errors: str) -> None:
    assert "| ResNet-20 | 8.75% | 8.21% to 9.32% |" in of_errors  # Wilson's, of 875 of 10,000
    assert ": Printed errors and their 95% Wilson intervals" in of_errors
    assert ": Differences between the printed errors" in of_errors
    assert "| ResNet-32 and ResNet-20 | −1.24 | −3.2 |" in of_errors
    assert "6.41% for ResNet-110 (0.20 percentage points less)" in of_errors
    assert "In the last epoch the error is 8.20% in training and 9.20% in the test" in of_errors
    assert "the error is that of the last epoch" in of_errors
    assert "| Epoch of the error | does not say whether the errors are" in of_errors
    for other in ("| 91.25%", "printed accuracies", "in accuracy", "accuracy is that"):
        assert other not in of_errors


def test_minutes_stand_beside_results_only_where_the_article_prints_some(of_errors: str) -> None:
    assert "| ResNet-110 | 6.61% | 6.43% |" in of_errors


def test_only_networks_that_chance_may_explain_are_told_as_such(of_errors: str) -> None:
    lead = "ResNet-110 has the lowest mean (6.61%), but its lead over ResNet-56 cannot be told"
    assert lead in of_errors


def test_one_network_that_is_trained_otherwise_casts_no_doubt_on_the_others(of_errors: str) -> None:
    assert "ResNet-110 alone differs from the other networks in the warm-up" in of_errors
    assert "A difference between ResNet-110 and another network can therefore not" in of_errors
    assert "A difference between these networks" not in of_errors


def test_networks_with_the_same_result_lead_nobody(tmp_path: Path) -> None:
    same = {name: [(100 - error - off) / 100 for off in SPREAD] for name, error in ERRORS.items()}
    same |= dict.fromkeys(("resnet56", "resnet110"), [0.9] * 5)
    same |= {name: [0.8] * 5 for name in ERRORS if name not in ("resnet56", "resnet110")}
    text = text_of(he_study(tmp_path, accuracies=same))
    tied = "ResNet-56 and ResNet-110 share the lowest mean (10.00%), and none of them leads"
    assert tied in text


def test_only_gains_can_diminish_and_steps_are_those_of_the_table(tmp_path: Path) -> None:
    # As an article on another axis than depth has them: the table's order is not that of depth.
    order = [("resnet50", "83.0"), ("resnet18", "80.0"), ("resnet152", "75.0")]
    article = article_of(*((name, accuracy, "10", None, None) for name, accuracy in order))
    returns = audited(article).returns
    assert returns.steps == [("resnet50", "resnet18"), ("resnet18", "resnet152")]
    assert {each.name: each.falls for each in returns.yardsticks} == {
        "points-per-layer": None,
        "points-per-minute": None,
        "error-reduction": None,
    }
    rising = [("resnet18", "80.0"), ("resnet50", "83.0"), ("resnet152", "85.0")]
    article = article_of(*((name, accuracy, "10", None, None) for name, accuracy in rising))
    falls = {each.name: each.falls for each in audited(article).returns.yardsticks}
    assert falls["error-reduction"] is True
    content = yaml.safe_load(SECOND)
    content["table"] = [{"model": name, "accuracy": accuracy} for name, accuracy in order]
    content["claims"] = content["claims"][:1]
    text = written(tmp_path, own_article(tmp_path / "own", content), **RESULTS)
    assert "the gain of each step in the order of the article’s table" in text
    assert "step in depth" not in text
    assert "diminishes, " not in text


def without_minutes(**keys: Any) -> dict[str, Any]:
    """The second article, which prints errors and parameters, in both languages."""
    content = yaml.safe_load(SECOND)
    content["table"] = [
        {"model": "resnet34", "error": "10.0", "parameters": "21.3"},
        {"model": "resnet101", "error": "5.0", "parameters": "43.0"},
    ]
    claim = {"id": "T1", "place": "table", "rule": "cell", "column": "parameters"}
    text = {"pt": "Parâmetros.", "en": "Parameters."}
    claim |= {"model": "resnet34", "printed": "21.3", "text": text}
    content["claims"] = [content["claims"][0], claim]
    return content | keys


def test_a_table_in_portuguese_has_the_columns_of_its_article(tmp_path: Path) -> None:
    study = make_study(
        tmp_path, article=own_article(tmp_path / "own", without_minutes()), **RESULTS
    )
    evidence_of(study)
    with (study.parent / "evidence" / "table.csv").open(encoding="utf-8") as file:
        head = next(csv.reader(file))
    assert head == ["Teste", "Erro", "Parâmetros (milhões)", "Desvio-padrão do erro (pontos)"]


def test_parameters_are_those_of_the_runs_whose_images_have_more_classes(tmp_path: Path) -> None:
    content = without_minutes()
    content["claims"][1]["printed"] = content["table"][0]["parameters"] = "21.34"
    study = make_study(tmp_path, article=own_article(tmp_path / "own", content), **RESULTS)
    for path in study.parent.glob("runs/*/resnet34/*/metrics.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        data["parameters"] += 90 * 513  # a hundred classes: 90 more outputs of 512 inputs
        path.write_text(json.dumps(data), encoding="utf-8")
    (verdict,) = [each for each in evidence_of(study)["verdicts"] if each["id"] == "T1"]
    assert verdict["verdict"] == "true-by-construction"
    assert "| ResNet-34 | 10.00% ± 0.91 | 21.34 |" in text_of(study)


def test_a_very_short_time_is_told_as_such(tmp_path: Path) -> None:
    assert show(0.00017, "minutes", "en") == "<\u202f0.01"
    assert show(0.00017, "minutes", "pt") == "<\u202f0,01"
    assert show(0.042, "minutes", "en") == "0.042"
    brief = {name: [0.00017, 0.00018, 0.00017, 0.00017] for name in ("resnet34", "resnet101")}
    study = make_study(
        tmp_path, article=own_article(tmp_path / "own"), **RESULTS | {"minutes": brief}
    )
    rows = [line for line in text_of(study).splitlines() if line.startswith("| ResNet-34 | 90.00%")]
    assert any("<\u202f0.01 |" in row and "0.01 ±" not in row for row in rows)


WIDE = """
| Network                     | Accuracy | Time |
|:----------------------------|---------:|-----:|
| A network with a long name, so that columns have widths | 80.0% ± 1.5 | 0.00017 ± 0.0000017 |
| in the article                                          | 80%         | 18 |
"""


def test_a_wide_cell_does_not_push_a_number_onto_the_column_before() -> None:
    filters = [f"--lua-filter={TEMPLATES / 'assets' / 'decimals.lua'}"]
    made = pypandoc.convert_text(WIDE, "typst", format="markdown", extra_args=filters)
    assert "[80%#hide(" in made  # has room
    assert "[18]" in made
