"""Test accuracy against training minutes, with the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_sizes.reporting.figures.placement import Rectangle, place_names
from resnet_sizes.reporting.figures.style import (
    FONT_SIZE,
    GRID,
    MODEL_STYLES,
    SMALL,
    SOFT_INK,
    WIDTH,
    Box,
    FigureContext,
    add_axes,
    log_ticks,
    number_ticks,
)
from resnet_sizes.schemas.study.protocol import display_name

_HEIGHT = 3.4
_BOX = Box(0.6, 0.48, WIDTH - 0.6 - 0.15, _HEIGHT - 0.48 - 0.36)
_LOG_FROM = 20
"""Times that differ by this factor or more would crowd at the left of a linear axis."""
_MARK = 0.05  # inches, half of a marker
_THIN = 0.01


@dataclass(frozen=True)
class _Points:
    """The runs of one model: minutes and percent, float64 `[seeds]` each."""

    model: str
    minutes: npt.NDArray[np.float64]
    accuracies: npt.NDArray[np.float64]

    @property
    def mean(self) -> tuple[float, float]:
        """Over the seeds: minutes and percent."""
        return float(self.minutes.mean()), float(self.accuracies.mean())


def draw_pareto(context: FigureContext) -> Figure:
    """One point a model, the mean, with bars from the lowest to the highest of the seeds.

    The front is a staircase: what the best model that takes no longer reaches. Models off it
    have hollow marks. Computed times are said to be so on the axis.
    """
    numbers = context.numbers
    if not numbers.points:
        return context.empty_figure()
    models = [
        _Points(each.model, np.array(each.minutes), 100 * np.array(each.accuracies))
        for each in numbers.points
    ]
    front = [each for name in numbers.front or () for each in models if each.model == name]
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    axes = add_axes(figure, _BOX)
    computed = [each.computed for each in numbers.points]
    mixed = any(computed) and not all(computed)
    x = "x-computed" if all(computed) else "x-mixed" if mixed else "x"
    axes.set_xlabel(context.text(f"pareto.{x}"))
    axes.set_ylabel(context.text("pareto.y"))
    axes.grid(color=GRID, linewidth=0.6)
    _set_scales(axes, models, context.language)
    _draw_front(axes, models, front)
    for each in models:
        _draw_model(axes, each, on_front=numbers.front is None or each in front)
    names = [
        display_name(each.model) + ("*" if mixed and each.computed else "")
        for each in numbers.points
    ]
    _write_names(axes, models, front, names)
    if front and len(models) > 1:
        _explain(axes, context, len(front) < len(models))
    return figure


def _set_scales(axes: Axes, models: Sequence[_Points], language: str) -> None:
    minutes = np.concatenate([points.minutes for points in models])
    shortest, longest = float(minutes.min()), float(minutes.max())
    if shortest > 0 and longest / shortest >= _LOG_FROM:
        low, high = shortest / 1.7, longest * 1.7
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.set_xlim(low, high)
        axes.set_xticks(*log_ticks(low, high, language))
    else:
        low, high = 0.0, 1.12 * longest or 1.0
        if shortest > 0.6 * longest:  # from zero on, all would crowd at the right
            margin = max(0.35 * (longest - shortest), 0.03 * longest)
            low, high = shortest - margin, longest + margin
        axes.set_xlim(low, high)
        axes.set_xticks(*number_ticks(low, high, language, most=8))
    accuracies = np.concatenate([points.accuracies for points in models])
    low, high = float(accuracies.min()), float(accuracies.max())
    margin = max(0.18 * (high - low), (1.0 - (high - low)) / 2)
    axes.set_ylim(low - margin, high + margin)
    axes.set_yticks(*number_ticks(max(0.0, low - margin), min(100.0, high + margin), language))


def _draw_front(axes: Axes, models: Sequence[_Points], front: Sequence[_Points]) -> None:
    if len(models) < 2 or not front:
        return
    right, (bottom, _) = axes.get_xlim()[1], axes.get_ylim()
    means = [each.mean for each in front]
    corners = [(means[0][0], bottom), *means, (right, means[-1][1])]
    x, y = zip(*corners, strict=True)
    axes.plot(x, y, drawstyle="steps-post", color=SOFT_INK, linewidth=1.0, linestyle=(0, (4, 2)))


def _draw_model(axes: Axes, points: _Points, *, on_front: bool) -> None:
    style = MODEL_STYLES[points.model]
    minutes, accuracy = points.mean
    spreads: dict[str, Any] = {}
    if len(points.minutes) > 1:
        spreads = {
            "xerr": _reach(points.minutes, minutes),
            "yerr": _reach(points.accuracies, accuracy),
        }
    axes.errorbar(
        minutes,
        accuracy,
        **spreads,
        color=style["color"],
        marker=style["marker"],
        markersize=7,
        markerfacecolor=style["color"] if on_front else "white",
        markeredgewidth=1.3,
        elinewidth=1.1,
        capsize=2.5,
        linestyle="none",
        zorder=3,
    )


def _reach(values: npt.NDArray[np.float64], middle: float) -> npt.NDArray[np.float64]:
    """How far values reach below and above their mean: float64 `[2, 1]`, none below 0 as the
    rounding of the mean of equal values would have it."""
    return np.maximum([[middle - values.min()], [values.max() - middle]], 0.0)


def _write_names(
    axes: Axes, models: Sequence[_Points], front: Sequence[_Points], names: Sequence[str]
) -> None:
    to_data = axes.transData.inverted()

    def inches(x: float, y: float) -> tuple[float, float]:
        ((across, up),) = axes.transAxes.inverted().transform(axes.transData.transform([(x, y)]))
        return across * _BOX.width, up * _BOX.height

    def bar(start: tuple[float, float], end: tuple[float, float], thick: float) -> Rectangle:
        (left, bottom), (right, top) = inches(*start), inches(*end)
        return Rectangle(left - thick, bottom - thick, right + thick, top + thick)

    marks = []
    for of_model in models:
        mean, (x, y) = of_model.mean, (of_model.minutes, of_model.accuracies)
        marks.append(bar(mean, mean, _MARK))
        marks.append(bar((float(x.min()), mean[1]), (float(x.max()), mean[1]), _THIN))
        marks.append(bar((mean[0], float(y.min())), (mean[0], float(y.max())), _THIN))
    means = [each.mean for each in front]
    bottom, right = axes.get_ylim()[0], axes.get_xlim()[1]
    for position, (minutes, accuracy) in enumerate(means):
        below = means[position - 1][1] if position else bottom
        until = means[position + 1][0] if position + 1 < len(means) else right
        marks.append(bar((minutes, below), (minutes, accuracy), _THIN))
        marks.append(bar((minutes, accuracy), (until, accuracy), _THIN))
    area = Rectangle(0.03, 0.03, _BOX.width + 0.1, _BOX.height)
    places = place_names([inches(*each.mean) for each in models], names, marks, area)
    for of_model, name, place in zip(models, names, places, strict=True):
        at = axes.transAxes.transform((place.x / _BOX.width, place.y / _BOX.height))
        x, y = to_data.transform(at)
        axes.text(
            x, y, name, ha=place.align, color=MODEL_STYLES[of_model.model]["color"],
            fontsize=FONT_SIZE, zorder=4,
        )  # fmt: skip


def _explain(axes: Axes, context: FigureContext, some_are_off: bool) -> None:
    """What line and hollow marks mean, above the axes, where nothing can be covered; from the left,
    so that a wider typeface finds room on the right."""
    shown = [Line2D([], [], color=SOFT_INK, linewidth=1.0, linestyle=(0, (4, 2)))]
    names = [context.text("pareto.front")]
    if some_are_off:
        hollow = Line2D([], [], color=SOFT_INK, marker="o", markersize=6, markeredgewidth=1.2,
                        markerfacecolor="white", linestyle="none")  # fmt: skip
        shown.append(hollow)
        names.append(context.text("pareto.behind"))
    axes.legend(
        shown, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False,
        fontsize=SMALL, borderaxespad=0.2, handlelength=2.4, columnspacing=3,
    )  # fmt: skip
