"""Accuracy against epoch on the training and on the test images, one line a model."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.reporting.figures.curves import (
    Curve,
    curves_of,
    draw_curves,
    label_ends,
    room_for_labels,
)
from resnet_sizes.reporting.figures.style import (
    FONT_SIZE,
    WIDTH,
    Box,
    Language,
    add_axes,
    empty_figure,
)
from resnet_sizes.reporting.figures.ticks import number_ticks

_HEIGHT = 3.1
_LEFT, _BOTTOM, _TOP, _BETWEEN = 0.6, 0.48, 0.3, 0.22
_ROUND = 2.0
"""Percent: the least that the vertical axis shows."""

_TEXTS = {
    "pt": {
        "x": "Época",
        "y": "Acurácia (%)",
        "train": "Imagens de treinamento",
        "test": "Imagens de teste",
        "empty": "nenhuma execução concluída",
    },
    "en": {
        "x": "Epoch",
        "y": "Accuracy (%)",
        "train": "Training images",
        "test": "Test images",
        "empty": "no finished run",
    },
}


@dataclass(frozen=True)
class AccuracyCurves:
    """Accuracies in percent, of the same models in the same order."""

    train: Sequence[Curve]
    test: Sequence[Curve]


def accuracy_curves(runs: StudyRuns) -> AccuracyCurves:
    """Of the study's first protocol; models without a finished run have none."""
    return AccuracyCurves(
        train=curves_of(runs, lambda epoch: 100 * epoch.train_accuracy),
        test=curves_of(runs, lambda epoch: 100 * epoch.test_accuracy),
    )


def draw_accuracies(curves: AccuracyCurves, language: Language) -> Figure:
    """Two panels with one vertical axis; the lines are named beside the second."""
    texts = _TEXTS[language]
    if not curves.train:
        return empty_figure(texts["empty"])
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    width = (WIDTH - _LEFT - _BETWEEN - room_for_labels(curves.test)) / 2
    height = _HEIGHT - _BOTTOM - _TOP
    low, high = _limits([*curves.train, *curves.test])
    ticks, labels = number_ticks(low, high, language)
    panels = (("train", curves.train), ("test", curves.test))
    for position, (name, own) in enumerate(panels):
        left = _LEFT + position * (width + _BETWEEN)
        axes = add_axes(figure, Box(left, _BOTTOM, width, height))
        axes.set_title(texts[name], loc="left", fontsize=FONT_SIZE, pad=7)
        axes.set_xlabel(texts["x"])
        draw_curves(axes, own, most_ticks=5)
        axes.set_ylim(low, high)
        axes.set_yticks(ticks, labels if position == 0 else [""] * len(ticks))
        if position == 0:
            axes.set_ylabel(texts["y"])
        else:
            label_ends(axes, own, width, height)
    return figure


def _limits(curves: Sequence[Curve]) -> tuple[float, float]:
    low = min(float(curve.values.min()) for curve in curves)
    high = max(float(curve.values.max()) for curve in curves)
    margin = max(0.06 * (high - low), (_ROUND - (high - low)) / 2)
    return max(0.0, low - margin), min(100 + 0.03 * (high - low), high + margin)
