"""A number in a figure has a source too: planted ones are found wherever they are drawn."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from figure_studies import FIVE
from lxml import etree
from rendering import render
from report_studies import DEMO, TEMPLATES, context_of, reseal, study_with_evidence

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.number_check import sources_of
from resnet_sizes.reporting.checks.page_check import figure_strays
from resnet_sizes.reporting.checks.sources import Sources
from resnet_sizes.reporting.figures.draw import write_figures
from resnet_sizes.reporting.figures.style import FigureContext
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES
from resnet_sizes.schemas.paths import StudyFolder

FOREIGN = "7777"
SVG = "{http://www.w3.org/2000/svg}"


class Figures(NamedTuple):
    folder: Path
    sources: Sources

    def path(self, name: str) -> Path:
        return self.folder / f"figure-{name}.svg"


def figures_of(study: Path, language: str) -> Figures:
    """Drawn in a folder beside the evidence."""
    inputs = read_inputs(study, StudyFolder.of_file(study).evidence)
    engine = choose_engine("pandoc")
    context = context_of(inputs, language)
    article = render_article(context, TEMPLATES, engine)
    sources = sources_of(TEMPLATES / "assets", article, context, engine)
    folder = study.parent / "drawn" / language
    folder.mkdir(parents=True)
    write_figures(FigureContext(inputs.figures, context.words), folder, ["svg"])
    return Figures(folder, sources)


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
        for name in FIGURE_NAMES:
            assert figure_strays(figures.path(name), figures.sources) == [], (name, language)


def changed(figures: Figures, name: str, change: Callable[[Any], None], folder: Path) -> list[str]:
    """The strays of a figure after a change of its tree."""
    tree = etree.parse(figures.path(name))
    change(tree.getroot())
    path = folder / figures.path(name).name
    tree.write(path)
    return [stray.numeral for stray in figure_strays(path, figures.sources)]


@pytest.mark.parametrize("name", FIGURE_NAMES)
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


@pytest.mark.parametrize("name", FIGURE_NAMES)
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


def test_a_report_with_a_foreign_number_in_a_figure_is_not_published(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path / "study", seeds=(0,))
    path = StudyFolder.of_file(study).evidence / "figures.json"
    numbers = json.loads(path.read_text(encoding="utf-8"))
    cell = numbers["confusion"][0]["cells"][0]
    planted = round(100 * cell["share"]) - 7
    cell["share"] = planted / 100
    path.write_text(json.dumps(numbers), encoding="utf-8")
    reseal(path.parent)
    with pytest.raises(UserError) as error:
        render(study, tmp_path / "made", formats=["html"])
    assert f"{planted} in: figure-confusion.svg: {planted}" in str(error.value)
    assert list((tmp_path / "made").iterdir()) == []
