"""Losses and accuracies over the epochs: a line for each model, named at its end."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from resnet_sizes.reporting.figures.style import (
    FONT_SIZE,
    GRID,
    LINE,
    MODEL_STYLES,
    WIDTH,
    Box,
    FigureContext,
    add_axes,
    epoch_ticks,
    log_ticks,
    number_ticks,
    text_width,
)
from resnet_sizes.schemas.study.protocol import display_name

_LEFT, _BOTTOM = 0.6, 0.48
_LOSS_HEIGHT, _LOSS_TOP = 3.4, 0.12
_ACCURACY_HEIGHT, _ACCURACY_TOP, _BETWEEN = 3.1, 0.3, 0.22
_LOG_FROM = 30
"""From this ratio of the highest to the lowest loss on, the axis is logarithmic: else the last
epochs of all models would lie on the bottom."""
_LEAST_SPAN = 2.0
"""Percent: the least that the vertical axis of the accuracies shows."""

_MARKERS_PER_LINE = 8
_KEY = (0.13, 0.31, 0.49)
"""Start, marker and end of the piece of line beside a label, in inches from the axes."""
_LABEL_AT = _KEY[-1] + 0.06


@dataclass(frozen=True)
class Curve:
    """A quantity of one model in each epoch: float64 `[seeds, epochs]`."""

    model: str
    values: npt.NDArray[np.float64]

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Over the seeds: float64 `[epochs]`."""
        mean: npt.NDArray[np.float64] = self.values.mean(axis=0)
        return mean


def draw_losses(context: FigureContext) -> Figure:
    """Figure 1: training losses in nats."""
    curves = [Curve(each.model, np.array(each.train_loss)) for each in context.numbers.curves]
    if not curves:
        return context.empty_figure()
    figure = Figure(figsize=(WIDTH, _LOSS_HEIGHT))
    width = WIDTH - _LEFT - _room_for_names(curves)
    height = _LOSS_HEIGHT - _BOTTOM - _LOSS_TOP
    axes = add_axes(figure, Box(_LEFT, _BOTTOM, width, height))
    axes.set_xlabel(context.text("epoch"))
    _draw_curves(axes, curves)
    low = min(float(curve.values.min()) for curve in curves)
    high = max(float(curve.values.max()) for curve in curves)
    if low > 0 and high / low >= _LOG_FROM:
        bottom, top = low / 1.3, high * 1.3
        axes.set_yscale("log")
        ticks = log_ticks(bottom, top, context.language)
        axes.minorticks_off()
    else:
        bottom, top = 0.0, 1.06 * high
        ticks = number_ticks(bottom, top, context.language)
    axes.set_ylabel(context.text("loss.y-log" if bottom else "loss.y"))
    axes.set_ylim(bottom, top)
    axes.set_yticks(*ticks)
    _name_curves(axes, curves, width, height)
    return figure


def draw_accuracies(context: FigureContext) -> Figure:
    """Accuracies in percent on the training and on the test images: two panels with one vertical
    axis; the lines are named beside the second."""
    found = context.numbers.curves
    if not found:
        return context.empty_figure()
    panels = {
        "train": [Curve(each.model, 100 * np.array(each.train_accuracy)) for each in found],
        "test": [Curve(each.model, 100 * np.array(each.test_accuracy)) for each in found],
    }
    figure = Figure(figsize=(WIDTH, _ACCURACY_HEIGHT))
    width = (WIDTH - _LEFT - _BETWEEN - _room_for_names(panels["test"])) / 2
    height = _ACCURACY_HEIGHT - _BOTTOM - _ACCURACY_TOP
    low, high = _accuracy_limits([*panels["train"], *panels["test"]])
    ticks, labels = number_ticks(low, high, context.language)
    for position, (name, curves) in enumerate(panels.items()):
        left = _LEFT + position * (width + _BETWEEN)
        axes = add_axes(figure, Box(left, _BOTTOM, width, height))
        axes.set_title(context.text(f"accuracy.{name}"), loc="left", fontsize=FONT_SIZE, pad=7)
        axes.set_xlabel(context.text("epoch"))
        _draw_curves(axes, curves, most_ticks=5)
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, labels if position == 0 else [""] * len(ticks))
        if position == 0:
            axes.set_ylabel(context.text("accuracy.y"))
        else:
            _name_curves(axes, curves, width, height)
    return figure


