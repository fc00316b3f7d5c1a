"""`resnet-sizes audit`: an article's numbers against each other, without training."""

from collections.abc import Callable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer
from rich.console import Group, RenderableType

from resnet_sizes.cli.console import print_rich, result_json, ruled_table
from resnet_sizes.schemas.evidence.audit import Audit

Row = TypeVar("Row")

GIB = 2**30
NONE = "-"


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
        print_rich(_tables(found))


def _tables(audit: Audit) -> Group:
    """All tables of an audit, each with its notes; those without a row are left out."""
    digits = {"layers_increment": 0, "accuracy_increment": 2}
    falls = {True: "yes", False: "no", None: NONE}
    steps = [f"{first} -> {second}" for first, second in audit.returns.steps]
    deviations = audit.assumptions.seed_deviations
    unusable = f"Not within 0 and 100%, so left out: {', '.join(audit.unusable)}"
    parts = [
        _table(
            "Printed increments over the first row",
            audit.increments,
            {
                "model": lambda item: item.model,
                "of": lambda item: item.column.removesuffix("_increment"),
                "printed": lambda item: f"{item.printed}%",
                "relative": lambda item: _number(item.relative, 2, "%"),
                "points or layers": lambda item: _number(item.points, digits[item.column]),
                "fits": lambda item: item.fits,
            },
            *(f"All of {column.column}: {column.fits}" for column in audit.columns),
        ),
        _table(
            f"Accuracies as proportions of {audit.test_images} images",
            audit.accuracies,
            {
                "model": lambda item: item.model,
                "accuracy": lambda item: f"{item.accuracy:.2f}%",
                "standard error": lambda item: f"{item.standard_error:.2f}",
                "Wilson 95%": lambda item: f"{item.low:.2f} to {item.high:.2f}",
            },
            *([unusable] if audit.unusable else []),
        ),
        _table(
            "Differences of accuracies; between-seed deviations in points",
            audit.pairs,
            {
                "pair": lambda pair: f"{pair.second} - {pair.first}",
                "points": lambda pair: f"{pair.difference:+.2f}",
                "z": lambda pair: _number(pair.z, 1),
                "p": lambda pair: f"{pair.p:.2g}",
                "vanishes at": lambda pair: _number(pair.vanishing_deviation, 2),
            }
            | {
                f"z at {deviation:g}": lambda pair, n=n: f"{pair.with_deviations[n].z:.1f}"
                for n, deviation in enumerate(deviations)
            },
        ),
        _table(
            "Returns of depth (error reduction in percent)",
            audit.returns.yardsticks if steps else [],
            {"yardstick": lambda item: item.name}
            | {step: lambda item, n=n: _number(item.values[n], 3) for n, step in enumerate(steps)}
            | {"diminishes": lambda item: falls[item.falls]},
        ),
        _table(
            "Devices, in 10^12 multiply-accumulates per second",
            audit.devices,
            {
                "device": lambda rate: rate.device,
                "name": lambda rate: rate.name,
                "training": lambda rate: f"{rate.training / 1e12:.2f}",
                "forward": lambda rate: f"{rate.inference / 1e12:.2f}",
                "GiB": lambda rate: f"{rate.memory_bytes / GIB:.1f}",
                "measured": lambda rate: (
                    " and ".join(rate.measured_modes) or f"assumed from the {rate.basis}"
                ),
            },
        ),
        _minutes(audit) if audit.protocols else [],
        _missing(audit),
    ]
    printed: list[RenderableType] = []
    for part in filter(None, parts):
        printed += ["", *part] if printed else part
    return Group(*printed)


def _minutes(audit: Audit) -> list[RenderableType]:
    needs = audit.protocols[0].needs
    rows = [["printed", "", *(_number(need.printed_minutes, 0) for need in needs), "", ""]]
    for protocol in audit.protocols:
        needed = [need.memory_bytes for need in protocol.needs if need.memory_bytes is not None]
        most = f"{max(needed) / GIB:.1f}" if needed else NONE
        for device in protocol.devices:
            minutes = {item.model: item.minutes for item in device.predictions}
            found = [minutes.get(need.model) for need in needs]
            cells = [_number(value, 0 if value and value >= 10 else 1) for value in found]
            rows.append([protocol.protocol, device.device, *cells, most, device.outcome])
    heads = ["protocol", "device", *(need.model for need in needs), "GiB at most", "reading"]
    assumed = audit.assumptions
    return _table(
        f"Predicted minutes of {audit.epochs} epochs, each with an evaluation",
        rows,
        {head: itemgetter(n) for n, head in enumerate(heads)},
        f"A reading survives where all minutes are within a factor of {assumed.time_factor:g} of "
        f"the printed ones and a batch of {audit.batch_size} fits",
        f"with {assumed.memory_allowance_gib:g} GiB for CUDA and workspaces. `memory` alone may be "
        "got round by splitting the batch.",
    )


def _missing(audit: Audit) -> list[RenderableType]:
    lines = [
        f"{protocol.protocol}: not in the table of network costs: {'; '.join(protocol.missing)}"
        for protocol in audit.protocols
        if protocol.missing
    ]
    remedy = (
        "Add the size to SIZES in scripts/count_network_costs.py, then run: "
        "python scripts/count_network_costs.py"
    )
    return [*lines, remedy] if lines else []


def _table(
    title: str, rows: Sequence[Row], columns: dict[str, Callable[[Row], str]], *notes: str
) -> list[RenderableType]:
    """A table with its title and its notes; nothing but the notes where there are no rows."""
    if not rows:
        return [*notes]
    table = ruled_table(*columns)
    for row in rows:
        table.add_row(*(cell(row) for cell in columns.values()))
    return [title, table, *notes]


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return NONE if value is None else f"{value:.{digits}f}{unit}"
