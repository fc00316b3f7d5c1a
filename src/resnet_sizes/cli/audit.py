"""`resnet-sizes audit`: an article's numbers against each other, without training."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.box import Box
from rich.console import Group, RenderableType
from rich.table import Table

from resnet_sizes.cli.console import print_rich, result, say
from resnet_sizes.io.files import write_json
from resnet_sizes.schemas.evidence.audit import Audit

GIB = 2**30
NONE = "-"

RULED_HEAD = Box("    \n    \n----\n" + "    \n" * 5)
"""A line under the head and blanks between columns."""


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
    if output is not None:
        write_json(output, found)
        say(f"written: {output}")
    if format == "json":
        result(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
    else:
        print_rich(_tables(found))


def _tables(audit: Audit) -> Group:
    """All tables of an audit, each with its notes; those without a row are left out."""
    parts: list[RenderableType] = []
    for title, head, rows, notes in _contents(audit):
        if not rows and not notes:
            continue
        if parts:
            parts.append("")
        if rows:
            table = Table(*head, box=RULED_HEAD, header_style="", padding=(0, 1, 0, 0))
            table.show_edge = table.pad_edge = False
            for row in rows:
                table.add_row(*row)
            parts += [title, table]
        parts += notes
    return Group(*parts)


Content = tuple[str, Sequence[str], list[list[str]], list[str]]
"""Title, head, rows and notes of a table."""


def _contents(audit: Audit) -> Iterator[Content]:
    assumed = audit.assumptions
    yield (
        "Printed increments over the first row",
        ["model", "of", "printed", "relative", "points or layers", "fits"],
        [
            [
                item.model,
                item.column.removesuffix("_increment"),
                f"{item.printed}%",
                _number(item.relative, 2, "%"),
                _number(item.points, 2 if item.column == "accuracy_increment" else 0),
                item.fits,
            ]
            for item in audit.increments
        ],
        [f"All of {column.column}: {column.fits}" for column in audit.columns],
    )
    unusable = f"Not within 0 and 100%, so left out: {', '.join(audit.unusable)}"
    yield (
        f"Accuracies as proportions of {audit.test_images} images",
        ["model", "accuracy", "standard error", "Wilson 95%"],
        [
            [
                item.model,
                f"{item.accuracy:.2f}%",
                f"{item.standard_error:.2f}",
                f"{item.low:.2f} to {item.high:.2f}",
            ]
            for item in audit.accuracies
        ],
        [unusable] if audit.unusable else [],
    )
    z_heads = [f"z at {deviation:g}" for deviation in assumed.seed_deviations]
    yield (
        "Differences of accuracies; between-seed deviations in points",
        ["pair", "points", "z", "p", "vanishes at", *z_heads],
        [
            [
                f"{pair.second} - {pair.first}",
                f"{pair.difference:+.2f}",
                _number(pair.z, 1),
                f"{pair.p:.2g}",
                _number(pair.vanishing_deviation, 2),
                *(f"{effect.z:.1f}" for effect in pair.with_deviations),
            ]
            for pair in audit.pairs
        ],
        [],
    )
    steps = [f"{first} -> {second}" for first, second in audit.returns.steps]
    falls = {True: "yes", False: "no", None: NONE}
    yield (
        "Returns of depth (error reduction in percent)",
        ["yardstick", *steps, "diminishes"],
        [
            [each.name, *(_number(value, 3) for value in each.values), falls[each.falls]]
            for each in audit.returns.yardsticks
            if steps
        ],
        [],
    )
    yield (
        "Devices, in 10^12 multiply-accumulates a second",
        ["device", "name", "training", "forward", "GiB", "measured"],
        [
            [
                rate.device,
                rate.name,
                f"{rate.training / 1e12:.2f}",
                f"{rate.inference / 1e12:.2f}",
                f"{rate.memory_bytes / GIB:.1f}",
                " and ".join(rate.measured_modes) or f"assumed from the {rate.basis}",
            ]
            for rate in audit.devices
        ],
        [],
    )
    if audit.protocols:
        yield _minutes(audit)
    missing = [
        f"{protocol.protocol}: not in the table of network costs: {'; '.join(protocol.missing)}"
        for protocol in audit.protocols
        if protocol.missing
    ]
    remedy = (
        "Add the size to SIZES in src/resnet_sizes/training/engine/network_costs.py, then run: "
        "resnet-sizes costs"
    )
    yield "", [], [], [*missing, remedy] if missing else []


def _minutes(audit: Audit) -> Content:
    models = [need.model for need in audit.protocols[0].needs]
    printed = [_number(need.printed_minutes, 0) for need in audit.protocols[0].needs]
    rows = [["printed", "", *printed, "", ""]]
    for protocol in audit.protocols:
        needed = [need.memory_bytes for need in protocol.needs if need.memory_bytes is not None]
        most = f"{max(needed) / GIB:.1f}" if needed else NONE
        for device in protocol.devices:
            minutes = {item.model: item.minutes for item in device.predictions}
            cells = [_number(m := minutes.get(name), 0 if m and m >= 10 else 1) for name in models]
            rows.append([protocol.protocol, device.device, *cells, most, device.outcome])
    assumed = audit.assumptions
    note = (
        f"A reading survives where all minutes are within a factor of {assumed.time_factor:g} of "
        f"the printed ones and a batch of {audit.batch_size} fits\n"
        f"with {assumed.memory_allowance_gib:g} GiB for CUDA and workspaces. `memory` alone may be "
        "got round by splitting the batch."
    )
    head = ["protocol", "device", *models, "GiB at most", "reading"]
    title = f"Predicted minutes of {audit.epochs} epochs, each with an evaluation"
    return title, head, rows, [note]


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return NONE if value is None else f"{value:.{digits}f}{unit}"
