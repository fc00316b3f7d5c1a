"""The reasons for verdicts in words, for the evidence's sentences and for the report."""

from functools import cache
from importlib.resources import files

import yaml

from resnet_sizes.schemas.evidence.verdicts import Reason


def reason_clause(reason: Reason, language: str) -> str:
    """A complete clause without a capital letter or a full stop, in `pt` or `en`."""
    return _clauses()[language][reason]


@cache
def _clauses() -> dict[str, dict[str, str]]:
    text = files("resnet_sizes.i18n").joinpath("reasons.yaml").read_text(encoding="utf-8")
    clauses: dict[str, dict[str, str]] = yaml.safe_load(text)
    return clauses
