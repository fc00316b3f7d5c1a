"""The audit as aligned plain text."""

from collections.abc import Sequence

from resnet_sizes.schemas.evidence.audit import Audit, ProtocolCosts

GIB = 2**30
NONE = "-"


def audit_text(audit: Audit) -> str:
    """All tables of an audit; those without a row are left out."""
    parts = [
        _increments(audit),
        _accuracies(audit),
        _pairs(audit),
        _returns(audit),
        _devices(audit),
        _minutes(audit),
        _missing(audit),
    ]
    return "\n\n".join(part for part in parts if part)


def _increments(audit: Audit) -> str:
    rows = [
        [
            item.model,
            item.column.removesuffix("_increment"),
            f"{item.printed}%",
            _number(item.relative, 2, "%"),
            f"{item.points:.2f}" if item.column == "accuracy_increment" else f"{item.points:.0f}",
            item.fits,
        ]
        for item in audit.increments
    ]
    text = _table(
        "Printed increments over the first row",
        ["model", "of", "printed", "relative", "points or layers", "fits"],
        rows,
    )
    for column in audit.columns:
        text += f"\nAll of {column.column}: {column.fits}"
    return text


def _accuracies(audit: Audit) -> str:
    rows = [
        [
            item.model,
            f"{item.accuracy:.2f}%",
            f"{item.standard_error:.2f}",
            f"{item.low:.2f} to {item.high:.2f}",
        ]
        for item in audit.accuracies
    ]
    title = f"Accuracies as proportions of {audit.test_images} images"
    text = _table(title, ["model", "accuracy", "standard error", "Wilson 95%"], rows)
    if audit.unusable:
        text += f"\nNot within 0 and 100%, so left out: {', '.join(audit.unusable)}"
    return text.strip()


def _pairs(audit: Audit) -> str:
    deviations = audit.assumptions.seed_deviations
    rows = [
        [
            f"{pair.second} - {pair.first}",
            f"{pair.difference:+.2f}",
            _number(pair.z, 1),
            f"{pair.p:.2g}",
            _number(pair.vanishing_deviation, 2),
            *(f"{effect.z:.1f}" for effect in pair.with_deviations),
        ]
        for pair in audit.pairs
    ]
    head = ["pair", "points", "z", "p", "vanishes at", *(f"z at {d:g}" for d in deviations)]
    title = "Differences of accuracies; between-seed deviations in points"
    return _table(title, head, rows)


def _returns(audit: Audit) -> str:
    steps = [f"{first} -> {second}" for first, second in audit.returns.steps]
    falls = {True: "yes", False: "no", None: NONE}
    rows = [
        [yardstick.name, *(_number(value, 3) for value in yardstick.values), falls[yardstick.falls]]
        for yardstick in audit.returns.yardsticks
    ]
    if not steps:
        return ""
    title = "Returns of depth (error reduction in percent)"
    return _table(title, ["yardstick", *steps, "diminishes"], rows)


def _devices(audit: Audit) -> str:
    rows = [
        [
            rate.device,
            rate.name,
            f"{rate.training / 1e12:.2f}",
            f"{rate.inference / 1e12:.2f}",
            f"{rate.memory_bytes / GIB:.1f}",
            " and ".join(rate.measured_modes) or f"assumed from the {rate.basis}",
        ]
        for rate in audit.devices
    ]
    head = ["device", "name", "training", "forward", "GiB", "measured"]
    return _table("Devices, in 10^12 multiply-accumulates a second", head, rows)


def _minutes(audit: Audit) -> str:
    if not audit.protocols:
        return ""
    models = [need.model for need in audit.protocols[0].needs]
    printed = [_number(need.printed_minutes, 0) for need in audit.protocols[0].needs]
    rows = [["printed", "", *printed, "", ""]]
    for protocol in audit.protocols:
        rows.extend(_protocol_rows(protocol, models))
    factor, allowance = audit.assumptions.time_factor, audit.assumptions.memory_allowance_gib
    return _table(
        f"Predicted minutes of {audit.epochs} epochs, each with an evaluation",
        ["protocol", "device", *models, "GiB at most", "reading"],
        rows,
    ) + (
        f"\nA reading survives where all minutes are within a factor of {factor:g} of the printed "
        f"ones and a batch of {audit.batch_size} fits\nwith {allowance:g} GiB for CUDA and "
        "workspaces. `memory` alone may be got round by splitting the batch."
    )


def _protocol_rows(protocol: ProtocolCosts, models: Sequence[str]) -> list[list[str]]:
    needed = [need.memory_bytes for need in protocol.needs if need.memory_bytes is not None]
    most = f"{max(needed) / GIB:.1f}" if needed else NONE
    rows = []
    for device in protocol.devices:
        minutes = {item.model: _minutes_text(item.minutes) for item in device.predictions}
        cells = [minutes.get(model, NONE) for model in models]
        rows.append([protocol.protocol, device.device, *cells, most, device.outcome])
    return rows


def _missing(audit: Audit) -> str:
    lines = [
        f"{protocol.protocol}: not in the table of network costs: {'; '.join(protocol.missing)}"
        for protocol in audit.protocols
        if protocol.missing
    ]
    if lines:
        lines.append(
            "Add the size to SIZES in src/resnet_sizes/training/engine/network_costs.py, then run: "
            "resnet-sizes costs"
        )
    return "\n".join(lines)


def _minutes_text(minutes: float) -> str:
    return f"{minutes:.0f}" if minutes >= 10 else f"{minutes:.1f}"


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return NONE if value is None else f"{value:.{digits}f}{unit}"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; nothing where there are no rows."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join([title, lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:]])
