"""A column and a rule from outside of `src/`: an installed package adds them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from synthetic import make_study
from test_article_columns import ERRORS, RESULTS

ROOT = Path(__file__).parents[2]

ADDED = '''
"""A package of somebody's own."""

from typing import Literal

from resnet_sizes.schemas.article.claims.base import Condition, Models, OrderClaim
from resnet_sizes.schemas.article.columns import Column

BEST = Column("percent", "best_test_accuracy", 100, digits=2, field="best_test_accuracy")


class AtLeast(OrderClaim):
    """The accuracy of every model is above a number of percent."""

    rule: Literal["at-least"]
    models: Models
    percent: float

    def compared(self):
        return [(model, "accuracy") for model in self.models]

    def conditions(self, means):
        return [
            Condition("level", "accuracy", (model,), {model: 1.0}, self.percent / 100)
            for model in self.models
        ]
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with an installed package, as pip leaves it."""
    folder = tmp_path / "site"
    info = folder / "added-1.dist-info"
    info.mkdir(parents=True)
    (folder / "added.py").write_text(ADDED)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[resnet_sizes.columns]\nbest_accuracy = added:BEST\n"
        "[resnet_sizes.rules]\nat-least = added:AtLeast\n"
    )
    return folder


def command(package: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "src"), str(package)])
    return subprocess.run(
        [sys.executable, "-m", "resnet_sizes", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        text=True,
        capture_output=True,
    )


def test_a_package_adds_a_column_and_a_rule(tmp_path: Path, package: Path) -> None:
    content = yaml.safe_load(ERRORS)
    for row, printed in zip(content["table"], ("91.2", "98.0"), strict=True):
        row["best_accuracy"] = printed
    needs = {"data": ["digits"], "seeds": 4, "article_setup": False}
    content["claims"] += [
        {
            "id": "B9", "place": "table", "text": {"en": "Best accuracy, 91.2%."}, "rule": "cell",
            "model": "resnet34", "column": "best_accuracy", "printed": "91.2", "max_half_width": 9,
            "needs": needs,
        },
        {
            "id": "C1", "place": "results", "text": {"en": "All are above 80%."},
            "rule": "at-least", "models": ["resnet34", "resnet101"], "percent": 80, "needs": needs,
        },
    ]  # fmt: skip
    article = tmp_path / "article.yaml"
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    (tmp_path / "plain.yaml").write_text(ERRORS, encoding="utf-8")
    settings = RESULTS | {"name": "added"}
    study = make_study(tmp_path, article=tmp_path / "plain.yaml", **settings)
    data = json.loads(study.read_text())
    data["study"]["article"] = str(article)
    from resnet_sizes.io.hashes import content_hash

    data["study_hash"] = content_hash(data["study"])
    study.write_text(json.dumps(data))

    done = command(package, tmp_path, "evidence", "added")
    assert done.returncode == 0, done.stderr
    evidence = study.parent / "evidence"
    verdicts = json.loads((evidence / "verdicts.json").read_text())
    by_id = {each["id"]: each for each in verdicts["verdicts"]}
    assert by_id["B9"]["basis"]["prediction"]["mean"] == pytest.approx(91, abs=3)
    assert by_id["B9"]["values"]["ours"] == "scratch-32.resnet34.best_test_accuracy.mean"
    assert (by_id["C1"]["verdict"], by_id["C1"]["rule"]) == ("supported", "at-least")

    # Its words stand in the templates; a rule without any is called by its name.
    templates = shutil.copytree(ROOT / "report", tmp_path / "report")
    done = command(package, tmp_path, "report", "added", "--format", "html", "--engine", "pandoc")
    assert done.returncode == 1
    assert "texts.yaml: has no text 'sentences.comparisons.level'. Add it there." in done.stderr
    texts = templates / "en/texts.yaml"
    text = texts.read_text(encoding="utf-8")
    for section in ("columns", "short-columns", "cells"):
        text = text.replace(f"\n{section}:", f"\n{section}:  # own", 1)
        start = text.index("\n", text.index(f"\n{section}:  # own") + 1) + 1
        text = f'{text[:start]}  best_accuracy: "Best accuracy"\n{text[start:]}'
    start = text.index("\n  forest:\n") + len("\n  forest:\n")
    texts.write_text(f'{text[:start]}    best_accuracy: "Best (%)"\n{text[start:]}', "utf-8")
    verdict_texts = templates / "en/verdicts.yaml"
    text = verdict_texts.read_text(encoding="utf-8")
    said = '    level: "the accuracy of << first >> is << number >><< interval >>"\n'
    verdict_texts.write_text(text.replace("  comparisons:\n", f"  comparisons:\n{said}"), "utf-8")
    done = command(package, tmp_path, "report", "added", "--format", "html", "--engine", "pandoc")
    assert done.returncode == 0, done.stderr
    page = (study.parent / "report/en/report.html").read_text(encoding="utf-8")
    assert "Best accuracy" in page
    assert "at-least" in page

    # The evidence knows which code it comes from: what the package changes makes it again.
    made_from = verdicts["made_from"]
    (package / "added.py").write_text(ADDED.replace("above a number", "over a number"))
    assert command(package, tmp_path, "evidence", "added").returncode == 0
    again = json.loads((evidence / "verdicts.json").read_text())
    assert again["made_from"] != made_from


def test_without_the_package_its_column_and_rule_are_unknown(tmp_path: Path) -> None:
    content = yaml.safe_load(ERRORS)
    content["table"] = [row | {"best_accuracy": "91.2"} for row in content["table"]]
    content["claims"][0]["rule"] = "at-least"
    article = tmp_path / "article.yaml"
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    done = command(tmp_path, ROOT, "audit", str(article))
    assert done.returncode == 1
    assert "'best_accuracy' is no column; allowed: accuracy," in done.stderr
    assert "(A1): rule: found 'at-least'; allowed: ordering," in done.stderr


@pytest.mark.parametrize("code", ["BEST = AtLeast = 3", "raise SystemExit(0)"])
def test_a_package_whose_entry_point_fails_is_named(package: Path, code: str) -> None:
    (package / "added.py").write_text(code)
    done = command(package, ROOT, "audit", "articles/santos-2024/article.yaml")
    assert "accuracy_increment" in done.stdout
    said = (
        "warning: the entry point best_accuracy = added:BEST of resnet_sizes.columns cannot be used"
    )
    assert said in done.stderr
