"""The PDF as it is set: pages, breaks, and numbers below each other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from pypdf import PdfReader
from rendering import WORDINGS, Wording, finished_reports
from report_studies import CACHED, PARTIAL

A4 = (595.28, 841.89)
MANY_ROWS = 12
"""A table of more rows than this may go on over the page."""

KERNING = 0.6
"""Points by which the spaces between two characters may differ."""

FOOT = 60.0
"""Points above the lower edge, below which only the page number stands."""


@pytest.fixture(scope="module", params=[CACHED, PARTIAL], ids=["cached", "partial"])
def reports(request: pytest.FixtureRequest) -> Path:
    return finished_reports(**request.param)


@pytest.fixture(params=WORDINGS)
def report(request: pytest.FixtureRequest, reports: Path) -> Path:
    return reports / str(request.param)


@pytest.fixture
def wording(report: Path) -> Wording:
    return WORDINGS[report.name]


@pytest.fixture
def pdf(report: Path) -> Iterator[pypdfium2.PdfDocument]:
    document = pypdfium2.PdfDocument(report / "report.pdf")
    yield document
    document.close()


def _lines(page: pypdfium2.PdfPage) -> list[str]:
    """The lines of a page without its running header and its number."""
    text = page.get_textpage().get_text_bounded(bottom=FOOT, top=A4[1] - FOOT)
    return [line for line in text.replace("\xa0", " ").splitlines() if line.strip()]


def test_every_page_is_a4_and_has_its_number_and_its_header(
    pdf: pypdfium2.PdfDocument, wording: Wording
) -> None:
    assert len(pdf) > 5
    for number, page in enumerate(pdf, 1):
        assert page.get_size() == pytest.approx(A4, abs=0.01)
        text = page.get_textpage()
        assert text.get_text_bounded(top=FOOT).split() == [str(number)]
        header = text.get_text_bounded(bottom=A4[1] - FOOT)
        assert header.startswith(wording.title) == (number > 1)


def test_no_page_ends_with_a_heading_or_the_caption_of_a_table(
    pdf: pypdfium2.PdfDocument, report: Path, wording: Wording
) -> None:
    headings = {" ".join(title.split()) for title in _titles(PdfReader(report / "report.pdf"))}
    assert len(headings) > 8
    tables = tuple(name.split()[0] for name in wording.floats if not name.startswith("Fig"))
    seen = set()
    for page in pdf:
        lines = _lines(page)
        seen |= headings & set(lines)
        assert lines[-1] not in headings
        assert not re.match(rf"({'|'.join(tables)}) \d+ – ", lines[-1])
    assert len(seen) > 8


def _titles(pdf: PdfReader) -> list[str]:
    def flat(entries: list) -> Iterator[str]:  # type: ignore[type-arg]
        for entry in entries:
            if isinstance(entry, list):
                yield from flat(entry)
            else:
                yield str(entry.title)

    return list(flat(pdf.outline))


def test_a_table_stays_on_one_page(pdf: pypdfium2.PdfDocument, report: Path) -> None:
    pages = [" ".join(" ".join(_lines(page)).split()) for page in pdf]
    qmd = (report / "article.qmd").read_text(encoding="utf-8")
    whole = 0
    for rows, caption in re.findall(r"((?:^\|.*\n)+)\n: (.*) \{#\w+-", qmd, re.MULTILINE):
        cells = [_plain(row) for row in rows.splitlines()[2:]]
        if len(cells) > MANY_ROWS:
            continue
        [page] = [text for text in pages if f" – {_plain(caption)}" in text]
        table = page.split(f" – {_plain(caption)}", 1)[1]
        assert _words(" ".join(cells)) <= _words(table)
        whole += 1
    assert whole >= 4


def _plain(markdown: str) -> str:
    while (found := re.sub(r"\[([^\[\]]*)\]\{[^{}]*\}", r"\1", markdown)) != markdown:
        markdown = found
    return " ".join(re.sub(r"[\\`]", "", markdown).replace("'", "’").split())


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\d,.]+%?|ResNet-\d+", text.replace("\xa0", " ")))


def test_numbers_of_a_column_stand_with_their_units_below_each_other(
    pdf: pypdfium2.PdfDocument, report: Path
) -> None:
    units: dict[int, set[float]] = {0: set(), 1: set()}
    decimals = 0
    for page in pdf:
        text = page.get_textpage()
        whole = text.get_text_range().replace("\xa0", " ")
        for row in re.finditer(r"^T\d+ ResNet-\d+ \D+?(?=\d|–)(.*)", whole, re.MULTILINE):
            numbers = re.finditer(r"(?<![\d,.])\d+(?=([,.]\d+)?%?\*?( |\r))", row[1])
            for column, number in zip(units, numbers, strict=False):
                last = row.start(1) + number.end() - 1
                units[column].add(text.get_charbox(last, loose=True)[2])
                decimals += number[1] is not None
    assert decimals > 3
    for edges in units.values():
        assert max(edges) - min(edges) < KERNING
