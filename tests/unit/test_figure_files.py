"""The files of the figures: for each study, in each language and format, the same every time."""

import re
from pathlib import Path
from typing import Any

import pytest
from figure_studies import FIVE, context_of, numbers_of, overlaps, runs_of, svg_texts
from PIL import Image
from pypdf import PdfReader

from resnet_sizes.reporting.figures.draw import FIGURES, FORMATS, SVG_FONTS, write_figures
from resnet_sizes.reporting.figures.style import settings
from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES

STYLES = Path(__file__).parents[2] / "report" / "assets" / "report.css"

STUDIES: dict[str, dict[str, Any]] = {
    "three": {},
    "one seed": {"seeds": (0,)},
    "five": FIVE,
    "other depths": {k: v for k, v in FIVE.items() if k != "models"}
    | {"models": ("resnet34", "resnet101")},
    "partial": {
        "missing": [f"scratch-32/resnet50/seed-{seed}" for seed in range(3)]
        + ["scratch-32/resnet152/seed-1"]
    },
    "digits": {"content": "digits", "demo": True, "seeds": (0,)},
    "two readings": {"protocols": ("scratch-32", "other")},
}


def write_all(folder: Path, output: Path, *languages: str, **choices: Any) -> None:
    numbers = numbers_of(runs_of(folder, full=False, epochs=4, **choices))
    for language in languages:
        (output / language).mkdir(parents=True)
        write_figures(context_of(numbers, language), output / language)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every figure of one study, a folder for each language."""
    folder = tmp_path_factory.mktemp("figures")
    write_all(folder, folder / "drawn", "pt", "en", seeds=[0, 1, 2])
    return folder / "drawn"


def test_every_figure_is_there_in_each_format(written: Path) -> None:
    assert set(FIGURES) == {*FIGURE_NAMES, "error"}
    expected = {f"figure-{name}.{suffix}" for name in FIGURE_NAMES for suffix in FORMATS}
    for language in ("pt", "en"):
        assert {path.name for path in (written / language).iterdir()} == expected


def test_equal_runs_give_equal_bytes(written: Path, tmp_path: Path) -> None:
    write_all(tmp_path / "study", tmp_path / "again", "pt")
    for path in (tmp_path / "again" / "pt").iterdir():
        assert path.read_bytes() == (written / "pt" / path.name).read_bytes(), path.name


@pytest.mark.parametrize("study", STUDIES)
def test_nothing_overlaps_or_is_cut_off(tmp_path: Path, study: str) -> None:
    numbers = numbers_of(runs_of(tmp_path, full=False, epochs=4, **STUDIES[study]))
    for language in ("pt", "en"):
        with settings():
            for name, draw in FIGURES.items():
                assert not list(overlaps(draw(context_of(numbers, language)))), (name, language)


def test_models_without_runs_are_in_no_figure(tmp_path: Path) -> None:
    numbers = numbers_of(runs_of(tmp_path, full=False, epochs=4, **STUDIES["partial"]))
    for path in write_figures(context_of(numbers), tmp_path, ["svg"]):
        texts = " ".join(svg_texts(path))
        assert "ResNet-18" in texts
        assert "ResNet-50" not in texts


@pytest.mark.parametrize("name", FIGURE_NAMES)
def test_no_label_is_in_the_other_language(written: Path, name: str) -> None:
    own, other = (
        set(svg_texts(written / language / f"figure-{name}.svg")) for language in ("pt", "en")
    )
    neutral = re.compile(r"[\d\u2212]+|ResNet-\d+|class-\d")
    assert not [text for text in own & other if not neutral.fullmatch(text)]
    assert not [text for text in own if re.search(r"\d\.\d", text)]
    assert not [text for text in other if re.search(r"\d,\d", text)]
    english = {"accuracy", "loss", "epoch", "training", "time", "class", "article", "front", "the"}
    assert not english & set(re.findall(r"[a-z]+(?!-\d)\b", " ".join(own - {""}).lower()))


def test_the_text_is_text_in_the_typeface_of_the_report(written: Path) -> None:
    stack = re.search(r"--serif: ([^;]+);", STYLES.read_text(encoding="utf-8"))
    assert stack is not None
    assert stack.group(1).replace('"', "'") == SVG_FONTS
    for path in written.glob("*/*.svg"):
        svg = path.read_text(encoding="utf-8")
        texts = re.findall(r"<text[^>]*>", svg)
        assert texts
        assert all("'Libertinus Serif'" in text for text in texts)
        assert "STIX" not in svg


def test_the_svg_holds_no_picture_of_pixels(written: Path) -> None:
    for path in written.glob("*/*.svg"):
        assert "<image" not in path.read_text(encoding="utf-8"), path.name
        assert path.stat().st_size < 400_000, path.name


def test_the_pdf_is_one_page_with_searchable_text(written: Path) -> None:
    for name, word in (("loss", "Época"), ("pareto", "Fronteira de Pareto")):
        [page] = PdfReader(written / "pt" / f"figure-{name}.pdf").pages
        assert word in page.extract_text()
        fonts = [font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()]
        assert fonts
        assert all("LibertinusSerif" in font for font in fonts)


def test_the_png_is_wide_enough_for_print(written: Path) -> None:
    for path in written.glob("*/*.png"):
        with Image.open(path) as image:
            assert image.width >= 1200
