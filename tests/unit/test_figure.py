"""Figure 1: what is in it, in each format and language, the same bytes every time."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import PolyCollection
from PIL import Image
from pypdf import PdfReader
from synthetic import make_study

from resnet_sizes.evidence.figure import (
    FORMATS,
    Language,
    LossCurve,
    draw,
    epoch_ticks,
    loss_curves,
    loss_ticks,
    spread,
    write_figure,
)
from resnet_sizes.evidence.runs import read_runs
from resnet_sizes.records.files import read_record
from resnet_sizes.records.layout import StudyFolder
from resnet_sizes.records.protocol import LAYERS
from resnet_sizes.records.run import StudyFile

ALL = tuple(LAYERS)


def curves(models: tuple[str, ...] = ALL, seeds: int = 3, epochs: int = 50) -> list[LossCurve]:
    falling = np.linspace(2, 0.1, epochs)
    return [
        LossCurve(model, np.array([falling + 0.01 * seed for seed in range(seeds)]))
        for model in models
    ]


def curves_of(folder: Path, **choices: Any) -> list[LossCurve]:
    study = make_study(folder, **choices)
    return loss_curves(
        read_runs(read_record(study, StudyFile, ""), StudyFolder.of_file(study), True)
    )


def test_the_curves_are_the_training_losses_of_all_seeds(tmp_path: Path) -> None:
    found = curves_of(tmp_path, epochs=5, full=False, models=["resnet50", "resnet18"])
    assert [curve.model for curve in found] == ["resnet18", "resnet50"]
    assert found[1].losses.shape == (3, 5)
    assert found[1].losses[0, [0, -1]] == pytest.approx([1.7, 0.5])


def test_a_model_without_a_finished_run_has_no_curve(tmp_path: Path) -> None:
    missing = ["scratch-32/resnet18/seed-0"]
    found = curves_of(tmp_path, epochs=2, full=False, seeds=[0], missing=missing)
    assert [curve.model for curve in found] == ["resnet50", "resnet152"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_same_curves_give_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    written = []
    for name in ("first", "second"):
        path = tmp_path / f"{name}.{suffix}"
        write_figure(curves(), path, "pt")
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_the_svg_is_readable_text_in_portuguese(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    write_figure(curves(), path, "pt")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))
    assert {"Época", "Perda de treinamento (entropia cruzada)", "1,5"} <= set(texts)
    assert {f"ResNet-{layers}" for layers in LAYERS.values()} <= set(texts)
    assert "1.5" not in texts


def test_the_svg_is_readable_text_in_english(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    write_figure(curves(), path, "en")
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))
    assert {"Epoch", "Training loss (cross-entropy)", "1.5"} <= set(texts)


def test_the_pdf_is_one_page_with_searchable_text(tmp_path: Path) -> None:
    path = tmp_path / "figure.pdf"
    write_figure(curves(), path, "pt")
    [page] = PdfReader(path).pages
    assert "Época" in page.extract_text()


def test_the_png_is_wide_enough_for_print(tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    write_figure(curves(), path, "pt")
    with Image.open(path) as image:
        assert image.width >= 1200


def test_lines_differ_without_colour() -> None:
    [axes] = draw(curves(), "pt").axes
    main = [line for line in axes.lines if len(line.get_xdata()) == 50]
    assert len(main) == len(ALL)
    assert len({line.get_marker() for line in main}) == len(ALL)
    assert len({str(line._unscaled_dash_pattern) for line in main}) == len(ALL)
    assert len({line.get_color() for line in main}) == len(ALL)


def test_colours_stand_out_from_white() -> None:
    # WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text; the labels have the lines' colours.
    [axes] = draw(curves(), "pt").axes
    for text in axes.texts:
        if text.get_text():
            channels = [int(str(text.get_color())[i : i + 2], 16) / 255 for i in (1, 3, 5)]
            linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
            luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
            assert 1.05 / (luminance + 0.05) >= 4.5, text.get_text()


@pytest.mark.parametrize(("seeds", "bands"), [(1, 0), (3, len(ALL))])
def test_there_is_a_band_where_there_are_several_seeds(seeds: int, bands: int) -> None:
    [axes] = draw(curves(seeds=seeds), "pt").axes
    assert len([c for c in axes.collections if isinstance(c, PolyCollection)]) == bands


@pytest.mark.parametrize("language", ["pt", "en"])
@pytest.mark.parametrize("epochs", [1, 2, 10, 50])
def test_labels_of_curves_that_end_together_do_not_overlap(epochs: int, language: Language) -> None:
    figure = draw(curves(epochs=epochs), language)
    figure.draw_without_rendering()
    [axes] = figure.axes
    boxes = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert len(boxes) == len(ALL)
    for index, box in enumerate(boxes):
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[index + 1 :])


def test_a_study_without_curves_says_so() -> None:
    [axes] = draw([], "pt").axes
    assert [text.get_text() for text in axes.texts] == ["nenhuma execução concluída"]


@given(st.integers(1, 2000))
def test_epochs_are_whole_and_in_range(epochs: int) -> None:
    ticks = epoch_ticks(epochs)
    assert ticks == sorted(set(ticks))
    assert 1 <= ticks[0] <= ticks[-1] <= epochs
    assert len(ticks) <= 12


@given(st.floats(0.001, 1000))
def test_loss_labels_say_where_their_ticks_are(top: float) -> None:
    ticks, labels = loss_ticks(top, "pt")
    assert [float(label.replace(",", ".")) for label in labels] == ticks
    assert len({len(label.partition(",")[2]) for label in labels}) == 1


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=5),
    st.floats(0.01, 1),
)
def test_spread_positions_keep_their_order_and_their_distance(
    positions: list[float], gap: float
) -> None:
    moved = spread(np.array(positions), gap, lowest=0.0)
    order = np.argsort(positions, kind="stable")
    assert np.all(np.diff(moved[order]) >= gap - 1e-9)
    assert moved.min() >= 0


def test_positions_that_are_far_enough_apart_stay() -> None:
    assert spread(np.array([3.0, 1.0, 2.0]), 0.5, lowest=0.0) == pytest.approx([3, 1, 2])
