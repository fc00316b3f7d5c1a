"""Confusion matrices on the test images, one panel per model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from resnet_sizes.reporting.figures.style import (
    CLASSES_ID,
    FONT_SIZE,
    INK,
    SMALL,
    WIDTH,
    Box,
    FigureContext,
    add_axes,
    mark_ticks,
    mark_value,
    text_width,
)
from resnet_sizes.reporting.text.words import short_class_label
from resnet_sizes.schemas.evidence.figures import ConfusionMatrix
from resnet_sizes.schemas.study.protocol import display_name

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


@dataclass(frozen=True)
class _Layout:
    """Sizes in inches, and how the panels stand."""

    columns: int
    rows: int
    panel: float
    left: float
    beside: float
    """Room for the names of the classes beside the panels."""
    below: float
    """The same below them."""
    turned: bool
    """Whether they are too long to stand upright there."""
    height: float

    def box(self, position: int) -> Box:
        row, column = divmod(position, self.columns)
        return Box(
            left=self.left + column * (self.panel + _GAP),
            bottom=self.height - _TOP - (row + 1) * (self.panel + _TITLE) - row * _GAP,
            width=self.panel,
            height=self.panel,
        )


def draw_confusion(context: FigureContext) -> Figure:
    """Small multiples with one scale; the most frequent mistake of each model is framed."""
    numbers = context.numbers
    if not numbers.confusion:
        return context.empty_figure()
    names = [
        short_class_label(name, numbers.content, context.words) for name in numbers.class_names
    ]
    count = len(numbers.confusion)
    layout = _lay_out(count, names)
    figure = Figure(figsize=(WIDTH, layout.height))
    for position, matrix in enumerate(numbers.confusion):
        axes = add_axes(figure, layout.box(position))
        _draw_panel(axes, matrix, len(names), layout.panel)
        axes.set_title(display_name(matrix.model), fontsize=FONT_SIZE, pad=4)
        _name_classes(
            axes,
            names,
            layout,
            beside=position % layout.columns == 0,
            below=position + layout.columns >= count,
        )
    _name_axes(figure, context, layout, count)
    _draw_scale(figure, layout, context.text("confusion.scale"))
    return figure


def _lay_out(count: int, names: Sequence[str]) -> _Layout:
    wide = count == 4 or (count < 4 and len(names) > _MANY_CLASSES)
    columns = min(count, 2 if wide else 3)
    rows = math.ceil(count / columns)
    room = max(text_width(name, _LARGEST_NAME) for name in names) + 0.06
    beside = _AXIS_NAME + room
    panel = (WIDTH - beside - 0.06 - (columns - 1) * _GAP) / columns
    panel = min(panel, _LARGEST_PANEL)
    used = beside + columns * panel + (columns - 1) * _GAP
    turned = room > panel / len(names)
    below = room if turned else 0.16
    height = _TOP + rows * (panel + _TITLE) + (rows - 1) * _GAP
    height += below + _AXIS_NAME + _SCALE_ROOM
    left = (WIDTH - used) / 2 + beside
    return _Layout(columns, rows, panel, left, room, below, turned, height)


def _shares(matrix: ConfusionMatrix, classes: int) -> npt.NDArray[np.float64]:
    """Fractions by true (row) and predicted class: float64 `[classes, classes]`; NaN of a class
    without test images."""
    shares = np.zeros((classes, classes))
    for cell in matrix.cells:
        shares[cell.true, cell.predicted] = cell.share
    shares[matrix.empty_classes] = np.nan
    return shares


def _draw_panel(axes: Axes, matrix: ConfusionMatrix, classes: int, panel: float) -> None:
    axes.pcolormesh(
        np.ma.masked_invalid(_shares(matrix, classes)),
        cmap=_COLOURS, norm=_NORM, edgecolors="white", linewidth=0.4,
    )  # fmt: skip
    axes.set(xlim=(0, classes), ylim=(classes, 0), xticks=[], yticks=[])
    axes.spines[["top", "right"]].set_visible(True)
    axes.spines[:].set_linewidth(0.5)
    size = min(_LARGEST_NUMBER, 0.52 * 72 * panel / classes)
    for cell in matrix.cells:
        if cell.key is None or size < _SMALLEST_NUMBER:
            continue
        number = axes.text(
            cell.predicted + 0.5,
            cell.true + 0.53,
            f"{math.floor(100 * cell.share + 0.5)}",
            fontsize=size,
            color="white" if cell.share > _WHITE_ABOVE else INK,
            ha="center",
            va="center_baseline",
        )
        mark_value(number, cell.key)
    if matrix.largest is not None:
        place = (matrix.largest.predicted, matrix.largest.true)
        axes.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor=INK, linewidth=1.1, zorder=3))


def _name_classes(
    axes: Axes, names: Sequence[str], layout: _Layout, *, beside: bool, below: bool
) -> None:
    mark_ticks(axes, CLASSES_ID)
    size = 0.85 * 72 * layout.panel / len(names)
    size = min(_LARGEST_NAME, max(_SMALLEST_NUMBER, size))
    # Of very many classes every second, third, … is named.
    step = math.ceil(1.05 * size * len(names) / (72 * layout.panel))
    places = np.arange(0, len(names), step)
    labels = names[::step]
    axes.tick_params(length=0, pad=2.5, labelsize=size)
    if beside:
        axes.set_yticks(places + 0.5, labels, va="center_baseline")
    if below:
        axes.set_xticks(places + 0.5, labels, **(_TURNED if layout.turned else {}))


def _name_axes(figure: Figure, context: FigureContext, layout: _Layout, count: int) -> None:
    first, last = layout.box(0), layout.box(count - 1)
    middle = (
        first.bottom + first.height + layout.box((layout.rows - 1) * layout.columns).bottom
    ) / 2
    figure.text(
        (first.left - layout.beside - 0.5 * _AXIS_NAME) / WIDTH,
        middle / layout.height,
        context.text("confusion.true"),
        rotation=90,
        # Turned about its middle, whatever the typeface; else about its measured corner.
        rotation_mode="anchor",
        ha="center",
        va="center_baseline",
    )
    figure.text(
        (first.left + layout.columns * (layout.panel + _GAP) / 2 - _GAP / 2) / WIDTH,
        (last.bottom - layout.below - 0.5 * _AXIS_NAME) / layout.height,
        context.text("confusion.predicted"),
        ha="center",
        va="center_baseline",
    )


def _draw_scale(figure: Figure, layout: _Layout, text: str) -> None:
    """The colours in shares, even steps of colour beside each other."""
    width = min(2.4, layout.columns * layout.panel)
    across = layout.columns * (layout.panel + _GAP) - _GAP
    left = layout.left + (across - width) / 2
    axes = add_axes(figure, Box(left, 0.2, width, _SCALE_HEIGHT))
    edges = np.linspace(0, 1, 33)
    axes.pcolormesh(
        edges, [0, 1], (edges[:-1] + edges[1:])[np.newaxis] / 2, cmap=_COLOURS, vmin=0, vmax=1,
        edgecolors="face", linewidth=0.2,
    )  # fmt: skip
    axes.spines[:].set_visible(True)
    axes.spines[:].set_linewidth(0.5)
    labels = [f"{100 * tick:.0f}" for tick in _SCALE_TICKS]
    axes.set_xticks([float(_NORM(tick)) for tick in _SCALE_TICKS], labels)
    axes.set(xlim=(0, 1), ylim=(0, 1), yticks=[])
    axes.tick_params(length=2, pad=1.5, labelsize=SMALL - 0.5)
    axes.set_title(text, fontsize=SMALL, pad=3)
