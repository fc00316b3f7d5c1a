"""The article's accuracies beside ours, with prediction intervals: a forest plot."""

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from resnet_sizes.i18n.numbers import percent
from resnet_sizes.reporting.figures import style
from resnet_sizes.reporting.text.escaping import Safe
from resnet_sizes.schemas.article.columns import COLUMNS
from resnet_sizes.schemas.evidence.figures import PrintedAccuracy
from resnet_sizes.schemas.study.protocol import by_depth, display_name

_ROW, _BOTTOM, _TOP, _BETWEEN = 0.36, 0.5, 0.36, 0.3
_APART = 0.15
"""Rows: how far the article's mark is above the middle and ours below it."""

_MARK: Any = {"markersize": 5.5, "linestyle": "none"}
_ARTICLE: Any = _MARK | {
    "marker": "D", "color": style.INK, "markerfacecolor": "white", "markeredgewidth": 1.2
}  # fmt: skip
_INTERVAL: Any = {"marker": "|", "markersize": 6, "markeredgewidth": 1.4, "linewidth": 1.4}


def draw_forest(context: style.FigureContext) -> Figure:
    """One row per model, a panel for accuracies and one for increments where there are any."""
    values = context.numbers.printed
    if not values:
        return context.empty_figure("forest.empty")
    by_column = {
        column: [value for value in values if value.column == column]
        for column in dict.fromkeys(value.column for value in values)
    }
    models = by_depth(list({value.model for value in values}))
    names = [display_name(model) for model in models]
    height = _ROW * len(models)
    figure = Figure(figsize=(style.WIDTH, _BOTTOM + height + _TOP))
    left = style.text_width(names) + 0.15
    width = (style.WIDTH - left - 0.12 - _BETWEEN * (len(by_column) - 1)) / len(by_column)
    for position, (column, own) in enumerate(by_column.items()):
        axes = style.add_axes(figure, left + position * (width + _BETWEEN), _BOTTOM, width, height)
        _draw_panel(axes, own, models, context)
        axes.set_xlabel(context.text(f"forest.{column}"))
        axes.set_yticks(range(len(models)), names if position == 0 else [""] * len(models))
        axes.tick_params(axis="y", length=0, labelsize=style.FONT_SIZE)
    _explain(figure, context, left / style.WIDTH)
    return figure


def _draw_panel(
    axes: Axes, values: Sequence[PrintedAccuracy], models: list[str], context: style.FigureContext
) -> None:
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", **style.GRID)
    for boundary in range(1, len(models)):
        axes.axhline(boundary - 0.5, **style.GRID)
    shown = []
    for value in values:
        ours, printed = value.ours, float(value.printed)
        low, high = value.interval or (ours, ours)
        shown += [ours, printed, low, high]
        row, look = models.index(value.model), context.look_of(value.model)
        axes.errorbar(
            ours,
            row + _APART,
            # The bounds are cut off where no run can be, our mean never is beyond them.
            xerr=[[max(0.0, ours - low)], [max(0.0, high - ours)]] if value.interval else None,
            color=look["color"],
            marker=look["marker"],
            elinewidth=1.4,
            capsize=3,
            zorder=3,
            **_MARK,
        )
        axes.plot(printed, row - _APART, zorder=4, **_ARTICLE)
    if COLUMNS[values[0].column].over_base:
        shown.append(0.0)  # in sight, since an increment is more or less than it
    low, high = min(shown), max(shown)
    margin = max(0.06 * (high - low), (2.0 - (high - low)) / 2)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set_xlim(low - margin, high + margin)
    axes.set_xticks(*style.number_ticks(low - margin, high + margin, context.language))


def _explain(figure: Figure, context: style.FigureContext, left: float) -> None:
    """Above the panels, from the left, so that a wider typeface finds room on the right."""
    printed = context.numbers.printed
    marks: dict[str, Any] = {
        context.text("forest.article"): Line2D([], [], **_ARTICLE),
        context.text("forest.ours"): style.model_marks(
            dict.fromkeys(value.model for value in printed), markersize=5.5
        ),
    }
    has_intervals = any(value.interval for value in printed)
    if has_intervals:
        confidence = Safe(percent(context.numbers.confidence, context.language, 0))
        name = context.text("forest.interval", confidence=confidence)
        marks[name] = Line2D([], [], color=style.SOFT_INK, **_INTERVAL)
    top = 1 - 0.02 / figure.get_figheight()
    legend = style.add_legend(
        figure, marks, loc="upper left", bbox_to_anchor=(left, top), ncols=3, borderaxespad=0,
        handlelength=3.0,
    )  # fmt: skip
    if has_intervals:
        legend.get_texts()[-1].set_gid(f"{style.VALUE_ID}method.confidence")
