"""Write workflow/schemas/*.json and config/README.md from the records and config/config.yaml.

    python scripts/write_reference.py [FOLDER]      (make schemas calls it)

What a field means stands in its `Field` or in the docstring below it. pydantic reads the latter
only where it is told to, before the records are defined: it takes longer than most commands do.
"""

# ruff: noqa: E402

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

BaseModel.model_config["use_attribute_docstrings"] = True

from resnet_sizes.io.files import write_text
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.evidence.figures import Figures
from resnet_sizes.schemas.evidence.values import Values
from resnet_sizes.schemas.evidence.verdicts import Verdicts
from resnet_sizes.schemas.hardware import Devices
from resnet_sizes.schemas.operations import Forecast, StudyStatus
from resnet_sizes.schemas.run.metrics import Metrics
from resnet_sizes.schemas.run.progress import RunProgress
from resnet_sizes.schemas.run.run import RunFile, StudyFile
from resnet_sizes.schemas.run.tensors import DatasetInfo
from resnet_sizes.schemas.run.weights import WeightsInfo
from resnet_sizes.schemas.study.study import Study
from resnet_sizes.study.loading import DEFAULT_CONFIG, read_yaml_mapping

ROOT = Path(__file__).parents[1]

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

<!-- Made by scripts/write_reference.py from the records: edit those, not this page. -->

A study is a file that lists only what differs from the defaults below; `config/demo.yaml` is an
example. It is merged over `config/config.yaml`, which in a clone has all defaults in sight and in
a folder of `resnet-sizes init` is a study itself. Mappings merge deeply, lists are replaced whole.
Relative paths mean the working directory. Numbers may be written `5e-4`.

See what a study comes to: `resnet-sizes study show config/demo.yaml`.

| key | meaning | type | default | allowed |
|---|---|---|---|---|
"""


def json_schema(kind: type[BaseModel]) -> str:
    """The JSON schema of a record as indented text."""
    return json.dumps(_schema(kind), indent=2, ensure_ascii=False) + "\n"


def _schema(kind: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a record; what a field means is one line."""
    schema = kind.model_json_schema()
    for record in (schema, *schema.get("$defs", {}).values()):
        for name, field in record.get("properties", {}).items():
            if name == "rule":  # what it judges stands in the record's own description
                field["description"] = "Name of the rule."
            if "description" in field:
                field["description"] = " ".join(field["description"].split())
    return schema


def configuration_page(shipped: Mapping[str, Any]) -> str:
    """`config/README.md`: a row for each key. `shipped` is `config/config.yaml`, whose values are
    what holds where an overlay gives none."""
    schema = _schema(Study)
    rows = _rows(_without_references(schema, schema["$defs"]), "", shipped)
    return HEAD + "".join(f"{row}\n" for row in rows)


def _without_references(schema: Any, definitions: dict[str, Any]) -> Any:
    """The schema with each `$ref` replaced by what it names."""
    if isinstance(schema, list):
        return [_without_references(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _without_references(value, definitions) for key, value in schema.items()}
    reference = found.pop("$ref", None)
    if reference is None:
        return found
    return _without_references(definitions[reference.rsplit("/", 1)[-1]], definitions) | found


def _rows(schema: dict[str, Any], prefix: str, shipped: Mapping[str, Any]) -> list[str]:
    rows = []
    for name, field in schema["properties"].items():
        given = shipped.get(name)
        cells = (
            f"`{prefix}{name}`",
            field.get("description", ""),
            _type(field),
            _default(field, name in schema.get("required", []), given),
            _allowed(field),
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        values = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
        if name == "sha256":  # set when the configuration is read
            rows.pop()
        if "properties" in field:
            rows += _rows(field, f"{prefix}{name}.", given or {})
        # Below `per_model` stand the keys of its protocol once more.
        elif isinstance(values[0], dict) and "properties" in values[0] and name != "per_model":
            rows += _rows(values[0], f"{prefix}{name}.<name>.", {})
    return rows


def _branches(field: dict[str, Any]) -> list[dict[str, Any]]:
    """What a field may be: one of several, or itself."""
    branches: list[dict[str, Any]] = field.get("anyOf") or field.get("oneOf") or [field]
    return branches


def _type(field: dict[str, Any]) -> str:
    names = []
    for branch in _branches(field):
        if branch.get("type") == "object":
            names.append("mapping")
        elif branch.get("type") == "array":
            names.append("list of " + _type(branch["items"]))
        elif "const" in branch or "enum" in branch:
            names.append("word")
        else:
            names.append({"string": "text"}.get(branch["type"], branch["type"]))
    return " or ".join(dict.fromkeys(names))


def _default(field: dict[str, Any], required: bool, given: Any) -> str:
    if required and given is None:
        return "required"
    if "properties" in field:
        return "see below"
    if given is None and "default" not in field:
        return ""
    if isinstance(given, dict) and field.get("type") == "object":
        return ", ".join(f"`{name}`" for name in given) or "none"
    value = field["default"] if given is None else given
    return f"`{json.dumps(value, ensure_ascii=False)}`"


BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minItems": "at least {}",
    "pattern": "like `{}`",
    "const": "`{}`",
}


def _allowed(field: dict[str, Any]) -> str:
    found: list[str] = []
    for branch in _branches(field):
        found += [f"`{item}`" for item in branch.get("enum", [])]
        found += [text.format(branch[key]) for key, text in BOUNDS.items() if key in branch]
        if branch.get("type") == "array" and (inner := _allowed(branch["items"])):
            found.append(inner)
    return ", ".join(found)


def main(folder: Path) -> None:
    shipped = read_yaml_mapping(ROOT / DEFAULT_CONFIG)
    pages = {"config/README.md": configuration_page(shipped)}
    for name, kind in SCHEMAS.items():
        pages[f"workflow/schemas/{name}.schema.json"] = json_schema(kind)
    for path, text in pages.items():
        write_text(folder / path, text)
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
