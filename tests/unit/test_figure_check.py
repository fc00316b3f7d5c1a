"""A number in a figure has a source too: planted ones are found wherever they are drawn."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from figure_studies import FIVE
from lxml import etree
from rendering import render
from report_studies import DEMO, TEMPLATES, reseal, study_with_evidence

from resnet_sizes.i18n.class_names import short_label
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.figure_check import figure_strays
from resnet_sizes.reporting.checks.number_check import sources_of
from resnet_sizes.reporting.checks.sources import Sources
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.render.render import render_article
from resnet_sizes.reporting.text.words import Words
from resnet_sizes.schemas.paths import StudyFolder

FOREIGN = "7777"
SVG = "{http://www.w3.org/2000/svg}"
NAMES = ("loss", "accuracy", "pareto", "confusion", "forest")


class Figures(NamedTuple):
    folder: Path
    sources: Sources

    def path(self, name: str) -> Path:
        return self.folder / f"figure-{name}.{self.sources.language}.svg"


def figures_of(study: Path, language: str) -> Figures:
    inputs = read_inputs(study, StudyFolder.of_file(study).evidence)
    engine = choose_engine("pandoc")
    article = render_article(inputs, TEMPLATES, language, engine)
    words = Words(TEMPLATES / language / "texts.yaml", language)
    sources = sources_of(TEMPLATES / "assets", article, inputs, engine, words, language)
    return Figures(inputs.evidence, sources)


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Figures:
    study = study_with_evidence(tmp_path_factory.mktemp("figures"))
    return figures_of(study, "pt")


STUDIES: dict[str, dict[str, Any]] = {
    "full": {},
    "five": FIVE,
    "digits": DEMO,
    "one seed": {"seeds": (0,), "full": False, "epochs": 2},
}


@pytest.mark.parametrize("settings", STUDIES.values(), ids=STUDIES)
def test_every_number_of_a_figure_has_a_source(tmp_path: Path, settings: dict[str, Any]) -> None:
    study = study_with_evidence(tmp_path, **settings)
    for language in ("pt", "en"):
        figures = figures_of(study, language)
        for name in NAMES:
            assert figure_strays(figures.path(name), figures.sources) == [], (name, language)


def changed(figures: Figures, name: str, change: Callable[[Any], None], folder: Path) -> list[str]:
    """The strays of a figure after a change of its tree."""
    tree = etree.parse(figures.path(name))
    change(tree.getroot())
    path = folder / figures.path(name).name
    tree.write(path)
    return [stray.numeral for stray in figure_strays(path, figures.sources)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "place",
    [
        f"{SVG}g",
        f".//{SVG}g[@id='axes_1']",
        f".//{SVG}g[@id='axis.x.1']",
    ],
)
@pytest.mark.parametrize("kind", ["text", "title", "desc"])
def test_a_foreign_number_is_found_wherever_it_is_drawn(
    figures: Figures, tmp_path: Path, name: str, place: str, kind: str
) -> None:
    def plant(root: Any) -> None:
        group = root.find(place)
        if group is None:
            assert (name, place) == ("confusion", f".//{SVG}g[@id='axis.x.1']")
            group = root.find(f".//{SVG}g[@id='classes.x.1']")
        etree.SubElement(group, f"{SVG}{kind}").text = f"{FOREIGN} vezes"

    assert changed(figures, name, plant, tmp_path) == [FOREIGN]


@pytest.mark.parametrize("name", NAMES)
def test_a_foreign_number_beside_a_word_of_the_figure_is_found(
    figures: Figures, tmp_path: Path, name: str
) -> None:
    count = len(list(etree.parse(figures.path(name)).iterfind(f".//{SVG}text")))
    for position in range(0, count, max(1, count // 25)):

        def plant(root: Any, position: int = position) -> None:
            text = list(root.iterfind(f".//{SVG}text"))[position]
            etree.SubElement(text, f"{SVG}tspan").text = f" {FOREIGN}"

        assert FOREIGN in changed(figures, name, plant, tmp_path)


def test_a_tick_is_a_number_in_its_order(figures: Figures, tmp_path: Path) -> None:
    def last_tick(root: Any) -> Any:
        axis = root.find(f".//{SVG}g[@id='axis.x.1']")
        return [g for g in axis.iter(f"{SVG}g") if g.get("id", "").startswith("xtick_")][-1]

    def set_text(text: str) -> Callable[[Any], None]:
        def change(root: Any) -> None:
            last_tick(root).find(f".//{SVG}text").text = text

        return change

    assert changed(figures, "loss", set_text("51"), tmp_path) == []
    assert changed(figures, "loss", set_text("3"), tmp_path) == ["3"]
    assert changed(figures, "loss", set_text("80,84%"), tmp_path) == ["80,84"]
    assert changed(figures, "loss", set_text("51 e 52"), tmp_path) == ["51", "52"]


def test_a_cell_of_a_confusion_matrix_is_what_its_key_holds(
    figures: Figures, tmp_path: Path
) -> None:
    tree = etree.parse(figures.path("confusion"))
    cells = [
        g.get("id")
        for g in tree.iter(f"{SVG}g")
        if re.fullmatch(r"value\..*\.confusion\.cells\.\d\.\d", g.get("id", ""))
    ]
    assert len(cells) > 30
    assert {cell.removeprefix("value.") for cell in cells} <= set(figures.sources.values.values)

    def plant(root: Any) -> None:
        root.find(f".//{SVG}g[@id='{cells[0]}']/{SVG}text").text = "37"

    assert changed(figures, "confusion", plant, tmp_path) == ["37"]


def test_the_confidence_of_the_intervals_is_what_its_key_holds(
    figures: Figures, tmp_path: Path
) -> None:
    def plant(root: Any) -> None:
        text = root.find(f".//{SVG}g[@id='value.method.confidence']/{SVG}text")
        assert "95%" in text.text
        text.text = text.text.replace("95%", "90%")

    assert changed(figures, "forest", plant, tmp_path) == ["90"]


def test_the_names_of_classes_may_hold_numbers(figures: Figures, tmp_path: Path) -> None:
    def rename(root: Any) -> None:
        tick = root.find(f".//{SVG}g[@id='classes.y.1']//{SVG}text")
        assert tick.text == "class-0"
        tick.text = "class-77"

    assert changed(figures, "confusion", rename, tmp_path) == ["77"]


def test_long_names_of_classes_are_cut() -> None:
    assert short_label("class-0") == "class-0"
    assert short_label("a class with number 77") == "a class with …"


def test_a_report_with_a_foreign_number_in_a_figure_is_not_published(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path / "study", seeds=(0,))
    figure = StudyFolder.of_file(study).evidence / "figure-pareto.pt.svg"
    text = figure.read_text(encoding="utf-8")
    planted = text.replace("</svg>", f'<text x="100" y="100">{FOREIGN} min</text></svg>')
    figure.write_text(planted, encoding="utf-8")
    reseal(figure.parent)
    with pytest.raises(UserError) as error:
        render(study, tmp_path / "made", formats=["pdf"])
    assert f"{FOREIGN} in: figure-pareto.pt.svg: {FOREIGN} min" in str(error.value)
    assert list((tmp_path / "made").iterdir()) == []
