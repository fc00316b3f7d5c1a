"""Which network a study recommends: only where it could judge the same choice of the article."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from report_studies import article_text
from synthetic import ARTICLE, make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.schemas.evidence.verdicts import Verdicts


def evidence_of(folder: Path, **choices: Any) -> Verdicts:
    study = make_study(folder, **choices)
    return build_evidence(study, study.parent / "evidence", True)


def firm(verdicts: Verdicts) -> dict[str, bool]:
    return {each.criterion: each.firm for each in verdicts.recommendations}


def test_a_study_with_a_missing_run_recommends_nothing_beyond_chance(tmp_path: Path) -> None:
    missing: dict[str, Any] = {
        "seeds": (0, 1, 2, 3, 4),
        "missing": ("scratch-32/resnet152/seed-2",),
    }
    assert set(firm(evidence_of(tmp_path / "whole", seeds=range(5))).values()) == {True}
    found = evidence_of(tmp_path / "missing", **missing)
    assert firm(found) == {"accuracy": False, "minutes": False, "trade-off": False}
    assert not any(each.tested for each in found.recommendations)
    for name, said in {
        "en": "the runs are not enough to tell whether its lead",
        "pt": "as execuções não bastam para dizer se sua vantagem",
    }.items():
        text = article_text(name, **missing)
        assert said in text


def test_a_recommendation_asks_for_as_many_seeds_as_the_claim_on_the_same_choice(
    tmp_path: Path,
) -> None:
    content = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))
    for claim in content["claims"]:
        if claim["id"] in ("S11", "S14"):
            claim["needs"] = claim["needs"] | {"seeds": 5}
    article = tmp_path / "own.yaml"
    article.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    found = evidence_of(tmp_path, article=article)
    (claim,) = [each for each in found.verdicts if each.id == "S11"]
    assert (claim.verdict, claim.reasons) == ("not-enough-runs", ["few-seeds"])
    assert firm(found) == {"accuracy": False, "minutes": True, "trade-off": True}
    assert set(firm(evidence_of(tmp_path, article=article, seeds=range(5))).values()) == {True}


@pytest.mark.parametrize("key", ["training_hash", "git_commit"])
def test_runs_of_several_versions_of_the_training_code_recommend_nothing(
    tmp_path: Path, key: str
) -> None:
    study = make_study(tmp_path)
    path = study.parent / "runs/scratch-32/resnet152/seed-1/metrics.json"
    data = json.loads(path.read_text())
    data["code"][key] = "f" * len(data["code"][key])
    path.write_text(json.dumps(data))
    found = firm(build_evidence(study, study.parent / "evidence", False))
    assert found == ({} if key == "training_hash" else dict.fromkeys(found, True))
    assert bool(found) == (key == "git_commit")
