"""Verdicts on synthetic studies, and ledgers other than the shipped one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from synthetic import LEDGER, make_study

from resnet_sizes.evidence.runs import read_runs
from resnet_sizes.evidence.values import collect_values
from resnet_sizes.evidence.verdicts import judge
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import StudyFolder
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.run import StudyFile
from resnet_sizes.records.verdicts import Verdict

CONSTRUCTION = {"T2", "T5", "T8", "T10", "T12"}
MINUTE_CELLS = {"T3", "T6", "T9"}
VALUE_STATEMENTS = {"S3", "S4", "T1", "T4", "T7", "T11", "T13"}
ORDERS = {f"S{n}" for n in range(1, 15)} - {"S3", "S4"}

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
    article: Path = LEDGER,
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
    ledger = load_ledger(article)
    verdicts = judge(ledger, runs, collect_values(runs, ledger).values.keys())
    return {verdict.id: verdict for verdict in verdicts}


def names(verdicts: dict[str, Verdict], ids: set[str]) -> set[str]:
    return {verdicts[name].verdict for name in ids}


def reasons(verdicts: dict[str, Verdict], ids: set[str]) -> set[tuple[str, ...]]:
    return {tuple(verdicts[name].reasons) for name in ids}


def made_up_ledger(folder: Path, *statements: dict[str, Any]) -> Path:
    """The shipped ledger with other statements."""
    content = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
    text = {"pt": "uma afirmação", "en": "a statement"}
    content["statements"] = [
        {"id": f"S{number}", "place": "results", "text": text} | statement
        for number, statement in enumerate(statements, start=1)
    ]
    path = folder / "made-up.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path
