"""Lines over the epochs: losses (Figure 1) and accuracies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from figure_studies import made_up, numbers_of, overlaps, runs_of, texts_of
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from resnet_sizes.reporting.figures.curves import draw_accuracies, draw_losses, spread
from resnet_sizes.reporting.figures.style import (
    FigureContext,
    epoch_ticks,
    labels_of,
    log_ticks,
    number_ticks,
    settings,
)
from resnet_sizes.schemas.evidence.figures import ModelCurves

ALL = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


def curves(
    language: str = "pt",
    seeds: int = 3,
    epochs: int = 50,
    ends: tuple[float, float] = (2, 0.1),
) -> FigureContext:
    """Of every model the same; accuracies are a hundredth of the losses."""
    values = np.array([np.linspace(*ends, epochs) + 0.01 * seed for seed in range(seeds)])
    accuracy = (values / 100).tolist()
    found = [
        ModelCurves(
            model=model,
            train_loss=values.tolist(),
            train_accuracy=accuracy,
            test_accuracy=accuracy,
        )
        for model in ALL
    ]
    return made_up(language, curves=found)


def test_the_loss_curves_are_the_training_losses_of_all_seeds(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, epochs=5, full=False, models=["resnet50", "resnet18"])
    found = numbers_of(runs).curves
    assert [curve.model for curve in found] == ["resnet18", "resnet50"]
    losses = np.array(found[1].train_loss)
    assert losses.shape == (3, 5)
    assert losses[0, [0, -1]] == pytest.approx([1.7, 0.5])


def test_the_accuracy_curves_are_those_of_both_parts(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, epochs=4, full=False, models=["resnet18"])
    [found] = numbers_of(runs).curves
    epochs = runs.finished[0].metrics.epochs
    assert found.train_accuracy[0] == [epoch.train_accuracy for epoch in epochs]
    assert found.test_accuracy[0] == [epoch.test_accuracy for epoch in epochs]


def test_accuracies_are_drawn_in_percent() -> None:
    train, _ = draw_accuracies(curves(seeds=1, epochs=3, ends=(20, 80))).axes
    assert train.lines[0].get_ydata() == pytest.approx([20, 50, 80])


def test_a_model_without_a_finished_run_has_no_curve(tmp_path: Path) -> None:
    missing = ["scratch-32/resnet18/seed-0"]
    runs = runs_of(tmp_path, epochs=2, full=False, seeds=[0], missing=missing)
    assert [curve.model for curve in numbers_of(runs).curves] == ["resnet50", "resnet152"]


def test_lines_differ_without_colour() -> None:
    [axes] = draw_losses(curves()).axes
    main = [line for line in axes.lines if len(line.get_xdata()) == 50]
    assert len(main) == len(ALL)
    assert len({line.get_marker() for line in main}) == len(ALL)
    assert len({str(line._unscaled_dash_pattern) for line in main}) == len(ALL)
    assert len({line.get_color() for line in main}) == len(ALL)


def test_colours_stand_out_from_white() -> None:
    # WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text; the labels have the lines' colours.
    [axes] = draw_losses(curves()).axes
    for text in axes.texts:
        if text.get_text():
            channels = [int(str(text.get_color())[i : i + 2], 16) / 255 for i in (1, 3, 5)]
            linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
            luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
            assert 1.05 / (luminance + 0.05) >= 4.5, text.get_text()


@pytest.mark.parametrize(("seeds", "bands"), [(1, 0), (3, len(ALL))])
def test_there_is_a_band_where_there_are_several_seeds(seeds: int, bands: int) -> None:
    many = curves(seeds=seeds)
    for figure in (draw_losses(many), draw_accuracies(many)):
        for axes in figure.axes:
            assert len([c for c in axes.collections if isinstance(c, PolyCollection)]) == bands


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("epochs", [1, 2, 50])
@pytest.mark.parametrize("ends", [(2, 0.1), (40, 100), (0, 0)], ids=["falling", "full", "none"])
def test_labels_of_curves_that_end_together_do_not_overlap(
    epochs: int, language: str, ends: tuple[float, float]
) -> None:
    many = curves(language, epochs=epochs, ends=ends)
    with settings():
        if ends[1]:
            figure = draw_losses(many)
            assert not list(overlaps(figure))
        figure = draw_accuracies(many)
        assert not list(overlaps(figure))
    names = [t for t in texts_of(figure) if t.get_text().startswith("ResNet")]
    assert len(names) == len(ALL)


@pytest.mark.parametrize("draw", [draw_losses, draw_accuracies])
def test_a_study_without_curves_says_so(draw: Callable[[FigureContext], Figure]) -> None:
    assert [text.get_text() for text in draw(made_up()).texts] == ["nenhuma execução concluída"]


@given(st.integers(1, 2000), st.integers(3, 10))
def test_epochs_are_whole_and_in_range(epochs: int, most: int) -> None:
    ticks = epoch_ticks(epochs, most)
    assert ticks == sorted(set(ticks))
    assert 1 <= ticks[0] <= ticks[-1] <= epochs
    assert len(ticks) <= most + 2


@given(st.floats(0, 1000), st.floats(0.001, 1000))
def test_labels_say_where_their_ticks_are(low: float, span: float) -> None:
    ticks, labels = number_ticks(low, low + span, "pt")
    read = [float(label.replace(".", "").replace(",", ".")) for label in labels]
    assert read == pytest.approx(ticks, abs=1e-9)
    assert len({len(label.partition(",")[2]) for label in labels}) <= 1


@given(st.integers(1, 50), st.integers(1, 9))
def test_iterations_are_whole(steps: int, epochs: int) -> None:
    ticks, labels = number_ticks(steps, steps * epochs, "en", 5)
    assert not [label for label in labels if "." in label]
    assert all(steps <= tick <= steps * epochs for tick in ticks)


@given(st.floats(0.001, 1000), st.floats(10, 10_000))
def test_a_logarithmic_axis_has_few_round_ticks(low: float, factor: float) -> None:
    ticks, labels = log_ticks(low, low * factor, "pt")
    assert 2 <= len(ticks) <= 9 or factor < 12
    read = [float(label.replace(".", "").replace(",", ".")) for label in labels]
    assert read == pytest.approx(ticks)


def test_numbers_below_zero_have_a_minus_sign() -> None:
    assert labels_of([-2.5, 0, 2.5], "pt") == ["\u22122,5", "0,0", "2,5"]
    assert labels_of([-2.5, 0], "en") == ["\u22122.5", "0.0"]


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=5),
    st.floats(0.01, 1),
)
def test_spread_positions_keep_their_order_their_distance_and_their_bounds(
    positions: list[float], gap: float
) -> None:
    moved = spread(np.array(positions), gap, lowest=0.0, highest=5.0)
    order = np.argsort(positions, kind="stable")
    assert np.all(np.diff(moved[order]) >= gap - 1e-9)
    assert moved.min() >= 0
    assert moved.max() <= 5 + 1e-9


def test_positions_that_are_far_enough_apart_stay() -> None:
    moved = spread(np.array([3.0, 1.0, 2.0]), 0.5, lowest=0.0, highest=4.0)
    assert moved == pytest.approx([3, 1, 2])
