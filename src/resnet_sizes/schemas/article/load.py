"""Reading the article file, with errors that name the claim."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.messages import (
    MOST_LINES,
    did_you_mean,
    explain,
    explain_with_locations,
    shown,
    shown_text,
)
from resnet_sizes.io.yaml import read_yaml
from resnet_sizes.schemas.article.article import Article
from resnet_sizes.schemas.article.claims import CLAIM_KINDS


def load_article(path: Path) -> Article:
    """Read and check an article file (YAML).

    Raises UserError with the file's name and every problem: unknown rule, unknown key, a
    printed number that is not the table's.
    """
    remedy = (
        f"Mend {path}, or name another article file under the key `article` of the configuration."
    )
    data = read_yaml(path, remedy)
    try:
        return Article.model_validate(data)
    except ValidationError as error:
        problems = _problems(error, data)
        if len(problems) > MOST_LINES:
            problems[MOST_LINES:] = [f"… and {len(problems) - MOST_LINES} more problem(s)."]
        lines = "\n".join(f"  {line}" for line in problems)
        raise UserError(f"{path}: is not a valid article file:\n{lines}\n{remedy}") from None


def _problems(error: ValidationError, data: Any) -> list[str]:
    claims = data.get("claims") if isinstance(data, dict) else None
    lines = []
    for location, line in explain_with_locations(error, Article):
        # What is wrong inside a claim is said by its own rule's record, further down.
        if not (len(location) > 1 and location[0] == "claims"):
            lines.append(line)
    for index, raw in enumerate(claims if isinstance(claims, list) else []):
        lines.extend(f"claims[{index}]{line}" for line in _claim_problems(raw))
    return lines


def _claim_problems(raw: Any) -> list[str]:
    if not isinstance(raw, dict):
        return [
            f": found {shown(raw)}; allowed: a mapping with id, place, text, rule and the rest."
        ]
    name = f" ({_shown_id(raw['id'])})" if "id" in raw else ""
    rule = raw.get("rule")
    kind = CLAIM_KINDS.get(rule) if isinstance(rule, str) else None
    if kind is None:
        hint = did_you_mean(rule, list(CLAIM_KINDS)) if isinstance(rule, str) else ""
        allowed = ", ".join(CLAIM_KINDS)
        return [f"{name}.rule: found {shown(rule)}; allowed: {allowed}.{hint}"]
    try:
        kind.model_validate(raw)
    except ValidationError as error:
        return [f"{name}: {line}" for line in explain(error, kind)]
    return []


def _shown_id(identity: Any) -> str:
    return shown_text(identity) if isinstance(identity, str) else shown(identity)
