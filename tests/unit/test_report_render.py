"""The finished HTML and PDF."""

import itertools
import json
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from pypdf import PageObject, PdfReader
from rendering import (
    ENGINE,
    WORDINGS,
    Page,
    Wording,
    finished_reports,
    render,
    render_nothing_anew,
)
from report_prose import foreign_words
from report_studies import CACHED, DEMO, PARTIAL, TEMPLATES, reseal, study_with_evidence
from synthetic import make_study
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting import build
from resnet_sizes.reporting.figures.draw import FORMATS, write_figures
from resnet_sizes.reporting.inputs import Inputs, read_inputs
from resnet_sizes.schemas.evidence.figures import FIGURE_NAMES
from resnet_sizes.schemas.paths import StudyFolder

# The cached study has all of the full one, under two readings.
FULL = pytest.param({}, marks=pytest.mark.long, id="full")


@pytest.fixture(scope="module", params=[
    FULL, *(pytest.param(each, id=each["name"]) for each in (DEMO, PARTIAL, CACHED))
])  # fmt: skip
def reports(request: pytest.FixtureRequest) -> Path:
    """The folder of a study's finished reports in both languages."""
    return finished_reports(**request.param)


@pytest.fixture(params=WORDINGS)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wording(language: str) -> Wording:
    return WORDINGS[language]


@pytest.fixture
def report(reports: Path, language: str) -> Path:
    """The folder of one finished report."""
    return reports / language


@pytest.fixture
def page(report: Path) -> Page:
    return Page((report / "report.html").read_text(encoding="utf-8"))


def test_the_folder_holds_all_that_the_qmd_names(language: str) -> None:
    report = finished_reports(**DEMO) / language
    figures = [f"figure-{name}.{format}" for name in FIGURE_NAMES for format in FORMATS]
    assert sorted(path.name for path in report.iterdir()) == sorted([
        *figures, "abnt.csl", "after-body.html", "article.qmd", "blocks.lua", "decimals.lua",
        "language-link.html", "metadata.html", "page.html", "references.bib", "report.css",
        "report.html", "report.json", "report.pdf", "skip-link.html", "typst-show.typ",
        "typst-template.typ",
    ])  # fmt: skip


def test_machines_read_which_claims_share_a_test_and_which_have_none(report: Path) -> None:
    record = json.loads((report / "report.json").read_text(encoding="utf-8"))
    same = {one["id"]: one["same_test_as"] for one in record["verdicts"] if one["same_test_as"]}
    assert same == {"S14": "S11", "T11": "S3", "T13": "S4"}
    assert [one["id"] for one in record["untestable"]] == [f"U{number}" for number in range(1, 9)]
    assert all(one["claim"] and one["reason"] for one in record["untestable"])


def test_the_page_leads_to_the_other_language(report: Path, page: Page, wording: Wording) -> None:
    [link] = [link for link in page.all("a") if "hreflang" in link]
    assert link["lang"] == link["hreflang"] == wording.other_lang
    assert page.all("a").index(link) == 1  # after the link to the content
    assert page.text.count(wording.other) == 1
    other = Page((report / str(link["href"])).read_text(encoding="utf-8"))
    assert other.all("html")[0]["lang"] == wording.other_lang
    pdf = PdfReader(report / "report.pdf")
    assert wording.other not in "".join(page.extract_text() for page in pdf.pages)


def test_a_report_in_one_language_leads_to_no_other(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO, languages=("en",))
    render(study, tmp_path / "en", "en", formats=["html"])
    page = Page((tmp_path / "en" / "report.html").read_text(encoding="utf-8"))
    assert not [link for link in page.all("a") if "hreflang" in link]
    assert not (tmp_path / "en" / "language-link.html").exists()


def test_the_whole_page_is_of_one_language(page: Page, language: str, wording: Wording) -> None:
    text = page.text[: page.text.rindex(wording.references)]  # titles are as they are
    for name in (wording.other, "bootstrap", "TorchVision maintainers and contributors"):
        text = text.replace(name, "")
    text = re.sub(r"\S+\.(json|yaml)|seed-\d|resnet-sizes report", "", text)
    alternatives = " ".join(str(image["alt"]) for image in page.all("img"))
    labels = " ".join(str(a.get("aria-label", "")) for _, a in page.tags)
    assert not foreign_words(f"{text} {alternatives} {labels}", language)