def _accuracy_limits(curves: Sequence[Curve]) -> tuple[float, float]:
    low = min(float(curve.values.min()) for curve in curves)
    high = max(float(curve.values.max()) for curve in curves)
    margin = max(0.06 * (high - low), (_LEAST_SPAN - (high - low)) / 2)
    return max(0.0, low - margin), min(100 + 0.03 * (high - low), high + margin)


def _room_for_names(curves: Sequence[Curve]) -> float:
    """Inches that the names at the ends of the lines need on the right of the axes."""
    names = [display_name(curve.model) for curve in curves]
    return _LABEL_AT + max(text_width(name) for name in names) + 0.08


def _draw_curves(axes: Axes, curves: Sequence[Curve], most_ticks: int = 10) -> None:
    """One line per model, the mean over the seeds; where there are several, a band reaches from the
    lowest to the highest. The limits of the vertical axis are left to the caller."""
    axes.grid(axis="y", color=GRID, linewidth=0.6)
    for position, curve in enumerate(curves):
        _draw_curve(axes, curve, position)
    epochs = curves[0].values.shape[1]
    margin = 0.03 * (epochs - 1) or 0.5
    axes.set_xlim(1 - margin, epochs + margin)
    axes.set_xticks(epoch_ticks(epochs, most_ticks))


def _draw_curve(axes: Axes, curve: Curve, position: int) -> None:
    seeds, count = curve.values.shape
    epochs = np.arange(1, count + 1)
    style = MODEL_STYLES[curve.model]
    if seeds > 1:
        low, high = curve.values.min(axis=0), curve.values.max(axis=0)
        axes.fill_between(epochs, low, high, color=style["color"], alpha=0.18, linewidth=0)
    step = max(1, count // _MARKERS_PER_LINE)
    axes.plot(
        epochs,
        curve.mean,
        # Staggered, so that markers of curves that lie on each other stay apart.
        markevery=(position * step // 3 % step, step),
        **LINE,
        **style,
    )


def _name_curves(axes: Axes, curves: Sequence[Curve], width: float, height: float) -> None:
    """Name each line at its end, apart from one another where the ends are close.

    `width` and `height` are those of the axes in inches; the limits must be set.
    """
    count = curves[0].values.shape[1]
    ends = np.array([(count, curve.mean[-1]) for curve in curves])
    # In fractions of the height, whatever the scale of the axis.
    heights = (axes.transData + axes.transAxes.inverted()).transform(ends)[:, 1]
    gap, half_line = 1.35 * FONT_SIZE / 72 / height, FONT_SIZE / 144 / height
    places = spread(heights, gap, lowest=half_line, highest=1 - half_line)
    start, middle, stop = (1 + inches / width for inches in _KEY)
    for curve, end, place in zip(curves, ends, places, strict=True):
        style = MODEL_STYLES[curve.model]
        # A piece of the line, since in grey a label's colour does not say whose it is.
        axes.plot(
            [start, middle, stop],
            [place] * 3,
            transform=axes.transAxes,
            clip_on=False,
            markevery=[1],
            **LINE,
            **style,
        )
        axes.annotate(
            "",
            xy=tuple(end),
            xytext=(start, float(place)),
            textcoords=axes.transAxes,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": style["color"],
                "linewidth": 0.5,
                "shrinkA": 1,
                "shrinkB": 4,
            },
        )
        axes.text(
            1 + _LABEL_AT / width,
            float(place),
            display_name(curve.model),
            transform=axes.transAxes,
            color=style["color"],
            va="center_baseline",
        )


def spread(
    positions: npt.NDArray[np.float64], gap: float, lowest: float, highest: float
) -> npt.NDArray[np.float64]:
    """Move positions (float64 `[N]`) as little as possible so that all are `gap` apart, none is
    above `highest` and, where there is room for that too, none below `lowest`; their order stays.

    Least squares under these constraints is an isotonic regression of the positions less their
    rank times the gap, cut off at the bounds (Best and Chakravarti, Mathematical Programming 47,
    1990).
    """
    order = np.argsort(positions, kind="stable")
    ranks = np.arange(len(positions)) * gap
    fitted = isotonic_regression(positions[order] - ranks).x
    moved: npt.NDArray[np.float64] = (
        np.minimum(np.maximum(fitted, lowest), highest - ranks[-1]) + ranks
    )
    result = np.empty_like(moved)
    result[order] = moved
    return result
