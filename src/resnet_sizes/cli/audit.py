"""`resnet-sizes audit`: an article's numbers against each other, without training."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from resnet_sizes.cli.console import print_records, result, result_json
from resnet_sizes.cli.study import Overlays
from resnet_sizes.schemas.evidence.audit import Audit
from resnet_sizes.study.loading import load_study


def audit(
    article: Annotated[Path, typer.Argument(help="An articles/<article>/article.yaml")],
    overlays: Overlays = None,
    format: Annotated[Literal["text", "json"], typer.Option(help="What is printed.")] = "text",
) -> None:
    """Recompute an article from itself: increments, accuracies, returns of depth, minutes. What
    lies beside its file is checked first.

    Protocols and the table of GPUs are those of the configuration.
    """
    from resnet_sizes.evidence.audit import audit as recompute
    from resnet_sizes.reporting.text.prose import check_article
    from resnet_sizes.schemas.hardware import load_devices, shipped_network_costs

    study = load_study(overlays or [])
    devices, costs = load_devices(Path(study.devices)), shipped_network_costs()
    found = recompute(check_article(article), study.protocol_definitions, devices, costs)
    (result_json if format == "json" else _print)(found)


def _print(audit: Audit) -> None:
    """What it comes to; tables without a row are left out."""
    print_records("What fits all printed increments of a column", audit.columns, "column", "fits")
    print_records(
        f"Differences of {'errors' if audit.measure == 'error' else 'accuracies'} on "
        f"{audit.test_images} images, and the deviation between seeds that undoes each, in "
        "percentage points",
        audit.pairs,
        *("first", "second", "difference", "p", "vanishing_deviation"),
    )
    devices = {
        device.device: lambda protocol, n=n: protocol.devices[n].outcome
        for n, device in enumerate(audit.devices)
    }
    print_records(
        f"Whether {audit.epochs} epochs fit the printed minutes, within a factor of "
        f"{audit.assumptions.time_factor:g}, and a batch of {audit.batch_size} the memory",
        audit.protocols,
        "protocol",
        **devices,
    )
    print_records(
        "Not in the table of network costs, which has none of your own; others, in a clone, by "
        "SIZES in scripts/count_network_costs.py, then: python scripts/count_network_costs.py",
        [protocol for protocol in audit.protocols if protocol.missing],
        *("protocol", "missing"),
    )
    result("All numbers: --format json; in words: the report's section on the article itself.")
