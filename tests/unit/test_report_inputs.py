"""Evidence and article files that the report refuses, each with its remedy."""

import json
from pathlib import Path

import pytest
from report_studies import DEMO, TEMPLATES, context_of, reseal, study_with_evidence
from synthetic import ARTICLE

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article


def test_a_reference_that_the_bibliography_lacks_is_named(tmp_path: Path) -> None:
    text = ARTICLE.read_text(encoding="utf-8").replace("reference: picard2021", "reference: nobody")
    other = tmp_path / "article.yaml"
    other.write_text(text, encoding="utf-8")
    study = study_with_evidence(tmp_path, **DEMO, article=other)
    inputs = read_inputs(study, study.parent / "evidence")
    with pytest.raises(UserError, match=r"article\.yaml: .*'nobody'.*references\.bib"):
        render_article(context_of(inputs), TEMPLATES, choose_engine("pandoc"))


def test_evidence_of_another_configuration_is_refused(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    path = study.parent / "evidence" / "verdicts.json"
    verdicts = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(verdicts | {"study_hash": "0" * 64}), encoding="utf-8")
    with pytest.raises(UserError, match=r"the file has been changed"):
        read_inputs(study, study.parent / "evidence")
    path.write_text(
        json.dumps(verdicts | {"study_hash": "0" * 64, "checksum": None}), encoding="utf-8"
    )
    reseal(study.parent / "evidence")
    with pytest.raises(UserError, match=r"another configuration.*resnet-sizes evidence"):
        read_inputs(study, study.parent / "evidence")


def test_evidence_of_another_article_is_refused(tmp_path: Path) -> None:
    article = tmp_path / "article.yaml"
    article.write_bytes(ARTICLE.read_bytes())
    study = study_with_evidence(tmp_path, **DEMO, article=article)
    read_inputs(study, study.parent / "evidence")
    text = ARTICLE.read_text(encoding="utf-8")
    article.write_text("# The same, in words.\n" + text, encoding="utf-8")
    read_inputs(study, study.parent / "evidence")
    article.write_text(text.replace("at_least: 0.25", "at_least: 0.5"), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_inputs(study, study.parent / "evidence")
    for part in ("verdicts.json", str(article), f"resnet-sizes evidence {study}"):
        assert part in str(caught.value)


def test_a_value_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    path = study.parent / "evidence" / "values.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    del values["values"]["study.epochs"]
    path.write_text(json.dumps(values), encoding="utf-8")
    reseal(study.parent / "evidence")
    inputs = read_inputs(study, study.parent / "evidence")
    with pytest.raises(UserError, match=r"'study\.epochs'.*resnet-sizes evidence"):
        render_article(context_of(inputs), TEMPLATES, choose_engine("pandoc"))
