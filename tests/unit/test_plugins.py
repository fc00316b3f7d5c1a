"""A column, a rule and a figure from outside of `src/`: an installed package adds them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from synthetic import make_study
from test_article_columns import ERRORS, RESULTS

from documented import blocks
from resnet_sizes.io.hashes import content_hash

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


def added_study(folder: Path, content: dict[str, Any]) -> Path:
    """A study with results on an article that this process cannot read."""
    article = folder / "article.yaml"
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "plain.yaml").write_text(ERRORS, encoding="utf-8")
    study = make_study(folder, article=folder / "plain.yaml", **RESULTS | {"name": "added"})
    data = json.loads(study.read_text())
    data["study"]["article"] = str(article)
    data["study_hash"] = content_hash(data["study"])
    study.write_text(json.dumps(data))
    return study


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
    study = added_study(tmp_path, content)

    done = command(package, tmp_path, "evidence", "added")
    assert done.returncode == 0, done.stderr
    evidence = study.parent / "evidence"
    verdicts = json.loads((evidence / "verdicts.json").read_text())
    by_id = {each["id"]: each for each in verdicts["verdicts"]}
    assert by_id["B9"]["basis"]["prediction"]["mean"] == pytest.approx(91, abs=3)
    assert by_id["B9"]["values"]["ours"] == "scratch-32.resnet34.best_test_accuracy.mean"
    assert (by_id["C1"]["verdict"], by_id["C1"]["rule"]) == ("supported", "at-least")

    # Before anything is trained it is known what has no words, and where they go.
    prose = tmp_path / "prose/en"
    for file, text in (("texts", TEXTS), ("verdicts", VERDICT_TEXTS)):
        audit = "audit", str(tmp_path / "article.yaml")
        asked = audit if file == "texts" else ("report", "added")
        done = command(package, tmp_path, *asked)
        assert done.returncode == 1
        assert "error: there is no text '" in done.stderr
        assert f"Add it to: {prose / file}.yaml" in done.stderr
        prose.mkdir(parents=True, exist_ok=True)
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


BAD_RULES = """
from typing import Literal

from resnet_sizes.schemas.article.claims.base import ClaimBase, OrderClaim
from resnet_sizes.schemas.article.columns import Column

TWICE = Column("percent", "macs", 100)
NOTHING = Column("percent", "acuracy", 100)


class Nameless(OrderClaim):
    def compared(self): return []
    def conditions(self, means): return []


class Half(ClaimBase):
    rule: Literal["half"]


class Other(OrderClaim):
    rule: Literal["another"]
    def compared(self): return []
    def conditions(self, means): return []
"""


def test_what_a_package_offers_is_left_out_where_it_would_replace_or_break_something(
    tmp_path: Path, package: Path
) -> None:
    (package / "my_package.py").write_text(BAD_RULES)
    (package / "added-1.dist-info/entry_points.txt").write_text(
        "[resnet_sizes.columns]\naccuracy = my_package:TWICE\nnothing = my_package:NOTHING\n"
        "[resnet_sizes.rules]\nordering = my_package:Other\nnameless = my_package:Nameless\n"
        "half = my_package:Half\nother = my_package:Other\n"
    )
    done = command(package, ROOT, "audit", "articles/santos-2024/article.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout == command(tmp_path, ROOT, *done.args[3:]).stdout
    said = done.stderr.splitlines()
    assert len(said) == 6
    for entry, reason in {
        "accuracy = my_package:TWICE": "the name is taken",
        "nothing = my_package:NOTHING": "is not what docs/extending.md asks for",
        "ordering = my_package:Other": "the name is taken",
        "nameless = my_package:Nameless": "is not what docs/extending.md asks for",
        "half = my_package:Half": "is not what docs/extending.md asks for",
        "other = my_package:Other": "is not what docs/extending.md asks for",
    }.items():
        [line] = [each for each in said if f"the entry point {entry} of" in each]
        assert reason in line


def test_a_column_of_a_number_that_runs_do_not_have_is_told_by_the_evidence(
    tmp_path: Path, package: Path
) -> None:
    code = (
        (package / "my_package.py").read_text().replace('"best_test_accuracy", 100', '"bset", 100')
    )
    (package / "my_package.py").write_text(code)
    content = yaml.safe_load(ERRORS)
    content["table"] = [row | {"best_accuracy": "91.2"} for row in content["table"]]
    study = added_study(tmp_path, content)
    done = command(package, tmp_path, "evidence", study.parent.name)
    assert done.returncode == 1
    assert "metrics.json has no bset: correct its column." in done.stderr
    assert "Traceback" not in done.stderr


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
