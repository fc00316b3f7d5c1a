"""The report for machines, and where each printed value comes from: in the page and beside it."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader

from resnet_sizes.io.files import read_bytes
from resnet_sizes.io.shipped import OWN_TEMPLATES
from resnet_sizes.reporting.sections.claims import claim_verdicts
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import Safe, script_json
from resnet_sizes.reporting.text.printed import HASH_PART
from resnet_sizes.reporting.text.verdict_sentences import overall_sentence
from resnet_sizes.reporting.text.words import make_environment, rendered
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.values import Value
from resnet_sizes.schemas.verification import MadeWith

HEAD = "metadata.html"
"""Included by `article.qmd` in the head of the page."""

AFTER_BODY = "after-body.html"
"""Included by `article.qmd` after the body."""

SCRIPTS = ("origins.js", "navigation.js")

DATA = "report.json"

_LONGEST_TITLE = 60


def for_machines(name: str, report: ReportContext, formats: Sequence[str], templates: Path) -> str:
    """What machines read in the head of a page (`head.html`), or of a submission to ReScience C
    (`metadata.yaml`). Raises UserError where its template is wrong."""
    environment = make_environment(finalize=None, loader=FileSystemLoader(templates))
    environment.filters["json"] = lambda data: Safe(script_json(data))
    more: dict[str, Any] = {"article": _article(report.article), "version": version("resnet-sizes")}
    return rendered(environment, f"{name}.j2", templates, report=report, formats=formats, **more)


def report_data(report: ReportContext, keys: Sequence[str], made: MadeWith) -> dict[str, Any]:
    """`report.json`: the verdicts on the article, and every value that the report prints, with
    the file and field it came from and the runs behind it; and what the report was made with."""
    verdicts, record = report.verdicts, report.record
    return {
        "schema_version": 1,
        "title": report.title,
        "language": report.locale,
        "created": report.created,
        "made_with": made.model_dump(),
        "study": report.study.name,
        "study_hash": verdicts.study_hash,
        "article_hash": verdicts.article_hash,
        "demo": report.study.demo,
        "article": _article(report.article),
        "verdicts": [
            {
                "id": item.claim.id,
                "claim": report.in_language(item.claim.text),
                "same_test_as": item.overall.same_test_as,
                "verdict": item.overall.verdict,
                "reasons": item.overall.reasons,
                "sentence": overall_sentence(item.claim, item.overall, item.readings, report.words),
                "readings": item.overall.readings,
            }
            for item in claim_verdicts(report)
        ],
        "untestable": [
            {
                "id": item.id,
                "claim": report.in_language(item.text),
                "reason": report.in_language(item.reason),
            }
            for item in report.article.untestable
        ],
        "recommendations": [item.model_dump() for item in verdicts.recommendations],
        "values": {key: record.values[key].model_dump() for key in keys},
        "runs": {file: run.model_dump() for file, run in record.runs.items()},
    }


def _article(article: Article) -> dict[str, Any]:
    return {
        "@type": "ScholarlyArticle",
        "name": article.article.title,
        "author": [{"@type": "Person", "name": name} for name in article.article.authors],
        **({"inLanguage": article.article.language} if article.article.language else {}),
    }


def after_body_html(report: ReportContext, keys: Sequence[str], assets: Path) -> str:
    """The values under `keys` with their sources and the runs behind them, as JSON, and the
    scripts of the page; a long text has a `title`, its first words. Raises UserError where
    one is missing.
    """
    record = report.record
    printed = {key: record.values[key] for key in keys}
    files = {source.file for value in printed.values() for source in value.sources}
    data: dict[str, Any] = {
        "labels": report.words.find("origin"),
        "values": {
            key: {
                "value": value.as_text if value.kind == "list" else value.value,
                **({"title": title} if (title := _short_title(value)) else {}),
                "sources": [[source.file, source.field] for source in value.sources],
            }
            for key, value in printed.items()
        },
        "runs": {file: run.model_dump() for file, run in record.runs.items() if file in files},
    }
    text = script_json(data, separators=(",", ":"))
    code = (read_bytes(assets / name, OWN_TEMPLATES).decode() for name in SCRIPTS)
    scripts = "".join(f"<script>\n{script}</script>\n" for script in code)
    return f'<script type="application/json" id="origins">{text}</script>\n{scripts}'


def _short_title(value: Value) -> str | None:
    """The beginning of a text too long to name itself in the title of its panel."""
    text = value.as_text
    if value.kind not in ("text", "list") or len(text) <= _LONGEST_TITLE:
        return None
    words, space, _ = text[: _LONGEST_TITLE - 1].rpartition(" ")
    return f"{words} …" if space else f"{text[:HASH_PART]}…"
