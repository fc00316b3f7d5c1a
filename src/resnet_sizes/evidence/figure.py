"""Figure 1: training loss against epoch, one line a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.optimize import isotonic_regression

from resnet_sizes.evidence.measurements import by_depth, display_name
from resnet_sizes.evidence.runs import StudyRuns
from resnet_sizes.records.files import write_atomically

Language = Literal["pt", "en"]
FORMATS = ("svg", "png", "pdf")

_WIDTH, _HEIGHT = 6.3, 3.5  # inches: the text width of an A4 page
_FONT_SIZE = 9
_MARKERS_PER_LINE = 8

# Okabe and Ito's hues, which colour-blind readers tell apart, darkened where text on white
# would be too pale. Each model also has a dash pattern and a marker of its own, for grey print.
_STYLES: dict[str, dict[str, Any]] = {
    "resnet18": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "resnet34": {"color": "#000000", "linestyle": (0, (1, 1)), "marker": "D"},
    "resnet50": {"color": "#BF5000", "linestyle": (0, (4, 1.5)), "marker": "s"},
    "resnet101": {"color": "#A8568A", "linestyle": (0, (3, 1, 1, 1, 1, 1)), "marker": "v"},
    "resnet152": {"color": "#00805F", "linestyle": (0, (5, 1.2, 1, 1.2)), "marker": "^"},
}

_LINE: dict[str, Any] = {"linewidth": 1.6, "markersize": 4.5}
_KEY = (1.03, 1.07, 1.11)
"""Start, marker and end of the piece of line beside a label, in widths of the axes."""

_TEXTS = {
    "pt": {
        "x": "Época",
        "y": "Perda de treinamento (entropia cruzada)",
        "empty": "nenhuma execução concluída",
    },
    "en": {
        "x": "Epoch",
        "y": "Training loss (cross-entropy)",
        "empty": "no finished run",
    },
}

_RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so it is the same everywhere
    "font.size": _FONT_SIZE,
    # Text stays text: it can be searched, copied and read aloud.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    # Without these two, ids and dates would make the bytes differ from one build to the next.
    "svg.hashsalt": "resnet-sizes",
}
_METADATA: dict[str, dict[str, str | None]] = {
    "svg": {"Date": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None},
}


@dataclass(frozen=True)
class LossCurve:
    """Training losses of one model: float64 `[seeds, epochs]`, in nats."""

    model: str
    losses: npt.NDArray[np.float64]


def loss_curves(runs: StudyRuns) -> list[LossCurve]:
    """The curves of the study's first protocol, from shallow to deep; models without a finished
    run have none."""
    protocol = runs.study.protocols[0]
    curves = []
    for model in by_depth(runs.study.models):
        finished = runs.of(protocol, model)
        if finished:
            losses = [[epoch.train_loss for epoch in run.metrics.epochs] for run in finished]
            curves.append(LossCurve(model, np.array(losses, dtype=np.float64)))
    return curves


def write_figure(curves: Sequence[LossCurve], path: Path, language: Language) -> None:
    """Write the figure atomically, in the format of the path's suffix (svg, png or pdf).

    A line is the mean over the seeds; where there are several, a band reaches from the lowest
    to the highest. Equal curves give equal bytes with the same version of matplotlib.
    """
    suffix = path.suffix.removeprefix(".")
    with mpl.rc_context(_RC):
        figure = draw(curves, language)
        write_atomically(
            path,
            lambda target: figure.savefig(
                target, format=suffix, dpi=200, metadata=_METADATA[suffix]
            ),
        )


def draw(curves: Sequence[LossCurve], language: Language) -> Figure:
    """The figure with labels in one language."""
    texts = _TEXTS[language]
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(texts["x"])
    axes.set_ylabel(texts["y"])
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    if not curves:
        axes.set(xticks=[], yticks=[])
        axes.text(0.5, 0.5, texts["empty"], transform=axes.transAxes, ha="center", va="center")
        return figure
    for position, curve in enumerate(curves):
        _draw_curve(axes, curve, position)
    epochs = curves[0].losses.shape[1]
    margin = 0.03 * (epochs - 1) or 0.5
    axes.set_xlim(1 - margin, epochs + margin)
    axes.set_xticks(epoch_ticks(epochs))
    top = 1.06 * max(float(curve.losses.max()) for curve in curves)
    axes.set_ylim(bottom=0, top=top)
    axes.set_yticks(*loss_ticks(top, language))
    _label_ends(figure, axes, curves)
    return figure


def _draw_curve(axes: Axes, curve: LossCurve, position: int) -> None:
    seeds, count = curve.losses.shape
    epochs = np.arange(1, count + 1)
    style = _STYLES[curve.model]
    if seeds > 1:
        low, high = curve.losses.min(axis=0), curve.losses.max(axis=0)
        axes.fill_between(epochs, low, high, color=style["color"], alpha=0.18, linewidth=0)
    step = max(1, count // _MARKERS_PER_LINE)
    axes.plot(
        epochs,
        curve.losses.mean(axis=0),
        # Staggered, so that markers of curves that lie on each other stay apart.
        markevery=(position * step // 3 % step, step),
        **_LINE,
        **style,
    )


def _label_ends(figure: Figure, axes: Axes, curves: Sequence[LossCurve]) -> None:
    """Name each line at its end, apart from one another where the ends are close."""
    ends = np.array([curve.losses[:, -1].mean() for curve in curves])
    bottom, top = axes.get_ylim()
    figure.draw_without_rendering()  # the layout decides how high the axes are
    height = axes.get_window_extent().height / figure.dpi * 72
    gap = 1.35 * _FONT_SIZE / height * (top - bottom)
    count = curves[0].losses.shape[1]
    right_of_axes = axes.get_yaxis_transform()  # x in axes' widths, y in losses
    for curve, end, place in zip(curves, ends, spread(ends, gap, lowest=bottom), strict=True):
        style = _STYLES[curve.model]
        start, middle, stop = _KEY
        # A piece of the line, since in grey a label's colour does not say whose it is.
        axes.plot(
            [start, middle, stop],
            [place] * 3,
            transform=right_of_axes,
            clip_on=False,
            markevery=[1],
            **_LINE,
            **style,
        )
        axes.annotate(
            "",
            xy=(count, end),
            xytext=(start, float(place)),
            textcoords=right_of_axes,
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
            stop + 0.012,
            float(place),
            display_name(curve.model),
            transform=right_of_axes,
            color=style["color"],
            va="center",
        )


def spread(
    positions: npt.NDArray[np.float64], gap: float, lowest: float
) -> npt.NDArray[np.float64]:
    """Move positions (float64 `[N]`) as little as possible so that all are `gap` apart and
    none is below `lowest`; their order stays.

    Least squares under these constraints is an isotonic regression of the positions less their
    rank times the gap (Best and Chakravarti, Mathematical Programming 47, 1990).
    """
    order = np.argsort(positions, kind="stable")
    ranks = np.arange(len(positions)) * gap
    moved: npt.NDArray[np.float64] = (
        np.maximum(isotonic_regression(positions[order] - ranks).x, lowest) + ranks
    )
    result = np.empty_like(moved)
    result[order] = moved
    return result


def epoch_ticks(epochs: int) -> list[int]:
    """Whole epochs in even steps, and the first where there is room for it."""
    steps = MaxNLocator(nbins=10, integer=True, steps=[1, 2, 5, 10]).tick_values(1, epochs)
    ticks = [round(tick) for tick in steps if 1 <= tick <= epochs]
    if len(ticks) > 1 and ticks[0] - 1 > (ticks[1] - ticks[0]) / 2:
        ticks.insert(0, 1)
    return ticks or [1]


def loss_ticks(top: float, language: Language) -> tuple[list[float], list[str]]:
    """Ticks from 0 up to `top` with their labels, all with the same number of decimals."""
    values = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(0, top)
    # Without the noise of binary fractions.
    ticks = [float(f"{value:.6g}") for value in values if 0 <= value <= top]
    decimals = max(len(f"{tick:g}".partition(".")[2]) for tick in ticks)
    labels = [f"{tick:.{decimals}f}" for tick in ticks]
    if language == "pt":
        labels = [label.replace(".", ",") for label in labels]
    return ticks, labels
