"""The article's accuracies beside ours."""

from pathlib import Path
from typing import Any

import pytest
from figure_studies import FIVE, made_up, numbers_of, overlaps, runs_of, texts_of

from resnet_sizes.evidence.values.figure_values import is_inside
from resnet_sizes.reporting.figures.forest import draw_forest
from resnet_sizes.reporting.figures.style import settings
from resnet_sizes.schemas.evidence.figures import PrintedAccuracy

INTERVALS = {"pt": "Intervalo de predição de 95%", "en": "95% prediction interval"}


def values_of(folder: Path, **choices: Any) -> list[PrintedAccuracy]:
    return numbers_of(runs_of(folder, full=False, epochs=2, **choices)).printed


def test_accuracies_and_increments_stand_beside_ours(tmp_path: Path) -> None:
    found = values_of(tmp_path, **FIVE)
    assert [(value.column, value.model, value.printed) for value in found] == [
        ("accuracy", "resnet18", "80.84"),
        ("accuracy", "resnet50", "83.55"),
        ("accuracy", "resnet152", "85.94"),
        ("accuracy_increment", "resnet50", "3"),
        ("accuracy_increment", "resnet152", "6"),
    ]
    assert found[0].ours == pytest.approx(80.8, abs=0.1)
    assert found[3].ours == pytest.approx(3.4, abs=0.2)
    assert all(is_inside(value) for value in found)


def test_a_single_run_has_no_interval(tmp_path: Path) -> None:
    found = values_of(tmp_path, seeds=[0])
    assert len(found) == 5
    assert {value.interval for value in found} == {None}
    assert {is_inside(value) for value in found} == {None}


def test_models_without_runs_or_not_in_the_article_are_left_out(tmp_path: Path) -> None:
    missing = ["scratch-32/resnet50/seed-0"]
    found = values_of(tmp_path, seeds=[0], missing=missing)
    assert {value.model for value in found} == {"resnet18", "resnet152"}


def test_increments_over_another_model_than_the_articles_are_left_out(tmp_path: Path) -> None:
    found = values_of(tmp_path, models=["resnet50", "resnet152"])
    assert {value.column for value in found} == {"accuracy"}


@pytest.mark.parametrize(
    ("printed", "inside"), [("80.84", True), ("83", True), ("83.0", False), ("79", False)]
)
def test_the_rounding_of_the_printed_number_counts_for_it(printed: str, inside: bool) -> None:
    value = PrintedAccuracy(
        model="resnet18",
        column="accuracy",
        printed=printed,
        ours=81.5,
        interval=(80.0, 82.6),
        keys=[],
    )
    assert is_inside(value) is inside


@pytest.mark.parametrize("seeds", [(0,), (0, 1), (0, 1, 2)])
@pytest.mark.parametrize("models", [("resnet18",), ("resnet18", "resnet50", "resnet152")])
def test_it_is_readable_with_and_without_intervals(
    tmp_path: Path, seeds: tuple[int, ...], models: tuple[str, ...]
) -> None:
    choices = {"seeds": seeds, "models": models}
    found = values_of(tmp_path, **(FIVE | choices if len(seeds) == 3 else choices))
    for language, interval in INTERVALS.items():
        with settings():
            figure = draw_forest(made_up(language, printed=found))
            assert not list(overlaps(figure))
            texts = {text.get_text() for text in texts_of(figure)}
        assert (interval in texts) == (len(seeds) > 1)


def test_the_articles_marks_differ_from_ours_without_colour(tmp_path: Path) -> None:
    figure = draw_forest(made_up(printed=values_of(tmp_path, seeds=[0])))
    fillings = {
        line.get_marker(): line.get_markerfacecolor()
        for line in figure.axes[0].lines
        if line.get_marker() in ("D", "o", "s", "^")
    }
    assert fillings.pop("D") == "white"
    assert "white" not in fillings.values()


def test_without_any_value_the_figure_says_so() -> None:
    [text] = draw_forest(made_up()).texts
    assert text.get_text() == "nenhum valor do artigo com que comparar"
