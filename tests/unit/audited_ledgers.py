"""Audits of made-up ledgers and protocols, for the tests of the audit."""

from functools import cache
from typing import Any

import yaml
from synthetic import CONFIG, LEDGER

from resnet_sizes.evidence.audit import audit
from resnet_sizes.records.audit import Audit
from resnet_sizes.records.devices import Devices, load_devices
from resnet_sizes.records.ledger import Ledger
from resnet_sizes.records.ledger_file import load_ledger
from resnet_sizes.records.network_costs import shipped_network_costs
from resnet_sizes.records.protocol import Protocol
from resnet_sizes.study.loading import load_study

DESCRIPTION = {"pt": "leitura", "en": "reading"}


@cache
def without_statements() -> dict[str, Any]:
    """The shipped ledger's data with one statement that fits any table."""
    data: dict[str, Any] = yaml.safe_load(LEDGER.read_text(encoding="utf-8"))
    statement = {"id": "S1", "place": "results", "text": DESCRIPTION, "rule": "ordering"}
    statement |= {"quantity": "layers", "models": ["resnet18", "resnet34"]}
    return data | {"stated": [], "statements": [statement]}


def ledger_of(*rows: tuple[str, str, str, str | None, str | None]) -> Ledger:
    """A made-up ledger: model, accuracy, minutes, increments of layers and accuracy."""
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
    return Ledger.model_validate(without_statements() | {"table": table})


def shipped_devices() -> Devices:
    return load_devices(CONFIG / "devices.yaml")


def audited(ledger: Ledger, **protocols: dict[str, Any]) -> Audit:
    definitions = {
        name.replace("_", "-"): Protocol.model_validate({"description": DESCRIPTION} | keys)
        for name, keys in protocols.items()
    }
    return audit(ledger, definitions, shipped_devices(), shipped_network_costs())


def audit_of_the_article() -> Audit:
    """The shipped ledger with the shipped protocols and devices."""
    definitions = load_study([], CONFIG / "config.yaml").protocol_definitions
    return audit(load_ledger(LEDGER), definitions, shipped_devices(), shipped_network_costs())
