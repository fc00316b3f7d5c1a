"""A study in which one seed lies far from the others warns of it."""

import json
from pathlib import Path
from typing import Any

from report_studies import article_text
from synthetic import ARTICLE_ACCURACIES, make_study
from typer.testing import CliRunner

from resnet_sizes.cli.app import app

RUN = "scratch-32/resnet50/seed-4"
SEEDS = (0, 1, 2, 3, 4)
USUAL = (0.8355, 0.8361, 0.8349, 0.8358, 0.8352)


def accuracies(resnet50: tuple[float, ...]) -> dict[str, Any]:
    return {"seeds": SEEDS, "accuracies": ARTICLE_ACCURACIES | {"resnet50": resnet50}}


APART = accuracies((*USUAL[:4], 0.79))


def test_an_outlier_is_warned_of_and_named_in_the_verdicts(tmp_path: Path) -> None:
    study = make_study(tmp_path, **APART)
    result = CliRunner().invoke(app, ["evidence", str(study)])
    assert result.exit_code == 0, result.output
    assert f"warning: {RUN}: its accuracy is an outlier" in result.output
    verdicts = json.loads((study.parent / "evidence" / "verdicts.json").read_text())
    assert verdicts["outliers"] == [RUN]


def test_seeds_that_differ_as_usual_are_not_warned_of(tmp_path: Path) -> None:
    study = make_study(tmp_path, **accuracies(USUAL))
    result = CliRunner().invoke(app, ["evidence", str(study)])
    assert "outlier" not in result.output
    verdicts = json.loads((study.parent / "evidence" / "verdicts.json").read_text())
    assert verdicts["outliers"] == []


def test_the_limits_of_the_report_name_normality_and_the_outlier() -> None:
    pt, en = (article_text(language, **APART) for language in ("pt", "en"))
    assert f"- A acurácia da execução `{RUN}` está longe demais" in pt
    assert f"- The accuracy of the run `{RUN}` lies too far" in en
    for settings in (APART, accuracies(USUAL)):
        assert "seguem uma distribuição normal" in article_text("pt", **settings)
        assert "follow a normal distribution" in article_text("en", **settings)
    assert "teste de Grubbs" not in article_text("pt", **accuracies(USUAL))
    # Of one seed nothing is tested.
    assert "distribuição normal" not in article_text("pt", seeds=(0,))
