"""A real Quarto makes the pages that the embedded engine makes. (`make test-quarto`)

With the variable that these tests need, the reports of all other tests are rendered by it too.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from pypdf import PageObject, PdfReader
from rendering import finished_reports, needs_quarto, render
from report_studies import CACHED, study_with_evidence

pytestmark = needs_quarto

LANGUAGES = ("pt", "en")


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports on two readings by the embedded engine, a folder for each language."""
    folder = tmp_path_factory.mktemp("embedded")
    study = study_with_evidence(folder, **CACHED)
    for language in LANGUAGES:
        render(study, folder / language, language, engine="pandoc")
    return folder


@pytest.fixture(scope="module")
def by_quarto() -> Path:
    return finished_reports(**CACHED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_has_every_letter_and_colour_at_its_place(
    embedded: Path, by_quarto: Path, language: str
) -> None:
    expected, made = (
        [_drawn(page) for page in PdfReader(folder / language / "report.pdf").pages]
        for folder in (embedded, by_quarto)
    )
    assert len(made) == len(expected)
    # The last page names the engine and the command that calls it.
    for number, (page, by_embedded) in enumerate(zip(made[:-1], expected, strict=False), start=1):
        assert page == by_embedded, f"page {number}"
        assert len({tuple(place) for _, place, _ in page}) > 10, f"page {number}"


def _drawn(page: PageObject) -> list[tuple[str, list[float], list[float]]]:
    """The texts of a page, with their places (points) and colours."""
    drawn: list[tuple[str, list[float], list[float]]] = []
    colour: list[float] = []

    def see(operator: bytes, operands: Any, *_: object) -> None:
        if operator in (b"sc", b"scn", b"rg", b"g"):
            colour[:] = [round(float(part), 3) for part in operands]

    def keep(text: str, page_matrix: list[float], text_matrix: list[float], *_: object) -> None:
        place = [round(part, 1) for part in page_matrix[4:] + text_matrix[4:]]
        if text.strip():
            drawn.append((text.strip(), place, colour.copy()))

    page.extract_text(visitor_operand_before=see, visitor_text=keep)
    return drawn


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_has_the_same_elements(embedded: Path, by_quarto: Path, language: str) -> None:
    expected, made = (_elements(folder / language) for folder in (embedded, by_quarto))
    assert len(made) > 500
    assert made == expected


_QUARTOS_OWN = re.compile(r"quarto-figure\S*|quarto-float-\S*|caption-top|header|odd|even")
_OF_THE_ENGINE = "//meta[@name='generator']|//tr[.//span[@data-n='engine']]|//pre"


def _elements(report: Path) -> list[tuple[str, str, dict[str, str]]]:
    """Names, texts and attributes of a page's elements, but for what names the engine and what
    Quarto adds to classes and to the ids of captions."""
    text = (report / "report.html").read_text(encoding="utf-8")
    document = html.document_fromstring(re.sub(r"-caption-[0-9a-f-]{36}", "-caption", text))
    for element in document.xpath(_OF_THE_ENGINE):
        element.drop_tree()
    elements = []
    for element in document.iter():
        attributes = {name: " ".join(value.split()) for name, value in element.items()}
        attributes["class"] = " ".join(_QUARTOS_OWN.sub("", attributes.get("class", "")).split())
        if element.tag == "img":
            del attributes["src"]
        content = "" if element.tag == "style" else " ".join((element.text or "").split())
        elements.append((str(element.tag), content, attributes))
    return elements
