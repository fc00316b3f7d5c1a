"""Reading the ledger, with errors that name the statement."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from resnet_sizes.records.errors import UserError
from resnet_sizes.records.explain import (
    MOST_LINES,
    did_you_mean,
    explain,
    explain_with_locations,
    shown,
    shown_text,
)
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.statements import STATEMENT_KINDS
from resnet_sizes.records.yaml_file import read_yaml


def load_ledger(path: Path) -> Ledger:
    """Read and check a ledger (YAML).

    Raises UserError with the file's name and every problem: unknown rule, unknown key, a
    printed number that is not the table's.
    """
    remedy = f"Mend {path}, or name another ledger under the key `article` of the configuration."
    data = read_yaml(path, remedy)
    try:
        return Ledger.model_validate(data)
    except ValidationError as error:
        problems = _problems(error, data)
        if len(problems) > MOST_LINES:
            problems[MOST_LINES:] = [f"… and {len(problems) - MOST_LINES} more problem(s)."]
        lines = "\n".join(f"  {line}" for line in problems)
        raise UserError(f"{path}: is not a valid ledger:\n{lines}\n{remedy}") from None


def _problems(error: ValidationError, data: Any) -> list[str]:
    statements = data.get("statements") if isinstance(data, dict) else None
    lines = []
    for location, line in explain_with_locations(error, Ledger, data):
        # What is wrong inside a statement is said by its own rule's record, further down.
        if not (len(location) > 1 and location[0] == "statements"):
            lines.append(line)
    for index, raw in enumerate(statements if isinstance(statements, list) else []):
        lines.extend(f"statements[{index}]{line}" for line in _statement_problems(raw))
    return lines


def _statement_problems(raw: Any) -> list[str]:
    if not isinstance(raw, dict):
        return [
            f": found {shown(raw)}; allowed: a mapping with id, place, text, rule and the rest."
        ]
    name = f" ({_shown_id(raw['id'])})" if "id" in raw else ""
    rule = raw.get("rule")
    kind = STATEMENT_KINDS.get(rule) if isinstance(rule, str) else None
    if kind is None:
        hint = did_you_mean(rule, list(STATEMENT_KINDS)) if isinstance(rule, str) else ""
        allowed = ", ".join(STATEMENT_KINDS)
        return [f"{name}.rule: found {shown(rule)}; allowed: {allowed}.{hint}"]
    try:
        kind.model_validate(raw)
    except ValidationError as error:
        return [f"{name}: {line}" for line in explain(error, kind, raw)]
    return []


def _shown_id(identity: Any) -> str:
    return shown_text(identity) if isinstance(identity, str) else shown(identity)
