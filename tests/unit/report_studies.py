"""Evidence of synthetic studies, for the tests of the report."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from report_prose import body_of, check_language, numerals, skeleton
from synthetic import ARTICLE, PROTOCOLS, make_study, own_readings

from made_once import made_once
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.files import write_json
from resnet_sizes.io.hashes import hashes_of
from resnet_sizes.reporting.inputs import Inputs, read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.reporting.text.context import ReportContext, report_context
from resnet_sizes.reporting.text.printed import PrintedValues, plain
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.evidence.values import Value, Values
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.paths import StudyFolder

TEMPLATES = Path(__file__).parents[2] / "report"

DEMO: dict[str, Any] = {
    "name": "demo",
    "content": "digits",
    "demo": True,
    "seeds": (0,),
    "epochs": 10,
    "minutes": {"resnet18": 0.42, "resnet50": 1.2, "resnet152": 2.34},
    "accuracies": {"resnet18": 0.9, "resnet50": 0.85, "resnet152": 0.61},
}
PARTIAL: dict[str, Any] = {
    "name": "partial",
    "missing": (
        "scratch-32/resnet50/seed-1",
        "scratch-32/resnet152/seed-0",
        "scratch-32/resnet152/seed-1",
        "scratch-32/resnet152/seed-2",
    ),
}
CACHED: dict[str, Any] = {
    "name": "cached",
    "protocols": ("probe-224", "scratch-32"),
    "readings": own_readings("probe-224", "scratch-32"),
}
"""The default study: features of three frozen networks are kept, then all is trained."""

LITERAL: dict[str, Any] = {
    "name": "literal",
    "protocols": ("literal",),
    "readings": own_readings("literal"),
}
"""Two networks trained as a whole, one frozen: only its minutes are computed."""

SHARED: dict[str, Any] = CACHED | {
    "name": "shared",
    "shared": ("probe-224/resnet50/seed-0", "scratch-32/resnet18/seed-1"),
}
"""Two runs did not have their device to themselves."""

ALL_READINGS: dict[str, Any] = {
    "name": "sete",
    "protocols": tuple(PROTOCOLS),
    "readings": PROTOCOLS,
    "seeds": (0,),
}
"""All readings of the configuration, with one seed: the widest tables, the longest texts."""


def words_of(language: str) -> Words:
    """The texts of the shipped report in a language."""
    return Words(TEMPLATES / language, language)


def context_of(inputs: Inputs, language: str = "pt") -> ReportContext:
    """What the report on a study is written from."""
    own = inputs.folder.prose(language)
    return report_context(inputs, Words(TEMPLATES / language, language, own))


def words_only(
    words: Words, values: Mapping[str, Value] | None = None, **records: Any
) -> ReportContext:
    """A context for words that belong to no study, but for the `records` that they need."""
    study = SimpleNamespace(protocols=[], models=[], demo=False)
    record = Values(study="none", values=dict(values or {}))
    needed: dict[str, Any] = dict.fromkeys(field.name for field in fields(Inputs))
    needed |= {"study": study, "record": record} | records
    return ReportContext(**needed, values=PrintedValues(record, words.language), words=words)


def study_with_evidence(folder: Path, **settings: Any) -> Path:
    """Put a study with its evidence below `folder` and return its `study.json`.

    Studies with equal settings are copies of one that is made once in a test run.
    """
    made = _shared_study(settings)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return _study_file(folder, settings)


def _shared_study(settings: dict[str, Any]) -> Path:
    """The folder with the `results/` of such a study, which is not to be changed."""

    def make(folder: Path) -> None:
        study = make_study(folder, **settings)
        build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)

    return made_once(["evidence", key_of(settings)], make)


def _study_file(folder: Path, settings: dict[str, Any]) -> Path:
    return folder / "results" / settings.get("name", "synthetic") / "study.json"


def key_of(settings: dict[str, Any]) -> dict[str, Any]:
    """What tells a synthetic study from others: its settings and its article file."""
    article = settings.get("article", ARTICLE)
    return settings | {"article": str(article), "article content": article.read_text("utf-8")}


def reseal(evidence: Path) -> None:
    """Make the evidence whole again after a test has written other values or verdicts."""
    path = evidence / "verdicts.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    files = hashes_of(evidence / name for name in data["files"])
    verdicts = Verdicts.model_validate_json(json.dumps(data | {"files": files, "checksum": None}))
    write_json(path, verdicts.sealed())


def article_text(language: str = "pt", **settings: Any) -> str:
    """The `article.qmd` of a synthetic study."""

    def make(folder: Path) -> None:
        study = _study_file(_shared_study(settings), settings)
        inputs = read_inputs(study, StudyFolder.of_file(study).evidence)
        for name, text in in_both_languages(inputs).items():
            (folder / f"{name}.qmd").write_text(text, encoding="utf-8")

    folder = made_once(["text", key_of(settings)], make)
    return (folder / f"{language}.qmd").read_text(encoding="utf-8")


def article_of(**settings: Any) -> str:
    """The text below the front matter of a synthetic study's `article.qmd` in Portuguese."""
    return body_of(article_text(**settings))


def rendered(inputs: Inputs) -> str:
    """The article in Portuguese, after a look at both."""
    return in_both_languages(inputs)["pt"]


def in_both_languages(inputs: Inputs) -> dict[str, str]:
    """The article by language, without the keys of its values: each is of its language alone, and
    both have the same sections, floats, references and numbers."""
    engine = choose_engine("pandoc")
    articles = {
        name: str(plain(render_article(context_of(inputs, name), TEMPLATES, engine).text))
        for name in ("pt", "en")
    }
    for language, qmd in articles.items():
        check_language(qmd, language)
    assert skeleton(articles["en"]) == skeleton(articles["pt"])
    assert numerals(articles["en"], "en") == numerals(articles["pt"], "pt")
    return articles


def table_row(body: str, first: str) -> list[str]:
    """The cells of the one table row whose first cell is `first`, or a link from it."""
    begins = f"| {first} |", f"| [{first}]("
    (row,) = [line for line in body.splitlines() if line.startswith(begins)]
    return [cell.strip() for cell in row.strip("|").split("|")]