def test_the_page_fetches_nothing(report: Path, page: Page) -> None:
    for tag, attributes in page.tags:
        for name in ("src", "srcset", "data", "poster", "background", "action"):
            assert not (attributes.get(name) or "").startswith(("http", "//")), (tag, attributes)
        assert tag not in ("iframe", "object", "embed", "base")
        assert tag != "script" or "src" not in attributes
    assert not page.all("link")
    styles = re.findall(r"(?s)<style.*?</style>", (report / "report.html").read_text("utf-8"))
    assert styles
    assert not any("http" in style or "@import" in style for style in styles)


def test_the_page_can_be_used_without_sight_or_mouse(page: Page, wording: Wording) -> None:
    assert page.all("html")[0]["lang"] == wording.lang
    assert page.all("a")[0]["href"] == "#resumo"
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    anchors = [str(link["href"]) for link in page.all("a") if str(link["href"]).startswith("#")]
    assert anchors
    assert {anchor[1:] for anchor in anchors} <= ids
    images = page.all("img")
    assert len(images) == 5
    assert wording.first_alternative in str(images[0]["alt"])  # that of the first page
    assert wording.alternative in str(images[1]["alt"])
    assert len({str(image["alt"]) for image in images}) == 5
    assert all(str(image["src"]).startswith("data:image/svg+xml") for image in images)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_box_that_scrolls_is_reached_by_keyboard_and_has_a_name(page: Page) -> None:
    names = {a["id"]: a for tag, a in page.tags if tag == "figcaption"}
    boxes = [a for _, a in page.tags if "float-body" in (a.get("class") or "").split()]
    assert len(boxes) == len(page.all("figcaption")) + 2  # the tables of the first page
    for box in boxes:
        assert (box["role"], box["tabindex"]) == ("group", "0")
        assert box.get("aria-label") or box["aria-labelledby"] in names
        assert "aria-describedby" not in box
    assert [tag for tag, _ in page.tags].count("main") == 1
    assert not [tag for tag, a in page.tags if "alt" in a and tag != "img"]


def test_the_picture_of_the_first_page_is_described_in_both_formats(
    report: Path, page: Page, wording: Wording
) -> None:
    first = page.all("img")[0]
    tags = [tag for tag, _ in page.tags]
    assert tags.index("img") < tags.index("figure")  # the other four are in one
    pdf = PdfReader(report / "report.pdf")
    alternatives = [str(each["/Alt"]) for each in _tagged_figures(pdf)]
    assert len(alternatives) == 5
    assert [" ".join(text.split()) for text in alternatives] == [
        " ".join(str(image["alt"]).split()) for image in page.all("img")
    ]
    assert "fig-alt" not in first
    # It is for those who do not see the picture, and no caption.
    start = str(first["alt"]).split(".")[0]
    assert wording.first_alternative in start
    assert start not in page.text
    assert start not in " ".join(" ".join(p.extract_text() for p in pdf.pages).split())


def _tagged_figures(pdf: PdfReader) -> list[Any]:
    """The figures of a PDF's structure, in order."""
    found: list[Any] = []

    def visit(node: Any) -> None:
        node = node.get_object()
        if isinstance(node, list):
            for child in node:
                visit(child)
        elif isinstance(node, dict):
            if node.get("/S") == "/Figure":
                found.append(node)
            if "/K" in node:
                visit(node["/K"])

    visit(pdf.trailer["/Root"]["/StructTreeRoot"])
    return found


def test_both_formats_number_their_floats_and_leave_no_mark_unresolved(
    report: Path, page: Page, wording: Wording
) -> None:
    pdf = PdfReader(report / "report.pdf")
    text = " ".join("\n".join(p.extract_text() for p in pdf.pages).replace("\u00a0", " ").split())
    for shown in (page.text.replace("\u00a0", " "), text):
        for label in wording.floats:
            assert label in shown
        assert not re.search(r"\?@|\?\?|@tbl|@fig|@qdr|<<|\(\?\)", shown)
        assert not re.search(wording.foreign, shown)
        in_contents = shown is not text
        assert shown.count(wording.references) == 1 + in_contents
        assert "GOODFELLOW, Ian; BENGIO, Yoshua; COURVILLE, Aaron." in shown
        assert wording.accessed in shown


