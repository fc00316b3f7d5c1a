"""Figure 1: training loss against epoch, one line a model."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from resnet_sizes.evidence.runs.read import StudyRuns
from resnet_sizes.reporting.figures.curves import (
    Curve,
    curves_of,
    draw_curves,
    label_ends,
    room_for_labels,
)
from resnet_sizes.reporting.figures.style import WIDTH, Box, Language, add_axes, empty_figure
from resnet_sizes.reporting.figures.ticks import number_ticks

_HEIGHT = 3.4
_LEFT, _BOTTOM, _TOP = 0.6, 0.48, 0.12

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


def loss_curves(runs: StudyRuns) -> list[Curve]:
    """Training losses in nats, of the study's first protocol."""
    return curves_of(runs, lambda epoch: epoch.train_loss)


def draw_losses(curves: Sequence[Curve], language: Language) -> Figure:
    """The figure with labels in one language."""
    texts = _TEXTS[language]
    if not curves:
        return empty_figure(texts["empty"])
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    width = WIDTH - _LEFT - room_for_labels(curves)
    height = _HEIGHT - _BOTTOM - _TOP
    axes = add_axes(figure, Box(_LEFT, _BOTTOM, width, height))
    axes.set_xlabel(texts["x"])
    axes.set_ylabel(texts["y"])
    draw_curves(axes, curves)
    top = 1.06 * max(float(curve.values.max()) for curve in curves)
    axes.set_ylim(bottom=0, top=top)
    axes.set_yticks(*number_ticks(0, top, language))
    label_ends(axes, curves, width, height)
    return figure
