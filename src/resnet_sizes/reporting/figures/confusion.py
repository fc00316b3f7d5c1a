"""Confusion matrices on the test images, one panel per model."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from resnet_sizes.reporting.figures import style
from resnet_sizes.reporting.text.words import short_class_label
from resnet_sizes.schemas.evidence.figures import ConfusionMatrix
from resnet_sizes.schemas.study.protocol import display_name

# Inches.
_GAP, _TITLE, _TOP = 0.16, 0.24, 0.06
_AXIS_NAME = 0.2
_SCALE_HEIGHT, _SCALE_ROOM = 0.09, 0.52
_LARGEST_PANEL = 2.9

_MANY_CLASSES = 12
"""More than these need wider panels, so that their names stay legible."""
_SMALLEST_NUMBER, _LARGEST_NUMBER, _LARGEST_NAME = 5.0, 7.5, 7.5  # points

# From white to near black in one hue: lightness falls evenly, so that grey keeps the order.
_COLOURS = LinearSegmentedColormap.from_list(
    "shares", ["#FFFFFF", "#D3E3F1", "#9DC1E0", "#5E97C8", "#2A6AA5", "#0B3C6F", "#06223F"]
)
# Mistakes are small shares; the square root lets them be seen beside the diagonal.
_NORM = PowerNorm(0.5, vmin=0, vmax=1)
_WHITE_ABOVE = 0.42
_TURNED: dict[str, Any] = {
    "rotation": 90, "rotation_mode": "anchor", "ha": "right", "va": "center"
}  # fmt: skip
_SCALE_TICKS = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
_CENTRED: dict[str, Any] = {"ha": "center", "va": "center_baseline"}


def draw_confusion(context: style.FigureContext) -> Figure:
    """Small multiples with one scale; the most frequent mistake of each model is framed."""
    numbers = context.numbers
    count = len(numbers.confusion)
    if not count:
        return context.empty_figure()
    names = [
        short_class_label(name, numbers.content, context.words) for name in numbers.class_names
    ]
    wide = count == 4 or (count < 4 and len(names) > _MANY_CLASSES)
    columns = min(count, 2 if wide else 3)
    rows = math.ceil(count / columns)
    room = style.text_width(names, _LARGEST_NAME) + 0.06
    beside = _AXIS_NAME + room
    panel = (style.WIDTH - beside - 0.06 - (columns - 1) * _GAP) / columns
    panel = min(panel, _LARGEST_PANEL)
    # Names that are too long to stand upright below the panels are turned.
    turned = room > panel / len(names)
    below = room if turned else 0.16
    across = columns * (panel + _GAP) - _GAP
    left = (style.WIDTH - (beside + columns * panel + (columns - 1) * _GAP)) / 2 + beside
    height = _TOP + rows * (panel + _TITLE) + (rows - 1) * _GAP
    height += below + _AXIS_NAME + _SCALE_ROOM
    figure = Figure(figsize=(style.WIDTH, height))
    for position, matrix in enumerate(numbers.confusion):
        row, column = divmod(position, columns)
        bottom = height - _TOP - (row + 1) * (panel + _TITLE) - row * _GAP
        place = (left + column * (panel + _GAP), bottom, panel, panel)
        axes = style.add_axes(figure, *place, ticks=style.CLASSES_ID)
        axes.set_title(display_name(matrix.model), pad=4)
        _draw_panel(axes, matrix, len(names), panel)
        size = min(_LARGEST_NAME, max(_SMALLEST_NUMBER, 0.85 * 72 * panel / len(names)))
        # Of very many classes every second, third, … is named.
        step = math.ceil(1.05 * size * len(names) / (72 * panel))
        places, labels = np.arange(0, len(names), step) + 0.5, names[::step]
        axes.tick_params(length=0, pad=2.5, labelsize=size)
        if column == 0:
            axes.set_yticks(places, labels, va="center_baseline")
        if position + columns >= count:
            axes.set_xticks(places, labels, **(_TURNED if turned else {}))
    # The last panel's bottom is that of the last row.
    middle = (left + across / 2, (bottom + height - _TOP - _TITLE) / 2)
    _name_axes(figure, context, middle, left - room - 0.5 * _AXIS_NAME)
    width = min(2.4, columns * panel)
    _draw_scale(figure, context.text("confusion.scale"), left + (across - width) / 2, width)
    return figure


def _draw_panel(axes: Axes, matrix: ConfusionMatrix, classes: int, panel: float) -> None:
    shares = np.zeros((classes, classes))
    for cell in matrix.cells:
        shares[cell.true, cell.predicted] = cell.share
    shares[matrix.empty_classes] = np.nan
    axes.pcolormesh(shares, cmap=_COLOURS, norm=_NORM, edgecolors="white", linewidth=0.4)
    axes.set(xlim=(0, classes), ylim=(classes, 0), xticks=[], yticks=[])
    axes.spines[:].set(visible=True, linewidth=0.5)
    size = min(_LARGEST_NUMBER, 0.52 * 72 * panel / classes)
    for cell in matrix.cells:
        if cell.key is not None and size >= _SMALLEST_NUMBER:
            axes.text(
                cell.predicted + 0.5,
                cell.true + 0.53,
                f"{math.floor(100 * cell.share + 0.5)}",
                fontsize=size,
                color="white" if cell.share > _WHITE_ABOVE else style.INK,
                gid=f"{style.VALUE_ID}{cell.key}",
                **_CENTRED,
            )
    if matrix.largest is not None:
        place = (matrix.largest.predicted, matrix.largest.true)
        axes.add_patch(
            Rectangle(place, 1, 1, fill=False, edgecolor=style.INK, linewidth=1.1, zorder=3)
        )


def _name_axes(
    figure: Figure, context: style.FigureContext, middle: tuple[float, float], left: float
) -> None:
    """Below the `middle` of the panels, and at its left; in inches."""
    width, height = figure.get_size_inches()
    # Turned about its middle, whatever the typeface; else about its measured corner.
    turned: Any = {"rotation": 90, "rotation_mode": "anchor"} | _CENTRED
    figure.text(left / width, middle[1] / height, context.text("confusion.true"), **turned)
    low = _SCALE_ROOM + 0.5 * _AXIS_NAME
    figure.text(middle[0] / width, low / height, context.text("confusion.predicted"), **_CENTRED)


def _draw_scale(figure: Figure, text: str, left: float, width: float) -> None:
    """The colours in shares, even steps of colour beside each other."""
    axes = style.add_axes(figure, left, 0.2, width, _SCALE_HEIGHT)
    edges = np.linspace(0, 1, 33)
    axes.pcolormesh(
        edges, [0, 1], (edges[:-1] + edges[1:])[np.newaxis] / 2, cmap=_COLOURS, vmin=0, vmax=1,
        edgecolors="face", linewidth=0.2,
    )  # fmt: skip
    axes.spines[:].set(visible=True, linewidth=0.5)
    labels = [f"{100 * tick:.0f}" for tick in _SCALE_TICKS]
    axes.set_xticks([float(_NORM(tick)) for tick in _SCALE_TICKS], labels)
    axes.set(xlim=(0, 1), ylim=(0, 1), yticks=[])
    axes.tick_params(length=2, pad=1.5, labelsize=style.SMALL - 0.5)
    axes.set_title(text, fontsize=style.SMALL, pad=3)
