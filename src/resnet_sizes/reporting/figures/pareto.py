"""Test accuracy against training minutes, with the Pareto front."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from adjustText import adjust_text
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_sizes.reporting.figures import style
from resnet_sizes.schemas.study.protocol import display_name

_HEIGHT, _LEFT, _RIGHT, _BOTTOM, _TOP = 3.4, 0.6, 0.15, 0.48, 0.36
_LOG_FROM = 20
"""Times that differ by this factor or more would crowd at the left of a linear axis."""
_FRONT_LINE: dict[str, Any] = {"color": style.SOFT_INK, "linewidth": 1.0, "linestyle": (0, (4, 2))}

_CLEAR = 9.0
"""Pixels around the middle of a mark in which no name may stand."""
_SAMPLED_EVERY = 3.0
"""Pixels between the points of a line that names are kept away from."""
_NAME_ROOM = (1.2, 1.3)
"""Names are kept apart as if they were so much wider and higher: a reader's typeface may be wider
than the one that measures them here."""
_MOST_STEPS = 500

_FloatArray = npt.NDArray[np.float64]
_Runs = dict[str, _FloatArray]
"""By model the minutes and percent of its runs: float64 `[2, seeds]`."""


def draw_pareto(context: style.FigureContext) -> Figure:
    """One point per model, the mean, with bars from the lowest to the highest of the seeds.

    The front is a staircase: what the best model that takes no longer reaches. Models off it
    have hollow marks. Computed times are said to be so on the axis.
    """
    points, front = context.numbers.points, context.numbers.front
    if not points:
        return context.empty_figure()
    runs = {each.model: np.array([each.minutes, each.accuracies]) for each in points}
    for values in runs.values():
        values[1] *= 100
    computed = [each.computed for each in points]
    mixed = any(computed) and not all(computed)
    figure = Figure(figsize=(style.WIDTH, _HEIGHT))
    axes = style.add_axes(
        figure, _LEFT, _BOTTOM, style.WIDTH - _LEFT - _RIGHT, _HEIGHT - _BOTTOM - _TOP
    )
    x = "x-computed" if all(computed) else "x-mixed" if mixed else "x"
    axes.set_xlabel(context.text(f"pareto.{x}"))
    axes.set_ylabel(context.text("pareto.y"))
    axes.grid(**style.GRID)
    _set_scales(axes, np.hstack(list(runs.values())), context.language)
    lines = []
    if front and len(runs) > 1:
        lines.append(_staircase(axes, [runs[model] for model in front]))
        axes.plot(*lines[0].T, **_FRONT_LINE)
        _explain(axes, context, [model for model in runs if model not in front])
    for model, values in runs.items():
        on_front = front is None or model in front
        _draw_model(axes, context.look_of(model), values, on_front=on_front)
    names = [
        (display_name(each.model) + "*" * (mixed and each.computed), context.look_of(each.model))
        for each in points
    ]
    _write_names(axes, runs, names, lines)
    return figure


def _set_scales(axes: Axes, runs: _FloatArray, language: str) -> None:
    (shortest, lowest), (longest, highest) = runs.min(axis=1).tolist(), runs.max(axis=1).tolist()
    if shortest > 0 and longest / shortest >= _LOG_FROM:
        low, high = shortest / 1.7, longest * 1.7
        axes.set_xscale("log")
        axes.minorticks_off()
        ticks = style.log_ticks(low, high, language)
    else:
        low, high = 0.0, 1.12 * longest or 1.0
        if shortest > 0.6 * longest:  # from zero on, all would crowd at the right
            margin = max(0.35 * (longest - shortest), 0.03 * longest)
            low, high = shortest - margin, longest + margin
        ticks = style.number_ticks(low, high, language, most=8)
    axes.set_xlim(low, high)
    axes.set_xticks(*ticks)
    margin = max(0.18 * (highest - lowest), (1.0 - (highest - lowest)) / 2)
    low, high = lowest - margin, highest + margin
    axes.set_ylim(low, high)
    axes.set_yticks(*style.number_ticks(max(0.0, low), min(100.0, high), language))


def _staircase(axes: Axes, front: Sequence[_FloatArray]) -> _FloatArray:
    """Its corners from the lower to the right edge of the axes: float64 `[2 * models + 1, 2]`."""
    minutes, accuracies = np.transpose([runs.mean(axis=1) for runs in front])
    x = np.repeat([*minutes, axes.get_xlim()[1]], 2)[:-1]
    return np.column_stack([x, [axes.get_ylim()[0], *np.repeat(accuracies, 2)]])


def _draw_model(axes: Axes, look: dict[str, Any], runs: _FloatArray, *, on_front: bool) -> None:
    color, mean = look["color"], runs.mean(axis=1)
    # None below zero, as the rounding of the mean of equal values would have it.
    reach = np.maximum([mean - runs.min(axis=1), runs.max(axis=1) - mean], 0.0)
    spreads: Any = {"xerr": reach[:, :1], "yerr": reach[:, 1:]} if runs.shape[1] > 1 else {}
    axes.errorbar(
        *mean,
        **spreads,
        color=color,
        marker=look["marker"],
        markersize=7,
        markerfacecolor=color if on_front else "white",
        markeredgewidth=1.3,
        elinewidth=1.1,
        capsize=2.5,
        linestyle="none",
        zorder=3,
    )


def _write_names(
    axes: Axes, runs: _Runs, names: Sequence[tuple[str, Any]], lines: Sequence[_FloatArray]
) -> None:
    """Beside the means, where they cover no mark, bar, line or other name."""
    to_pixels = axes.transData.transform
    means = [values.mean(axis=1) for values in runs.values()]
    for (x, y), values in zip(means, runs.values(), strict=True):
        (left, low), (right, high) = values.min(axis=1), values.max(axis=1)
        lines = [*lines, np.array([(left, y), (right, y)]), np.array([(x, low), (x, high)])]
    clear = np.linspace(-_CLEAR, _CLEAR, 5)
    around = np.stack(np.meshgrid(clear, clear), axis=-1).reshape(-1, 2)
    covered = [_along(to_pixels(line)) for line in lines]
    covered += [to_pixels(mean) + around for mean in means]
    points = axes.transData.inverted().transform(np.vstack(covered))
    texts = [
        axes.text(x, y, name, color=look["color"], ha="center", va="center", zorder=4)
        for (x, y), (name, look) in zip(means, names, strict=True)
    ]
    # With a limit of steps instead of seconds the places are the same on every machine.
    adjust_text(texts, *points.T, ax=axes, expand=_NAME_ROOM, iter_lim=_MOST_STEPS)


def _along(line: _FloatArray) -> _FloatArray:
    """Points on a line through `[N, 2]` pixels, at most `_SAMPLED_EVERY` apart."""
    pieces = [
        np.linspace(start, end, 2 + int(np.hypot(*(end - start)) / _SAMPLED_EVERY))
        for start, end in pairwise(line)
    ]
    return np.vstack(pieces)


def _explain(axes: Axes, context: style.FigureContext, behind: Sequence[str]) -> None:
    """What line and hollow marks mean, above the axes, where nothing can be covered; from the left,
    so that a wider typeface finds room on the right."""
    marks: dict[str, Any] = {context.text("pareto.front"): Line2D([], [], **_FRONT_LINE)}
    if behind:
        hollow: Any = {"markersize": 6, "markeredgewidth": 1.2, "markerfacecolor": "white"}
        marks[context.text("pareto.behind")] = style.model_marks(behind, **hollow)
    style.add_legend(
        axes, marks, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2,
        handlelength=2.4,
    )  # fmt: skip
