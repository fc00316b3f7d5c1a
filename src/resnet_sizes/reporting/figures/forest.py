"""The article's accuracies beside ours, with prediction intervals: a forest plot."""

from collections.abc import Sequence
from typing import Any, get_args

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_sizes.i18n.numbers import percent
from resnet_sizes.reporting.figures.style import (
    FONT_SIZE,
    GRID,
    INK,
    LEGEND_HANDLERS,
    MODEL_STYLES,
    SMALL,
    SOFT_INK,
    WIDTH,
    Box,
    FigureContext,
    add_axes,
    mark_value,
    model_marks,
    number_ticks,
    text_width,
)
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.schemas.evidence.figures import AccuracyColumn, PrintedAccuracy
from resnet_sizes.schemas.study.protocol import by_depth, display_name

_ROW, _BOTTOM, _TOP, _BETWEEN = 0.36, 0.5, 0.36, 0.3
_APART = 0.15
"""Rows: how far the article's mark is above the middle and ours below it."""

_ARTICLE: dict[str, Any] = {
    "marker": "D",
    "markersize": 5.5,
    "color": INK,
    "markerfacecolor": "white",
    "markeredgewidth": 1.2,
    "linestyle": "none",
}


def draw_forest(context: FigureContext) -> Figure:
    """One row per model, a panel for accuracies and one for increments where there are any."""
    values = context.numbers.printed
    if not values:
        return context.empty_figure("forest.empty")
    models = by_depth(list({value.model for value in values}))
    columns = [
        column for column in get_args(AccuracyColumn) if any(v.column == column for v in values)
    ]
    names = [display_name(model) for model in models]
    height = _BOTTOM + _ROW * len(models) + _TOP
    figure = Figure(figsize=(WIDTH, height))
    left = max(text_width(name) for name in names) + 0.15
    width = (WIDTH - left - 0.12 - _BETWEEN * (len(columns) - 1)) / len(columns)
    for position, column in enumerate(columns):
        box = Box(left + position * (width + _BETWEEN), _BOTTOM, width, _ROW * len(models))
        axes = add_axes(figure, box)
        own = [value for value in values if value.column == column]
        _draw_panel(axes, own, models, context.language)
        axes.set_xlabel(context.text(f"forest.{column}"))
        axes.set_yticks(range(len(models)), names if position == 0 else [""] * len(models))
        axes.tick_params(axis="y", length=0, labelsize=FONT_SIZE)
    _explain(figure, context, left, height)
    return figure


def _draw_panel(
    axes: Axes, values: Sequence[PrintedAccuracy], models: Sequence[str], language: str
) -> None:
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    for boundary in range(1, len(models)):
        axes.axhline(boundary - 0.5, color=GRID, linewidth=0.6)
    for value in values:
        row = models.index(value.model)
        style = MODEL_STYLES[value.model]
        error = None
        if value.interval is not None:
            low, high = value.interval
            # The bounds are cut off where no run can be, our mean never is beyond them.
            error = [[max(0.0, value.ours - low)], [max(0.0, high - value.ours)]]
        axes.errorbar(
            value.ours,
            row + _APART,
            xerr=error,
            color=style["color"],
            marker=style["marker"],
            markersize=5.5,
            elinewidth=1.4,
            capsize=3,
            linestyle="none",
            zorder=3,
        )
        axes.plot(float(value.printed), row - _APART, zorder=4, **_ARTICLE)
    axes.set_ylim(len(models) - 0.5, -0.5)
    low, high = _limits(values)
    axes.set_xlim(low, high)
    axes.set_xticks(*number_ticks(low, high, language, most=6))


def _limits(values: Sequence[PrintedAccuracy]) -> tuple[float, float]:
    """Room for every mark and interval; zero belongs to increments."""
    shown = [number for value in values for number in (value.ours, float(value.printed))]
    shown += [bound for value in values for bound in value.interval or ()]
    if values[0].column == "accuracy_increment":
        shown.append(0.0)
    low, high = min(shown), max(shown)
    margin = max(0.06 * (high - low), (2.0 - (high - low)) / 2)
    return low - margin, high + margin


def _explain(figure: Figure, context: FigureContext, left: float, height: float) -> None:
    """Above the panels, from the left, so that a wider typeface finds room on the right."""
    printed = context.numbers.printed
    models = dict.fromkeys(value.model for value in printed)
    shown: list[Any] = [Line2D([], [], **_ARTICLE), model_marks(list(models), markersize=5.5)]
    names = [context.text("forest.article"), context.text("forest.ours")]
    has_intervals = any(value.interval for value in printed)
    if has_intervals:
        ends: dict[str, Any] = {"marker": "|", "markersize": 6, "markeredgewidth": 1.4}
        shown.append(Line2D([], [], color=SOFT_INK, linewidth=1.4, **ends))
        confidence = Safe(percent(context.numbers.confidence, context.language, 0))
        names.append(context.text("forest.interval", confidence=confidence))
    legend = figure.legend(
        shown, names, loc="upper left", bbox_to_anchor=(left / WIDTH, 1 - 0.02 / height),
        ncols=3, frameon=False, fontsize=SMALL, borderaxespad=0, handlelength=3.0,
        columnspacing=3,
        handler_map=LEGEND_HANDLERS,
    )  # fmt: skip
    if has_intervals:
        mark_value(legend.get_texts()[-1], "method.confidence")
