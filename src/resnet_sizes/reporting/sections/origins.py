"""Where each printed value comes from, as the end of the HTML page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.text.context import ReportContext
from resnet_sizes.reporting.text.escaping import script_json
from resnet_sizes.reporting.text.printed import HASH_PART
from resnet_sizes.schemas.evidence.values import Value

FILE = "after-body.html"
"""Included by `article.qmd` after the body."""

SCRIPTS = ("origins.js", "navigation.js")

_LONGEST_TITLE = 60

LABELS = (
    "button",
    "title",
    "close",
    "key",
    "value",
    "from",
    "run",
    "seed",
    "device",
    "data",
    "code",
    "commit",
    "finished",
)


def after_body_html(report: ReportContext, keys: Sequence[str], assets: Path) -> str:
    """The values under `keys` with their sources and the runs behind them, as JSON, and the
    scripts of the page; a long text has a `title`, its first words. Raises UserError where
    one is missing.
    """
    record = report.values.record
    printed = {key: record.values[key] for key in keys}
    files = {source.file for value in printed.values() for source in value.sources}
    data: dict[str, Any] = {
        "labels": {name: str(report.words(f"origin.{name}")) for name in LABELS},
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
    scripts = [f"<script>\n{_read(assets / name)}</script>\n" for name in SCRIPTS]
    return f'<script type="application/json" id="origins">{text}</script>\n' + "".join(scripts)


def _short_title(value: Value) -> str | None:
    """The beginning of a text too long to name itself in the title of its panel."""
    text = value.as_text
    if value.kind not in ("text", "list") or len(text) <= _LONGEST_TITLE:
        return None
    words, space, _ = text[: _LONGEST_TITLE - 1].rpartition(" ")
    return f"{words} …" if space else f"{text[:HASH_PART]}…"


def _read(script: Path) -> str:
    try:
        return script.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"{script}: cannot be read ({error.strerror}). Run the command in the project's folder."
        ) from None
