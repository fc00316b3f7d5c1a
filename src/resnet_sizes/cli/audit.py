"""`resnet-sizes audit`: an article's numbers against each other, without training."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from resnet_sizes.cli.console import result, say
from resnet_sizes.io.files import write_json


class Format(StrEnum):
    """How the audit is printed."""

    text = "text"
    json = "json"


def audit(
    article: Annotated[Path, typer.Argument(help="The article file, such as config/article.yaml")],
    config: Annotated[
        list[Path] | None,
        typer.Option(
            help="Overlay over config/config.yaml, whose protocol_definitions are priced; may be "
            "given several times.",
            show_default=False,
        ),
    ] = None,
    devices: Annotated[Path, typer.Option(help="GPUs and assumptions.")] = Path(
        "config/devices.yaml"
    ),
    output: Annotated[Path | None, typer.Option(help="Also write audit.json here.")] = None,
    format: Annotated[Format, typer.Option(help="What is printed.")] = Format.text,
) -> None:
    """Recompute an article from itself: increments, accuracies, returns of depth, minutes."""
    from resnet_sizes.cli.audit_tables import audit_text
    from resnet_sizes.evidence.audit import audit as recompute
    from resnet_sizes.schemas.article.load import load_article
    from resnet_sizes.schemas.hardware import load_devices, shipped_network_costs
    from resnet_sizes.study.loading import load_study

    definitions = load_study(config or []).protocol_definitions
    found = recompute(
        load_article(article), definitions, load_devices(devices), shipped_network_costs()
    )
    if output is not None:
        write_json(output, found)
        say(f"written: {output}")
    if format is Format.json:
        result(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        result(audit_text(found))