def test_what_is_cited_is_listed_as_the_standard_asks(report: Path, page: Page) -> None:
    qmd = (report / "article.qmd").read_text(encoding="utf-8")
    assert "Picard]{.l data-l=" in qmd
    listed = " ".join(page.text[page.text.rindex("GOODFELLOW") :].split())
    text = re.sub(r" (?=[:.])", "", listed)
    assert "PICARD, David. Torch.manual_seed(3407) is all you need: on the" in text
    assert (
        "In: IEEE CONFERENCE ON COMPUTER VISION AND PATTERN RECOGNITION, 2016, Las Vegas. "
        "Proceedings […]. Las Vegas: IEEE, 2016. p. 770–778." in text
    )
    links = re.findall(r"(?:Disponível em|Available at): \S+ (\w+)", text)
    assert len(links) > 4
    assert set(links) <= {"Acesso", "Accessed"}


def test_both_formats_print_the_same_numbers(report: Path, page: Page, wording: Wording) -> None:
    pdf = PdfReader(report / "report.pdf")
    pages = [p.extract_text() for p in pdf.pages]
    in_pdf = set(re.findall(wording.percentages, "".join(pages)))
    assert in_pdf
    assert in_pdf == set(re.findall(wording.percentages, page.text))


def test_the_pdf_is_tagged_named_bookmarked_and_has_its_fonts(
    report: Path, wording: Wording
) -> None:
    pdf = PdfReader(report / "report.pdf")
    root = pdf.trailer["/Root"]
    assert root["/Lang"] == wording.lang
    assert root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in root
    assert pdf.metadata is not None
    assert str(pdf.metadata.title).startswith(wording.title)
    assert b"pdfuaid" in root["/Metadata"].get_data()
    titles = [entry.title for entry in pdf.outline if not isinstance(entry, list)]
    assert wording.first_section in titles
    assert wording.last_section in titles
    fonts = [
        font.get_object()
        for page in pdf.pages
        for font in page["/Resources"].get("/Font", {}).values()
    ]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor)


def test_the_first_page_of_the_pdf_holds_the_whole_summary(report: Path) -> None:
    page = html.document_fromstring((report / "report.html").read_text(encoding="utf-8"))
    last = page.xpath("//div[@id='resumo']//p")[-1].text_content()
    first = PdfReader(report / "report.pdf").pages[0].extract_text()
    assert re.sub(r"[\s-]", "", last)[-30:] in re.sub(r"[\s-]", "", first)


def test_no_page_of_the_pdf_but_the_last_ends_half_empty(report: Path) -> None:
    ends = [_end_of_text(page) for page in PdfReader(report / "report.pdf").pages]
    assert max(ends[:-1]) < 0.45


def _end_of_text(page: PageObject) -> float:
    """How far the last line stands above the edge of a page, without the page's number, as a
    share of its height."""
    heights: list[float] = []

    def keep(text: str, page_matrix: list[float], matrix: list[float], *_: object) -> None:
        if text.strip():
            height = page_matrix[1] * matrix[4] + page_matrix[3] * matrix[5] + page_matrix[5]
            heights.append(height / float(page.mediabox.height))

    page.extract_text(visitor_text=keep)
    return min(height for height in heights if height > 0.077)


def test_the_report_says_what_rendered_it(page: Page, wording: Wording) -> None:
    assert wording.engine in page.text
    assert f"--engine {ENGINE}" in page.text


def test_equal_evidence_gives_equal_bytes(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    first, second = finished_reports(**DEMO) / "pt", tmp_path / "second"
    render(study, second, "pt", FORMATS)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_a_failed_rendering_leaves_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    shutil.copytree(finished_reports(**DEMO) / "pt", tmp_path / "pt")
    before = {path.name: path.read_bytes() for path in (tmp_path / "pt").iterdir()}
    templates = shutil.copytree(TEMPLATES, tmp_path / "report")
    (templates / "assets" / "blocks.lua").unlink()
    with pytest.raises(UserError, match=r"blocks\.lua: no such file"):
        render(study, tmp_path / "pt", formats=["html"], templates=templates)
    assert {path.name: path.read_bytes() for path in (tmp_path / "pt").iterdir()} == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".pt.")]


