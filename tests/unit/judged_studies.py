"""Verdicts on synthetic studies, and article files other than the shipped one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from report_studies import words_of
from synthetic import ARTICLE, make_study

from resnet_sizes.evidence.judging.judge import judge
from resnet_sizes.evidence.runs.read import read_runs
from resnet_sizes.evidence.statistics.sampling import samplings
from resnet_sizes.io.files import read_record
from resnet_sizes.reporting.text.verdict_sentences import sentence_of
from resnet_sizes.schemas.article.article import load_article
from resnet_sizes.schemas.evidence.verdicts import Verdict
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.run import StudyFile
from resnet_sizes.schemas.study.protocol import Description

CONSTRUCTION = {"S15", "S16", "T2", "T5", "T8", "T10", "T12"}
MINUTE_CELLS = {"T3", "T6", "T9"}
VALUE_CLAIMS = {"S3", "S4", "T1", "T4", "T7", "T11", "T13"}
ORDERS = {f"S{n}" for n in range(1, 20)} - {"S3", "S4", "S15", "S16"}

OF_TIMES = {"S2", "S12", "S13", "S17", "S18"}

# Worse with depth in everything that the article praises.
REVERSED: dict[str, Any] = {
    "accuracies": {"resnet18": 0.86, "resnet50": 0.81, "resnet152": 0.80},
    "minutes": {"resnet18": 262, "resnet50": 112, "resnet152": 41},
    "losses": {"resnet18": (1.2, 0.4), "resnet50": (1.7, 1.6), "resnet152": (1.9, 1.8)},
}

Changes = Mapping[str, Any]
"""Keys of metrics.json, with the parts of them that are changed, or their new values."""


def judged(
    folder: Path,
    *,
    partial: bool = False,
    article: Path = ARTICLE,
    changed: Mapping[str, Changes] | None = None,
    **choices: Any,
) -> dict[str, Verdict]:
    """The verdicts by id, without drawing the figures; `changed` is of runs, by their name."""
    study = make_study(folder, article=article, **choices)
    for run, changes in (changed or {}).items():
        path = study.parent / "runs" / run / "metrics.json"
        data = json.loads(path.read_text())
        for key, new in changes.items():
            data[key] = data[key] | new if isinstance(new, dict) else new
        path.write_text(json.dumps(data))
    runs = read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), partial)
    article = load_article(article)
    verdicts = judge(article, samplings(runs)).verdicts
    return {verdict.id: verdict for verdict in verdicts}


def sentence(verdict: Verdict, article: Path = ARTICLE) -> Description:
    """What the report says of a verdict."""
    (claim,) = [claim for claim in load_article(article).claims if claim.id == verdict.id]
    said = {name: sentence_of(claim, verdict, words_of(name)) for name in ("pt", "en")}
    return Description(**said)


def names(verdicts: dict[str, Verdict], ids: set[str]) -> set[str]:
    return {verdicts[name].verdict for name in ids}


def reasons(verdicts: dict[str, Verdict], ids: set[str]) -> set[tuple[str, ...]]:
    return {tuple(verdicts[name].reasons) for name in ids}


def made_up_article(folder: Path, *claims: dict[str, Any]) -> Path:
    """The shipped article file with other claims."""
    content = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))
    text = {"pt": "uma afirmação", "en": "a claim"}
    content["claims"] = [
        {"id": f"S{number}", "place": "results", "text": text} | claim
        for number, claim in enumerate(claims, start=1)
    ]
    del content["headline"]  # which names claims of the shipped file
    path = folder / "made-up.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path
