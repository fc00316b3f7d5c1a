"""A column, a rule and a figure from outside of `src/`: an installed package adds them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from synthetic import make_study
from test_article_columns import ERRORS, RESULTS

from documented import blocks

ROOT = Path(__file__).parents[2]

HEADING = "Columns, rules and a figure"
ADDED, FIGURE = blocks(HEADING, "python")
TEXTS, VERDICT_TEXTS = blocks(HEADING, "yaml")
ENTRY_POINTS = blocks(HEADING, "toml")[0].replace("project.entry-points.", "").replace('"', "")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with an installed package, as pip leaves it."""
    folder = tmp_path / "site"
    info = folder / "added-1.dist-info"
    info.mkdir(parents=True)
    (folder / "my_package.py").write_text(ADDED)
    (folder / "my_figures.py").write_text(FIGURE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
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


def test_a_package_adds_a_column_a_rule_and_a_figure(tmp_path: Path, package: Path) -> None:
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
    content["figure"] = "gap"
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

    # What has no words is told, and where they go.
    prose = tmp_path / "prose/en"
    prose.mkdir(parents=True)
    for file, text in (("verdicts", VERDICT_TEXTS), ("texts", TEXTS)):
        done = command(package, tmp_path, "report", "added")
        assert done.returncode == 1
        assert "error: there is no text '" in done.stderr
        assert f"Add it to: {prose / file}.yaml" in done.stderr
        (prose / f"{file}.yaml").write_text(text, encoding="utf-8")
    done = command(package, tmp_path, "report", "added", "--format", "html", "--engine", "pandoc")
    assert done.returncode == 0, done.stderr
    page = (study.parent / "report/en/report.html").read_text(encoding="utf-8")
    assert "Best accuracy" in page
    assert "(least accuracy)" in page
    assert "Accuracy in training less that in the test" in page
    figure = (study.parent / "report/en/figure-gap.svg").read_text(encoding="utf-8")
    assert "Gap (points)" in figure
    assert not (study.parent / "report/en/figure-loss.svg").exists()

    # The evidence knows which code it comes from: what the package changes makes it again.
    made_from = verdicts["made_from"]
    (package / "my_package.py").write_text(ADDED.replace("above a number", "over a number"))
    assert command(package, tmp_path, "evidence", "added").returncode == 0
    again = json.loads((evidence / "verdicts.json").read_text())
    assert again["made_from"] != made_from
    # A figure decides no verdict, but what the report is made with.
    made = json.loads((study.parent / "report/en/report.json").read_text())["made_with"]
    (package / "my_figures.py").write_text(FIGURE + "# Another.\n")
    done = command(package, tmp_path, "report", "added", "--format", "html", "--engine", "pandoc")
    assert done.returncode == 0, done.stderr
    remade = json.loads((study.parent / "report/en/report.json").read_text())["made_with"]
    assert remade["code"] != made["code"]


def test_without_the_package_its_column_and_rule_are_unknown(tmp_path: Path) -> None:
    content = yaml.safe_load(ERRORS)
    content["table"] = [row | {"best_accuracy": "91.2"} for row in content["table"]]
    content["claims"][0]["rule"] = "at-least"
    content["figure"] = "gap"
    article = tmp_path / "article.yaml"
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    done = command(tmp_path, ROOT, "audit", str(article))
    assert done.returncode == 1
    assert "'best_accuracy' is no column; allowed: accuracy," in done.stderr
    assert "(A1): rule: found 'at-least'; allowed: ordering," in done.stderr
    assert "figure: found 'gap'; allowed: loss, error." in done.stderr


@pytest.mark.parametrize("code", ["BEST = AtLeast = 3", "raise SystemExit(0)"])
def test_a_package_whose_entry_point_fails_is_named(package: Path, code: str) -> None:
    (package / "my_package.py").write_text(code)
    done = command(package, ROOT, "audit", "articles/santos-2024/article.yaml")
    assert "accuracy_increment" in done.stdout
    said = "warning: the entry point best_accuracy = my_package:BEST of resnet_sizes.columns"
    assert said in done.stderr
