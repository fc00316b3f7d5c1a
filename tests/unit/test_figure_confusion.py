"""Confusion matrices: the counts, the shares, the panels."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from figure_studies import made_up, numbers_of, overlaps, runs_of
from matplotlib.colors import rgb_to_hsv, to_rgb

from resnet_sizes.evidence.values.figure_values import (
    Shares,
    confusion_cells,
    hardest_class,
    largest_confusion,
    mean_shares,
)
from resnet_sizes.reporting.figures.confusion import _COLOURS, draw_confusion
from resnet_sizes.reporting.figures.style import FigureContext, settings
from resnet_sizes.reporting.text.words import Words, class_label, short_class_label
from resnet_sizes.schemas.evidence.figures import ConfusionMatrix
from resnet_sizes.schemas.paths import StudyFolder
from resnet_sizes.schemas.run.tensors import read_predictions

ALL = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip


def shares(classes: int, right: float = 0.7) -> Shares:
    """Rows that add up to 1, with one mistake more frequent than the others."""
    found = np.full((classes, classes), (1 - right) / 2 / max(classes - 2, 1))
    np.fill_diagonal(found, right)
    found[np.arange(classes), (np.arange(classes) + 1) % classes] = (1 - right) / 2
    if classes == 2:
        found[[0, 1], [1, 0]] = 1 - right
    found[0, [0, 1]] = right - 0.1, found[0, 1] + 0.1
    return found


def matrices(
    found: Shares, names: Sequence[str], count: int = 1, language: str = "pt"
) -> FigureContext:
    """The same matrix of as many models, with the names of CIFAR-10's classes translated."""
    confusion = [
        ConfusionMatrix(
            model=model,
            cells=list(confusion_cells(found, f"scratch-32.{model}")),
            empty_classes=[number for number, row in enumerate(found) if np.isnan(row).all()],
            largest=largest_confusion(found),
        )
        for model in ALL[:count]
    ]
    return made_up(language, content="cifar10", class_names=list(names), confusion=confusion)


def test_counts_are_those_of_the_predictions(tmp_path: Path) -> None:
    runs = runs_of(tmp_path, models=["resnet18"], seeds=[0], full=False, epochs=2)
    (run,) = runs.finished
    folder = StudyFolder(tmp_path / "results" / "synthetic")
    logits, labels = read_predictions(folder.run(run.settings).predictions)
    expected = np.zeros((10, 10), dtype=np.int64)
    for row, label in zip(logits, labels, strict=True):
        expected[label, row.argmax()] += 1
    assert (run.confusion == expected).all()
    assert np.trace(run.confusion) == np.count_nonzero(run.correct)


def test_shares_are_means_over_the_seeds(tmp_path: Path) -> None:
    accuracies = {"resnet18": (0.8, 0.9)}
    runs = runs_of(
        tmp_path, models=["resnet18"], seeds=[0, 1], accuracies=accuracies, full=False, epochs=2
    )
    found = mean_shares(runs.of("scratch-32", "resnet18"))
    assert np.diagonal(found).mean() == pytest.approx(0.85)
    assert found.sum(axis=1) == pytest.approx(np.ones(10))
    [matrix] = numbers_of(runs).confusion
    assert matrix.model == "resnet18"
    shares = {(cell.true, cell.predicted): cell.share for cell in matrix.cells}
    assert shares == {tuple(place): found[tuple(place)] for place in np.argwhere(found > 0)}


def test_the_largest_mistake_and_the_hardest_class_are_found() -> None:
    found = shares(4)
    mistake = largest_confusion(found)
    assert mistake is not None
    assert (mistake.true, mistake.predicted, mistake.share) == (0, 1, pytest.approx(0.25))
    hardest = hardest_class(found)
    assert (hardest.true, hardest.share) == (0, pytest.approx(0.6))


def test_without_mistakes_there_is_no_largest_one() -> None:
    assert largest_confusion(np.eye(3)) is None


def test_a_class_without_test_images_is_neither() -> None:
    found = shares(3)
    found[2] = np.nan
    assert hardest_class(found).true == 0
    runs = matrices(found, ["a", "b", "c"])
    assert runs.numbers.confusion[0].empty_classes == [2]
    with settings():
        figure = draw_confusion(runs)
        assert not list(overlaps(figure))


def test_names_and_numbers_stand_at_the_middle_of_their_rows_and_columns() -> None:
    found = shares(3)
    with settings():
        axes = draw_confusion(matrices(found, ["a", "b", "c"])).axes[0]
        for axis in (axes.xaxis, axes.yaxis):
            assert list(axis.get_ticklocs()) == [0.5, 1.5, 2.5]
            assert [label.get_text() for label in axis.get_ticklabels()] == ["a", "b", "c"]
    numbers = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text()
               for text in axes.texts}  # fmt: skip
    assert numbers == {place: f"{100 * share:.0f}" for place, share in np.ndenumerate(found)}


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize(
    ("count", "classes"), [(1, 2), (2, 3), (1, 10), (3, 10), (4, 12), (5, 13), (2, 20)]
)
def test_nothing_overlaps_with_few_or_many_classes(classes: int, count: int, language: str) -> None:
    names = [*CIFAR10, *(f"a-long-name-of-class-{n}" for n in range(classes))][:classes]
    with settings():
        figure = draw_confusion(matrices(shares(classes), names, count, language))
        assert not list(overlaps(figure))
        assert figure.get_figheight() < 9.2  # with its caption it stands on one page
    assert len(figure.axes) == count + 1


def test_numbers_are_whole_percentages_and_none_prints_as_zero() -> None:
    found = shares(10)
    found[3, 8] = 0.004
    figure = draw_confusion(matrices(found, CIFAR10))
    numbers = [text.get_text() for text in figure.axes[0].texts]
    assert all(re.fullmatch(r"[1-9]\d?|100", number) for number in numbers)
    assert len(numbers) == 99
    assert numbers[0] == "60"


def test_lightness_falls_from_few_to_many_so_that_grey_keeps_the_order() -> None:
    values = [rgb_to_hsv(to_rgb(_COLOURS(share)))[2] for share in np.linspace(0, 1, 20)]
    weights = np.array([0.2126, 0.7152, 0.0722])
    greys = [float(weights @ np.array(to_rgb(_COLOURS(share)))) for share in np.linspace(0, 1, 20)]
    assert np.all(np.diff(greys) < 0)
    assert greys[0] - greys[-1] > 0.8
    assert values[0] == 1


def test_classes_of_cifar10_are_named_in_the_readers_language(
    words_in: Callable[[str], Words],
) -> None:
    pt, en = words_in("pt"), words_in("en")
    assert class_label("dog", "cifar10", pt) == "cachorro"
    assert class_label("dog", "cifar10-reencoded", pt) == "cachorro"
    assert class_label("dog", "cifar10", en) == "dog"
    assert class_label("dog", "other", pt) == "dog"
    assert class_label("0", "digits", pt) == "0"
    assert class_label("a.b", "cifar10-reencoded", pt) == "a.b"
    assert all(class_label(name, "cifar10", pt) != name for name in CIFAR10)
    assert all(class_label(name, "cifar10", en) == name for name in CIFAR10)


def test_long_names_of_classes_are_cut(words: Words) -> None:
    assert short_class_label("class-0", "other", words) == "class-0"
    assert short_class_label("a class with number 77", "other", words) == "a class with …"
