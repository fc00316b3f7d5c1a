"""Losses and accuracies over the epochs: a line for each model, named at its end."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.optimize import isotonic_regression

from resnet_sizes.reporting.figures import style
from resnet_sizes.schemas.study.protocol import display_name

_FloatArray = npt.NDArray[np.float64]
_Curves = dict[str, _FloatArray]
"""By model a quantity in each epoch: float64 `[seeds, epochs]`."""

_LEFT, _BOTTOM, _BETWEEN = 0.6, 0.48, 0.22
_LOG_FROM = 30
"""From this ratio of the highest to the lowest loss on, the axis is logarithmic: else the last
epochs of all models would lie on the bottom."""
_LEAST_SPAN = 2.0
"""Percent: the least that the vertical axis of the accuracies shows."""

_LINE: Any = {"linewidth": 1.5, "markersize": 4.5}
_MARKERS_PER_LINE = 8
_KEY = (0.13, 0.31, 0.49)
"""Start, marker and end of the piece of line beside a label, in inches from the axes."""
_LABEL_AT = _KEY[-1] + 0.06


def draw_losses(context: style.FigureContext) -> Figure:
    """Figure 1: training losses in nats."""
    losses = {each.model: np.array(each.train_loss) for each in context.numbers.curves}
    if not losses:
        return context.empty_figure()
    figure = _draw_panels(context, [losses], height=3.4, top=0.12, most_ticks=10)
    [axes] = figure.axes
    low, high = _range(losses.values())
    if low > 0 and high / low >= _LOG_FROM:
        low, high = low / 1.3, high * 1.3
        axes.set_yscale("log")
        axes.minorticks_off()
        axes.set_ylabel(context.text("loss.y-log"))
        ticks = style.log_ticks(low, high, context.language)
    else:
        low, high = 0.0, 1.06 * high
        axes.set_ylabel(context.text("loss.y"))
        ticks = style.number_ticks(low, high, context.language)
    axes.set_ylim(low, high)
    axes.set_yticks(*ticks)
    _name_curves(axes, context, losses)
    return figure


def draw_accuracies(context: style.FigureContext) -> Figure:
    """Accuracies in percent on the training and on the test images, by epoch."""
    return _draw_shares(context, "accuracy", lambda accuracies: 100 * accuracies)


def draw_errors(context: style.FigureContext) -> Figure:
    """Errors in percent on the training and on the test images, by iteration."""
    return _draw_shares(context, "error", lambda right: 100 - 100 * right, context.steps)


def _draw_shares(
    context: style.FigureContext,
    name: str,
    shown: Callable[[_FloatArray], _FloatArray],
    steps: int = 0,
) -> Figure:
    """What is shown of the fractions classified rightly: two panels with one vertical axis; the
    lines are named beside the second."""
    found = context.numbers.curves
    if not found:
        return context.empty_figure()
    train = {each.model: shown(np.array(each.train_accuracy)) for each in found}
    test = {each.model: shown(np.array(each.test_accuracy)) for each in found}
    figure = _draw_panels(context, [train, test], height=3.1, top=0.3, most_ticks=5, steps=steps)
    low, high = _range([*train.values(), *test.values()])
    margin = max(0.06 * (high - low), (_LEAST_SPAN - (high - low)) / 2)
    low, high = max(0.0, low - margin), min(100 + 0.03 * (high - low), high + margin)
    ticks, labels = style.number_ticks(low, high, context.language)
    first, second = figure.axes
    for axes, part in ((first, "train"), (second, "test")):
        axes.set_title(context.text(f"accuracy.{part}"), loc="left", pad=7)
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, labels if axes is first else [""] * len(ticks))
    first.set_ylabel(context.text(f"{name}.y"))
    _name_curves(second, context, test)
    return figure


def _range(arrays: Iterable[_FloatArray]) -> tuple[float, float]:
    """The lowest and the highest value."""
    values = np.concatenate([array.ravel() for array in arrays])
    return float(values.min()), float(values.max())


def _draw_panels(
    context: style.FigureContext,
    panels: Sequence[_Curves],
    *,
    height: float,
    top: float,
    most_ticks: int,
    steps: int = 0,
) -> Figure:
    """Panels beside each other, with room for the names of the lines on their right.

    A line is the mean over the seeds; where there are several, a band reaches from the lowest to
    the highest. Epochs are counted, or iterations where an epoch has so many `steps`. `height` and
    the room on `top` are in inches. The limits of the vertical axes are left to the caller.
    """
    figure = Figure(figsize=(style.WIDTH, height))
    names = _LABEL_AT + style.text_width(map(display_name, panels[0])) + 0.08
    width = (style.WIDTH - _LEFT - _BETWEEN * (len(panels) - 1) - names) / len(panels)
    for position, curves in enumerate(panels):
        left = _LEFT + position * (width + _BETWEEN)
        axes = style.add_axes(figure, left, _BOTTOM, width, height - _BOTTOM - top)
        axes.set_xlabel(context.text("iteration" if steps else "epoch"))
        axes.grid(axis="y", **style.GRID)
        for place, (model, values) in enumerate(curves.items()):
            _draw_curve(axes, context.look_of(model), values, place)
        epochs = values.shape[1]
        margin = 0.03 * (epochs - 1) or 0.5
        axes.set_xlim(1 - margin, epochs + margin)
        axes.set_xticks(style.epoch_ticks(epochs, most_ticks))
        if steps:
            ticks, labels = style.number_ticks(steps, epochs * steps, context.language, most_ticks)
            axes.set_xticks([tick / steps for tick in ticks], labels)
    return figure


def _draw_curve(axes: Axes, look: dict[str, Any], values: _FloatArray, place: int) -> None:
    seeds, count = values.shape
    epochs = np.arange(1, count + 1)
    if seeds > 1:
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(epochs, low, high, color=look["color"], alpha=0.18, linewidth=0)
    step = max(1, count // _MARKERS_PER_LINE)
    # Staggered, so that markers of curves that lie on each other stay apart.
    marked = (place * step // 3 % step, step)
    axes.plot(epochs, values.mean(axis=0), markevery=marked, **_LINE, **look)


def _name_curves(axes: Axes, context: style.FigureContext, curves: _Curves) -> None:
    """Name each line at its end, apart from one another where the ends are close. The limits of
    the axes must be set."""
    dpi = axes.figure.dpi
    width, height = axes.bbox.width / dpi, axes.bbox.height / dpi
    ends = np.array([(values.shape[1], values.mean(axis=0)[-1]) for values in curves.values()])
    # In fractions of the height, whatever the scale of the axis.
    heights = (axes.transData + axes.transAxes.inverted()).transform(ends)[:, 1]
    gap, half_line = 1.35 * style.FONT_SIZE / 72 / height, style.FONT_SIZE / 144 / height
    places = spread(heights, gap, lowest=half_line, highest=1 - half_line)
    in_axes: Any = {"transform": axes.transAxes}
    key = [1 + inches / width for inches in _KEY]
    for model, end, place in zip(curves, ends, places.tolist(), strict=True):
        look = context.look_of(model)
        # A piece of the line, since in grey a label's colour does not say whose it is.
        axes.plot(key, [place] * 3, markevery=[1], clip_on=False, **in_axes, **_LINE, **look)
        leader: Any = {"arrowstyle": "-", "color": look["color"], "linewidth": 0.5}
        axes.annotate(
            "",
            xy=tuple(end),
            xytext=(key[0], place),
            textcoords=axes.transAxes,
            annotation_clip=False,
            arrowprops=leader | {"shrinkA": 1, "shrinkB": 4},
        )
        label: Any = {"color": look["color"], "va": "center_baseline"}
        axes.text(1 + _LABEL_AT / width, place, display_name(model), **in_axes, **label)


def spread(positions: _FloatArray, gap: float, lowest: float, highest: float) -> _FloatArray:
    """Move positions (float64 `[N]`) as little as possible so that all are `gap` apart, none is
    above `highest` and, where there is room for that too, none below `lowest`; their order stays.

    Least squares under these constraints is an isotonic regression of the positions less their
    rank times the gap, cut off at the bounds (Best and Chakravarti, Mathematical Programming 47,
    1990).
    """
    order = np.argsort(positions, kind="stable")
    ranks = np.arange(len(positions)) * gap
    fitted = isotonic_regression(positions[order] - ranks).x
    moved = np.empty_like(positions)
    moved[order] = np.minimum(np.maximum(fitted, lowest), highest - ranks[-1]) + ranks
    return moved
