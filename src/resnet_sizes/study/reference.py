"""JSON schemas and `config/README.md`, generated from the records."""

import json
from typing import Any

from pydantic import BaseModel

from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.figures import Figures
from resnet_sizes.schemas.evidence.values import Values
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.forecast import Forecast
from resnet_sizes.schemas.hardware import Devices
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunFile, StudyFile
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.schemas.status import StudyStatus
from resnet_sizes.schemas.study.study import Study

SCHEMAS: dict[str, type[BaseModel]] = {
    "config": Study,
    "study": StudyFile,
    "dataset": DatasetInfo,
    "weights": WeightsInfo,
    "run": RunFile,
    "metrics": Metrics,
    "forecast": Forecast,
    "progress": RunProgress,
    "status": StudyStatus,
    "article": Article,
    "devices": Devices,
    "audit": Audit,
    "values": Values,
    "figures": Figures,
    "verdicts": Verdicts,
}

HEAD = """\
# Every key of the configuration

Generated from the records by `resnet-sizes schemas`; edit those, not this page.

`config/config.yaml` holds the article's own study with every default in sight. Another
study is an overlay that lists only what differs; `demo.yaml`, `offline.yaml` and
`folder.yaml` are examples. Mappings merge deeply, lists are replaced whole. Relative paths
mean the working directory. Numbers may be written `5e-4`.

See what a study resolves to: `resnet-sizes study show config/demo.yaml`.

| key | meaning | type | default | allowed |
|---|---|---|---|---|
"""


def json_schema(kind: type[BaseModel]) -> str:
    """The JSON schema of a record as indented text."""
    return json.dumps(kind.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def configuration_page() -> str:
    """`config/README.md`: a row a key."""
    schema = Study.model_json_schema()
    return HEAD + "".join(f"{row}\n" for row in _rows(schema, schema["$defs"], ""))


def _rows(schema: dict[str, Any], definitions: dict[str, Any], prefix: str) -> list[str]:
    rows = []
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        key = f"{prefix}{name}"
        inner = _resolved(field, definitions)
        values = next(iter(inner.get("patternProperties", {}).values()), None)
        values = values or inner.get("additionalProperties")
        cells = (
            f"`{key}`",
            field.get("description") or inner.get("description", ""),
            _type(field, definitions),
            "required" if name in required else _default(field),
            _allowed(field, definitions),
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        if "properties" in inner:
            rows += _rows(inner, definitions, f"{key}.")
        elif isinstance(values, dict) and "properties" in _resolved(values, definitions):
            rows += _rows(_resolved(values, definitions), definitions, f"{key}.<name>.")
    return rows


def _resolved(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in field:
        resolved: dict[str, Any] = definitions[field["$ref"].rsplit("/", 1)[-1]]
        return resolved
    return field


def _branches(field: dict[str, Any]) -> list[dict[str, Any]]:
    branches: list[dict[str, Any]] = field.get("anyOf", [field])
    return branches


def _type(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    names = []
    for branch in _branches(field):
        resolved = _resolved(branch, definitions)
        if resolved.get("type") == "object":
            names.append("mapping")
        elif resolved.get("type") == "array":
            names.append("list of " + _type(resolved["items"], definitions))
        elif "const" in resolved or "enum" in resolved:
            names.append("word")
        else:
            names.append({"string": "text"}.get(resolved["type"], resolved["type"]))
    return " or ".join(dict.fromkeys(names))


def _default(field: dict[str, Any]) -> str:
    if "default" not in field:
        return "see below" if "$ref" in field else ""
    return f"`{json.dumps(field['default'], ensure_ascii=False)}`"


BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minItems": "at least {}",
    "pattern": "like `{}`",
}


def _allowed(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    found: list[str] = []
    for branch in _branches(field):
        resolved = _resolved(branch, definitions)
        if "const" in resolved:
            found.append(f"`{resolved['const']}`")
        found += [f"`{item}`" for item in resolved.get("enum", [])]
        found += [
            text.format(resolved[bound]) for bound, text in BOUNDS.items() if bound in resolved
        ]
        if resolved.get("type") == "array":
            inner = _allowed(resolved["items"], definitions)
            found += [inner] if inner else []
    return ", ".join(found)
