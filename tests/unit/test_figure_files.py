"""The files of the figures: for each study, in each language and format, the same every time."""

import re
from pathlib import Path
from typing import Any

import pytest
from figure_studies import FIVE, drawn, overlaps, runs_of, svg_texts
from PIL import Image
from pypdf import PdfReader
from synthetic import ARTICLE

from resnet_sizes.evidence.values.collect import collect_values
from resnet_sizes.reporting.figures.files import FORMATS, SVG_FONTS
from resnet_sizes.reporting.figures.style import Language, settings
from resnet_sizes.reporting.figures.write import write_figures
from resnet_sizes.schemas.article.load import load_article

NAMES = {"loss", "accuracy", "pareto", "confusion", "forest"}
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


def write_all(folder: Path, output: Path, languages: list[Language], **choices: Any) -> None:
    runs = runs_of(folder, full=False, epochs=4, **choices)
    article = load_article(ARTICLE)
    values = collect_values(runs, article).values
    write_figures(runs, article, values, output, languages, FORMATS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every figure of one study in both languages."""
    folder = tmp_path_factory.mktemp("figures")
    write_all(folder, folder, ["pt", "en"], seeds=[0, 1, 2])
    return folder


def test_every_figure_is_there_in_each_language_and_format(written: Path) -> None:
    expected = {
        f"figure-{name}.{language}.{suffix}"
        for name in NAMES
        for language in ("pt", "en")
        for suffix in FORMATS
    }
    assert {path.name for path in written.iterdir() if path.is_file()} == expected


def test_equal_runs_give_equal_bytes(written: Path, tmp_path: Path) -> None:
    write_all(tmp_path / "study", tmp_path / "again", ["pt"])
    for path in (tmp_path / "again").iterdir():
        assert path.read_bytes() == (written / path.name).read_bytes(), path.name


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("language", ["pt", "en"])
def test_nothing_overlaps_or_is_cut_off(tmp_path: Path, study: str, language: Language) -> None:
    runs = runs_of(tmp_path, full=False, epochs=4, **STUDIES[study])
    with settings():
        figures = drawn(runs, language)
        assert set(figures) == NAMES
        for name, figure in figures.items():
            assert not list(overlaps(figure)), name


def test_models_without_runs_are_in_no_figure(tmp_path: Path) -> None:
    write_all(tmp_path, tmp_path, ["pt"], **STUDIES["partial"])
    for name in NAMES:
        texts = " ".join(svg_texts(tmp_path / f"figure-{name}.pt.svg"))
        assert "ResNet-18" in texts
        assert "ResNet-50" not in texts


@pytest.mark.parametrize("name", sorted(NAMES))
def test_no_label_is_in_the_other_language(written: Path, name: str) -> None:
    own, other = (
        set(svg_texts(written / f"figure-{name}.{language}.svg")) for language in ("pt", "en")
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
    for path in written.glob("*.svg"):
        svg = path.read_text(encoding="utf-8")
        texts = re.findall(r"<text[^>]*>", svg)
        assert texts
        assert all("'Libertinus Serif'" in text for text in texts)
        assert "STIX" not in svg


def test_the_svg_holds_no_picture_of_pixels(written: Path) -> None:
    for path in written.glob("*.svg"):
        assert "<image" not in path.read_text(encoding="utf-8"), path.name
        assert path.stat().st_size < 400_000, path.name


def test_the_pdf_is_one_page_with_searchable_text(written: Path) -> None:
    for name, word in (("loss", "Época"), ("pareto", "Fronteira de Pareto")):
        [page] = PdfReader(written / f"figure-{name}.pt.pdf").pages
        assert word in page.extract_text()
        fonts = [font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()]
        assert fonts
        assert all("LibertinusSerif" in font for font in fonts)


def test_the_png_is_wide_enough_for_print(written: Path) -> None:
    for path in written.glob("*.png"):
        with Image.open(path) as image:
            assert image.width >= 1200
