"""Accuracy against training time, and the Pareto front."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from figure_studies import FIVE, context_of, made_up, numbers_of, overlaps, runs_of, texts_of
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from synthetic import own_readings

from resnet_sizes.evidence.values.figure_values import pareto_front
from resnet_sizes.reporting.figures.pareto import draw_pareto
from resnet_sizes.reporting.figures.style import FigureContext, look_of, settings
from resnet_sizes.schemas.evidence.figures import ModelPoints
from resnet_sizes.schemas.study.networks import display_name

ALL = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
MARKS = {look_of(model)["marker"] for model in ALL}


def points(*places: tuple[float, float], spread: float = 0) -> FigureContext:
    """One model for each place, of minutes and percent."""
    named = dict(zip(ALL, places, strict=False))
    models = [
        ModelPoints(
            model=model,
            minutes=[minutes * (1 - spread), minutes * (1 + spread)],
            accuracies=[min(max(percent + sign * spread, 0), 100) / 100 for sign in (-1, 1)],
            computed=False,
        )
        for model, (minutes, percent) in named.items()
    ]
    return made_up(points=models, front=pareto_front(named))


def test_the_front_holds_what_nothing_beats() -> None:
    found = pareto_front({"a": (3, 0.9), "b": (1, 0.8), "c": (2, 0.8), "d": (2.5, 0.85)})
    assert found == ["b", "d", "a"]


def test_equal_points_are_both_on_the_front() -> None:
    assert pareto_front({"a": (1, 0.9), "b": (1, 0.9)}) == ["a", "b"]


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=5))
def test_along_the_front_more_time_is_more_accuracy(places: list[tuple[int, int]]) -> None:
    named = {str(number): place for number, place in enumerate(places)}
    front = [named[name] for name in pareto_front(named)]
    assert front == sorted(front)
    distinct = sorted(set(front))
    assert distinct == sorted(distinct, key=lambda place: place[1])
    fastest, best = min(places)[0], max(accuracy for _, accuracy in places)
    assert front[0][0] == fastest
    assert front[-1][1] == best


def test_points_are_the_runs_of_the_first_protocol(tmp_path: Path) -> None:
    found = numbers_of(runs_of(tmp_path, full=False, epochs=2, **FIVE))
    assert [point.model for point in found.points] == list(ALL)
    assert found.points[0].minutes == pytest.approx([41, 42, 40])
    assert found.points[0].accuracies == pytest.approx([0.808, 0.811, 0.805], abs=5e-4)
    assert found.front == ["resnet18", "resnet34", "resnet50", "resnet152"]


def test_times_of_several_devices_have_no_front(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, full=False, epochs=2)
    device = runs.finished[0].metrics.device.model_copy(update={"name": "another"})
    object.__setattr__(runs.finished[0].metrics, "device", device)
    found = numbers_of(runs)
    assert found.front is None
    assert not draw_pareto(context_of(found)).axes[0].get_legend()


@pytest.mark.parametrize(
    ("protocol", "label"),
    [
        ("probe-224", "Tempo de treinamento calculado (min)"),
        ("literal", "Tempo de treinamento (min; * calculado)"),
        ("scratch-32", "Tempo de treinamento (min)"),
    ],
)
def test_the_axis_says_what_is_computed(tmp_path: Path, protocol: str, label: str) -> None:
    runs = runs_of(
        tmp_path, full=False, epochs=2, protocols=[protocol], readings=own_readings(protocol)
    )
    figure = draw_pareto(context_of(numbers_of(runs)))
    assert figure.axes[0].get_xlabel() == label
    names = {text.get_text() for text in figure.axes[0].texts}
    assert ("ResNet-152*" in names) == (protocol == "literal")


def test_models_off_the_front_have_hollow_marks() -> None:
    [axes] = draw_pareto(points((1, 80), (2, 70), (3, 90))).axes
    marks = {line.get_marker(): line.get_markerfacecolor() for line in axes.lines}
    assert marks["D"] == "white"
    assert marks["o"] != "white"
    assert len(axes.get_legend().get_texts()) == 2


def test_times_that_differ_much_stand_on_a_logarithmic_axis() -> None:
    assert draw_pareto(points((1, 80), (19, 90))).axes[0].get_xscale() == "linear"
    assert draw_pareto(points((1, 80), (20, 90))).axes[0].get_xscale() == "log"


CASES: dict[str, tuple[tuple[float, float], ...]] = {
    "article": ((41, 80.84), (112, 83.55), (262, 85.94)),
    "close": ((41, 80.84), (42, 80.9), (43, 80.8)),
    "falling": ((41, 90), (112, 85), (262, 80)),
    "five": ((41, 80.8), (70, 81.2), (112, 83.5), (190, 83.4), (262, 85.9)),
    "wide": ((0.4, 80), (3, 82), (90, 81)),
    "one": ((41, 80.84),),
    "same": ((41, 80.84), (41, 80.84)),
    "perfect": ((41, 100), (112, 100), (262, 100)),
    "none": ((41, 0), (112, 0), (262, 0)),
}


def drawn_points(axes: Axes) -> npt.NDArray[np.float64]:
    """Pixels, close to one another, on every mark, bar and line: float64 `[N, 2]`."""
    paths = [
        (line.get_path(), line.get_transform())
        for line in axes.lines
        if line.get_linestyle() != "None"
    ]
    for bars in axes.collections:
        paths += [(path, bars.get_transform()) for path in bars.get_paths()]
    found = [transform.transform_path(path).interpolated(200).vertices for path, transform in paths]
    for line in axes.lines:
        if line.get_marker() in MARKS:
            middles = line.get_transform().transform(line.get_xydata())
            reach = line.get_markersize() / 2 * axes.figure.dpi / 72
            square = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])
            found += [middle + reach * square for middle in middles]
    return np.vstack(found)


@pytest.mark.parametrize("spread", [0, 0.03])
@pytest.mark.parametrize("case", CASES)
def test_names_cover_neither_each_other_nor_what_is_drawn(case: str, spread: float) -> None:
    with settings():
        figure = draw_pareto(points(*CASES[case], spread=spread))
        assert not list(overlaps(figure))
        [axes] = figure.axes
        names = [text for text in texts_of(figure) if text.get_text().startswith("ResNet")]
        assert len(names) == len(CASES[case])
        covered = drawn_points(axes)
        area = axes.get_window_extent()
        for name in names:
            box: Any = name.get_window_extent()
            assert area.count_contains(box.corners()) == 4, name.get_text()
            assert not box.count_contains(covered), name.get_text()


def test_names_stand_beside_their_own_points() -> None:
    with settings():
        figure = draw_pareto(points(*CASES["five"]))
        figure.draw_without_rendering()
        [axes] = figure.axes
        middles = axes.transData.transform(CASES["five"])
        for position, model in enumerate(ALL):
            [name] = [t for t in texts_of(figure) if t.get_text() == display_name(model)]
            box = name.get_window_extent()
            away = np.abs(middles - (box.p0 + box.p1) / 2) - box.size / 2
            assert np.hypot(*np.maximum(away, 0).T).argmin() == position, model


def test_names_stand_at_the_same_places_every_time() -> None:
    with settings():
        places = [
            [text.get_position() for text in draw_pareto(points(*CASES["five"])).axes[0].texts]
            for _ in range(2)
        ]
    assert places[0] == places[1]
