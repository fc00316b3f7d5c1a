"""`resnet-sizes audit`: an article's numbers against each other, without training."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from resnet_sizes.cli.console import print_records, result, result_json
from resnet_sizes.schemas.evidence.audit import Audit


def audit(
    article: Annotated[Path, typer.Argument(help="An articles/<article>/article.yaml")],
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
    format: Annotated[Literal["text", "json"], typer.Option(help="What is printed.")] = "text",
) -> None:
    """Recompute an article from itself: increments, accuracies, returns of depth, minutes."""
    from resnet_sizes.evidence.audit import audit as recompute
    from resnet_sizes.schemas.article.article import load_article
    from resnet_sizes.schemas.hardware import load_devices, shipped_network_costs
    from resnet_sizes.study.loading import load_study

    definitions = load_study(config or []).protocol_definitions
    found = recompute(
        load_article(article), definitions, load_devices(devices), shipped_network_costs()
    )
    if format == "json":
        result_json(found)
    else:
        _print(found)


def _print(audit: Audit) -> None:
    """All tables of an audit; those without a row are left out."""
    print_records(
        "Printed increments over the first row: a relative one in percent, and one in percentage "
        "points or layers",
        audit.increments,
        *("model", "column", "printed", "relative", "points", "fits"),
    )
    print_records("What fits all of a column", audit.columns, "column", "fits")
    print_records(
        f"Accuracies in percent, as proportions of {audit.test_images} images, with Wilson's 95 % "
        "interval",
        audit.accuracies,
        *("model", "accuracy", "standard_error", "low", "high"),
    )
    if audit.unusable:
        result(f"Not within 0 and 100%, so left out: {', '.join(audit.unusable)}\n")
    deviations = {
        f"z at {deviation:g}": lambda pair, n=n: pair.with_deviations[n].z
        for n, deviation in enumerate(audit.assumptions.seed_deviations)
    }
    print_records(
        "Differences of accuracies, and between-seed deviations in percentage points",
        audit.pairs,
        *("first", "second", "difference", "z", "p", "vanishing_deviation"),
        **deviations,
    )
    steps = [f"{first} -> {second}" for first, second in audit.returns.steps]
    print_records(
        "Returns of depth (error reduction in percent), and whether they diminish",
        audit.returns.yardsticks if steps else [],
        "name",
        **{step: lambda item, n=n: item.values[n] for n, step in enumerate(steps)},
        falls=lambda item: item.falls,
    )
    print_records(
        "Devices, in multiply-accumulates per second",
        audit.devices,
        *("device", "name", "training", "inference", "memory_bytes", "basis", "measured_modes"),
    )
    needs = audit.protocols[0].needs if audit.protocols else []
    assumed = audit.assumptions
    print_records("Printed minutes", needs, "model", "printed_minutes")
    print_records(
        f"Predicted minutes of {audit.epochs} epochs, each with an evaluation",
        [(protocol, device) for protocol in audit.protocols for device in protocol.devices],
        protocol=lambda pair: pair[0].protocol,
        device=lambda pair: pair[1].device,
        **{
            need.model: lambda pair, model=need.model: next(
                (each.minutes for each in pair[1].predictions if each.model == model), None
            )
            for need in needs
        },
        most_bytes=lambda pair: max(
            filter(None, (need.memory_bytes for need in pair[0].needs)), default=None
        ),
        reading=lambda pair: pair[1].outcome,
    )
    result(
        f"A reading survives where all minutes are within a factor of {assumed.time_factor:g} of "
        f"the printed ones and a batch of {audit.batch_size} fits\n"
        f"with {assumed.memory_allowance_gib:g} GiB for CUDA and workspaces. `memory` alone may be "
        "got round by splitting the batch.\n"
    )
    print_records(
        "Not in the table of network costs. Add the size to SIZES in "
        "scripts/count_network_costs.py, then run: python scripts/count_network_costs.py",
        [protocol for protocol in audit.protocols if protocol.missing],
        *("protocol", "missing"),
    )
