"""Verdicts by an article file of one's own, and on layer counts, which need no run."""

from pathlib import Path
from typing import Any

import pytest
from judged_studies import judged, made_up_article
from report_studies import study_with_evidence
from synthetic import ARTICLE, MODELS, make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import read_record
from resnet_sizes.io.hashes import content_hash
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.verdicts import Verdicts


def test_layer_counts_have_their_number_whatever_the_study_holds(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, models=["resnet50"], seeds=[0])
    verdicts = read_record(study.parent / "evidence" / "verdicts.json", Verdicts, "").verdicts
    found = {verdict.id: verdict for verdict in verdicts}
    assert found["T8"].values["ours"] == "layers.resnet152"
    assert found["T12"].values["ours"] == "layers.resnet152.increment"


def test_verdicts_name_the_article_that_they_were_judged_by(tmp_path: Path) -> None:
    other = made_up_article(
        tmp_path,
        {"rule": "ordering", "quantity": "layers", "models": ["resnet18", "resnet50"]},
    )
    hashes = []
    for number, article in enumerate((ARTICLE, other)):
        study = make_study(tmp_path / str(number), seeds=[0], epochs=2, full=False, article=article)
        verdicts = build_evidence(study, tmp_path / str(number) / "evidence", False)
        assert verdicts.article_hash == content_hash(load_article(article))
        hashes.append(verdicts.article_hash)
    assert len(set(hashes)) == 2


def test_wrong_layer_counts_in_an_article_are_contradicted(tmp_path: Path) -> None:
    text = ARTICLE.read_text(encoding="utf-8").replace('"744"', '"745"')
    article = tmp_path / "wrong.yaml"
    article.write_text(text, encoding="utf-8")
    found = judged(tmp_path, article=article)
    assert found["T12"].verdict == "contradicted"
    assert found["T12"].reasons == ["construction"]
    assert found["T10"].verdict == "true-by-construction"


def test_a_article_may_compare_layer_counts_in_any_way(tmp_path: Path) -> None:
    compare = {"quantity": "layers", "among": list(MODELS), "extreme": "highest"}
    article = made_up_article(
        tmp_path,
        {"rule": "ordering", "quantity": "layers", "models": ["resnet18", "resnet50"]},
        {"rule": "extreme", "model": "resnet18"} | compare,
        {
            "rule": "conjunction",
            "parts": [{"model": "resnet152"} | compare, {"model": "resnet152"} | compare],
        },
        {
            "rule": "increment",
            "quantity": "layers",
            "base": "resnet50",
            "model": "resnet152",
            "printed": "204",
        },
    )
    found = judged(tmp_path, article=article)
    assert {name: verdict.verdict for name, verdict in found.items()} == {
        "S1": "true-by-construction",
        "S2": "contradicted",
        "S3": "true-by-construction",
        "S4": "true-by-construction",
    }


def test_layer_counts_are_not_mixed_with_what_runs_decide(tmp_path: Path) -> None:
    compare = {"model": "resnet152", "among": list(MODELS), "extreme": "highest"}
    parts = [compare | {"quantity": quantity} for quantity in ("layers", "accuracy")]
    mixed = {"rule": "conjunction", "parts": parts, "needs": {"data": ["digits"]}}
    with pytest.raises(UserError, match="Make two claims of them"):
        load_article(made_up_article(tmp_path, mixed))


def test_a_article_may_accept_any_set_up_and_two_seeds(tmp_path: Path) -> None:
    needs = {"data": ["digits"], "seeds": 2, "article_setup": False}
    order = {"rule": "ordering", "quantity": "accuracy", "models": list(MODELS)}
    value: dict[str, Any] = {
        "rule": "cell",
        "model": "resnet18",
        "column": "accuracy",
        "printed": "80.84",
    }
    value |= {"max_half_width": 2}
    article = made_up_article(tmp_path, order | {"needs": needs}, value | {"needs": needs})
    settings = {"article": article, "content": "digits", "full": False, "epochs": 2}
    found = judged(tmp_path / "one", seeds=[0], **settings)
    assert (found["S1"].verdict, found["S1"].reasons) == ("not-enough-runs", ["few-seeds"])
    apart = {"resnet18": (0.20, 0.21), "resnet50": (0.50, 0.51), "resnet152": (0.89, 0.90)}
    found = judged(tmp_path / "two", accuracies=apart, seeds=[0, 1], **settings)
    assert (found["S1"].verdict, found["S1"].reasons) == ("supported", ["rule-holds"])


def test_a_article_cannot_ask_for_a_single_seed(tmp_path: Path) -> None:
    order = {"rule": "ordering", "quantity": "accuracy", "models": list(MODELS)}
    needs = {"data": ["digits"], "seeds": 1}
    with pytest.raises(UserError, match=r"needs\.seeds: found 1; allowed: .* 2"):
        load_article(made_up_article(tmp_path, order | {"needs": needs}))


def test_an_increment_over_a_deeper_model_is_judged(tmp_path: Path) -> None:
    increment = {
        "rule": "increment",
        "quantity": "accuracy",
        "base": "resnet50",
        "model": "resnet152",
        "printed": "2.9",  # 85.94 / 83.55 − 1 = 2.86 %
        "max_half_width": 2.0,
        "needs": {"data": ["cifar10"]},
    }
    found = judged(tmp_path, article=made_up_article(tmp_path, increment))
    assert found["S1"].verdict == "supported"
    # values.json knows increments over the shallowest model alone: none that would mislead.
    assert found["S1"].values == {}
