"""Audits of made-up article files and protocols, for the tests of the audit."""

from functools import cache
from typing import Any

import yaml
from synthetic import ARTICLE, CONFIG

from resnet_sizes.evidence.audit import audit
from resnet_sizes.schemas.article.article import Article, load_article
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.schemas.hardware import Devices, load_devices, shipped_network_costs
from resnet_sizes.schemas.study.protocol import Protocol
from resnet_sizes.study.loading import load_study

DESCRIPTION = {"pt": "leitura", "en": "reading"}


@cache
def without_claims() -> dict[str, Any]:
    """The shipped article file's data with one claim that fits any table."""
    data: dict[str, Any] = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))
    claim = {"id": "S1", "place": "results", "text": DESCRIPTION, "rule": "ordering"}
    claim |= {"quantity": "layers", "models": ["resnet18", "resnet34"]}
    return data | {"stated": [], "claims": [claim], "headline": []}


def article_of(*rows: tuple[str, str | None, str, str | None, str | None]) -> Article:
    """A made-up article file: model, accuracy, minutes, increments of layers and accuracy."""
    table = [
        {
            "model": model,
            "accuracy": accuracy,
            "layers": int(model.removeprefix("resnet")),
            "minutes": minutes,
            "layers_increment": layers,
            "accuracy_increment": gain,
        }
        for model, accuracy, minutes, layers, gain in rows
    ]
    return Article.model_validate(without_claims() | {"table": table})


def shipped_devices() -> Devices:
    return load_devices(CONFIG / "devices.yaml")


def audited(article: Article, **protocols: dict[str, Any]) -> Audit:
    definitions = {
        name.replace("_", "-"): Protocol.model_validate({"description": DESCRIPTION} | keys)
        for name, keys in protocols.items()
    }
    return audit(article, definitions, shipped_devices(), shipped_network_costs())


def audit_of_the_article() -> Audit:
    """The shipped article file with the shipped protocols and devices."""
    definitions = load_study([], CONFIG / "config.yaml").protocol_definitions
    return audit(load_article(ARTICLE), definitions, shipped_devices(), shipped_network_costs())