def test_hostile_names_reach_the_page_as_text(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    values = StudyFolder.of_file(study).evidence / "values.json"
    text = values.read_text(encoding="utf-8")
    name = "<script>alert(1)</script> #sys `a` *b* $c$ @x 'q'"
    values.write_text(text.replace("Synthetic GPU", name), encoding="utf-8")
    reseal(values.parent)
    render(study, tmp_path / "pt")
    page = Page((tmp_path / "pt" / "report.html").read_text(encoding="utf-8"))
    # Of the origins, of the metadata, and two of the page's own.
    assert len(page.all("script")) == 4
    assert name in page.text
    pages = PdfReader(tmp_path / "pt" / "report.pdf").pages
    assert "#sys`a`*b*$c$@x" in "".join("".join(p.extract_text() for p in pages).split())


def test_a_format_that_the_study_no_longer_asks_for_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_with_evidence(tmp_path, **DEMO)
    render_nothing_anew(monkeypatch)
    output = tmp_path / "pt"
    render(study, output, engine="pandoc")
    (output / "report.txt").write_text("not ours", encoding="utf-8")
    render(study, output, engine="pandoc", formats=["html"])
    assert (output / "report.pdf").is_file()  # the study still asks for it

    def html_only(*places: Path) -> Inputs:
        inputs = read_inputs(*places)
        spec = inputs.study.report.model_copy(update={"formats": ["html"]})
        return replace(inputs, study=inputs.study.model_copy(update={"report": spec}))

    monkeypatch.setattr(build, "read_inputs", html_only)
    render(study, output, engine="pandoc", formats=["html"])
    assert not (output / "report.pdf").exists()
    assert (output / "report.html").is_file()
    assert (output / "report.txt").is_file()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory that looks like the project's, and figures in one format."""
    (tmp_path / "report").symlink_to(TEMPLATES)
    monkeypatch.setattr(build, "write_figures", partial(write_figures, formats=("svg",)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_prints_what_it_made(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render_nothing_anew(monkeypatch)
    study_with_evidence(project, **DEMO)
    arguments = ["report", "results/demo/study.json", "--engine", "pandoc", "--format", "html"]
    answer = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert answer.exit_code == 0
    assert answer.stdout.splitlines() == [
        "results/demo/report/pt/article.qmd",
        "results/demo/report/pt/report.html",
        "results/demo/report/en/article.qmd",
        "results/demo/report/en/report.html",
    ]
    assert (project / "results/demo/report/pt/report.html").is_file()
    assert not (project / "results/demo/report/pt/report.pdf").exists()
    answer = CliRunner().invoke(app, [*arguments, "--language", "en"], catch_exceptions=False)
    assert answer.stdout.splitlines() == [
        "results/demo/report/en/article.qmd",
        "results/demo/report/en/report.html",
    ]


def test_a_partial_report_brings_its_own_evidence(project: Path) -> None:
    study = make_study(project, **PARTIAL)
    arguments = ["report", str(study), "--partial", "--engine", "pandoc", "--format", "html"]
    answer = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert answer.exit_code == 0
    folder = project / "results/partial/partial"
    for language, notice in (("pt", "Estudo incompleto"), ("en", "Incomplete study")):
        page = (folder / "report" / language / "report.html").read_text(encoding="utf-8")
        assert notice in page
    assert (folder / "evidence/values.json").is_file()
    assert not (project / "results/partial/report").exists()
    assert not (project / "results/partial/evidence").exists()


def test_a_report_without_evidence_names_the_command_that_makes_it(project: Path) -> None:
    study = make_study(project, **DEMO)
    with pytest.raises(UserError, match="resnet-sizes evidence"):
        CliRunner().invoke(app, ["report", str(study)], catch_exceptions=False)
