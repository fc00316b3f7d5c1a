"""Test accuracy against training minutes, with the Pareto front."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from adjustText import adjust_text
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_sizes.reporting.figures.style import (
    FONT_SIZE,
    GRID,
    LEGEND_HANDLERS,
    MODEL_STYLES,
    SMALL,
    SOFT_INK,
    WIDTH,
    Box,
    FigureContext,
    add_axes,
    log_ticks,
    model_marks,
    number_ticks,
)
from resnet_sizes.schemas.study.protocol import display_name

_HEIGHT = 3.4
_BOX = Box(0.6, 0.48, WIDTH - 0.6 - 0.15, _HEIGHT - 0.48 - 0.36)
_LOG_FROM = 20
"""Times that differ by this factor or more would crowd at the left of a linear axis."""
_FRONT_LINE: dict[str, Any] = {"color": SOFT_INK, "linewidth": 1.0, "linestyle": (0, (4, 2))}

_CLEAR = 9.0
"""Pixels around the middle of a mark in which no name may stand."""
_SAMPLED_EVERY = 3.0
"""Pixels between the points of a line that names are kept away from."""
_NAME_ROOM = (1.2, 1.3)
"""Names are kept apart as if they were so much wider and higher: a reader's typeface may be wider
than the one that measures them here."""
_MOST_STEPS = 500

_FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Points:
    """The runs of one model: minutes and percent, float64 `[seeds]` each."""

    model: str
    minutes: _FloatArray
    accuracies: _FloatArray

    @property
    def mean(self) -> tuple[float, float]:
        """Over the seeds: minutes and percent."""
        return float(self.minutes.mean()), float(self.accuracies.mean())


def draw_pareto(context: FigureContext) -> Figure:
    """One point per model, the mean, with bars from the lowest to the highest of the seeds.

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
    corners = _front_corners(axes, front) if len(models) > 1 else []
    if corners:
        axes.plot(*zip(*corners, strict=True), **_FRONT_LINE)
    for each in models:
        _draw_model(axes, each, on_front=numbers.front is None or each in front)
    names = [
        display_name(each.model) + ("*" if mixed and each.computed else "")
        for each in numbers.points
    ]
    _write_names(axes, models, corners, names)
    if corners:
        _explain(axes, context, [each.model for each in models if each not in front])
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


def _front_corners(axes: Axes, front: Sequence[_Points]) -> list[tuple[float, float]]:
    """The corners of the front's staircase from the lower to the right edge of the axes."""
    means = [each.mean for each in front]
    ends = [*(minutes for minutes, _ in means[1:]), axes.get_xlim()[1]]
    corners = [(means[0][0], axes.get_ylim()[0])] if means else []
    for (minutes, accuracy), end in zip(means, ends, strict=False):
        corners += [(minutes, accuracy), (end, accuracy)]
    return corners


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


def _reach(values: _FloatArray, middle: float) -> _FloatArray:
    """How far values reach below and above their mean: float64 `[2, 1]`, none below 0 as the
    rounding of the mean of equal values would have it."""
    return np.maximum([[middle - values.min()], [values.max() - middle]], 0.0)


def _write_names(
    axes: Axes,
    models: Sequence[_Points],
    corners: Sequence[tuple[float, float]],
    names: Sequence[str],
) -> None:
    """Beside the means, where they cover no mark, bar, line or other name."""
    to_pixels = axes.transData.transform
    lines: list[Sequence[tuple[float, float]]] = [corners]
    for each in models:
        (x, y), minutes, accuracies = each.mean, each.minutes, each.accuracies
        lines.append([(float(minutes.min()), y), (float(minutes.max()), y)])
        lines.append([(x, float(accuracies.min())), (x, float(accuracies.max()))])
    covered = [_along(to_pixels(line)) for line in lines if line]
    clear = np.linspace(-_CLEAR, _CLEAR, 5)
    around = np.stack(np.meshgrid(clear, clear), axis=-1).reshape(-1, 2)
    covered += [to_pixels(each.mean) + around for each in models]
    x, y = axes.transData.inverted().transform(np.vstack(covered)).T
    texts = [
        axes.text(*each.mean, name, ha="center", va="center", fontsize=FONT_SIZE, zorder=4)
        for each, name in zip(models, names, strict=True)
    ]
    for each, text in zip(models, texts, strict=True):
        text.set_color(MODEL_STYLES[each.model]["color"])
    # With a limit of steps instead of seconds the places are the same on every machine.
    adjust_text(texts, x, y, ax=axes, expand=_NAME_ROOM, iter_lim=_MOST_STEPS)


def _along(line: _FloatArray) -> _FloatArray:
    """Points on a line through `[N, 2]` pixels, at most `_SAMPLED_EVERY` apart."""
    pieces = [
        np.linspace(start, end, 2 + int(np.hypot(*(end - start)) / _SAMPLED_EVERY))
        for start, end in pairwise(line)
    ]
    return np.vstack(pieces)


def _explain(axes: Axes, context: FigureContext, behind: Sequence[str]) -> None:
    """What line and hollow marks mean, above the axes, where nothing can be covered; from the left,
    so that a wider typeface finds room on the right."""
    shown: list[Any] = [Line2D([], [], **_FRONT_LINE)]
    names = [context.text("pareto.front")]
    if behind:
        shown.append(
            model_marks(behind, markersize=6, markeredgewidth=1.2, markerfacecolor="white")
        )
        names.append(context.text("pareto.behind"))
    axes.legend(
        shown, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False,
        fontsize=SMALL, borderaxespad=0.2, handlelength=2.4, columnspacing=3,
        handler_map=LEGEND_HANDLERS,
    )  # fmt: skip
