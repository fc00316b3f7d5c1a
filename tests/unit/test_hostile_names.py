"""Names of classes, texts of the article file and of the configuration are printed as texts."""

import json
import re
import shutil
import subprocess
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pypandoc
import pytest
import yaml
from lxml import etree, html
from pypdf import PdfReader
from rendering import FORMATS, Page, render
from report_studies import DEMO
from synthetic import ARTICLE, make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.reporting.checks.manuscripts import READERS
from resnet_sizes.reporting.text.escaping import escape_markdown
from resnet_sizes.schemas.paths import StudyFolder

CLASSES = [
    "<script>alert(1)</script>",
    "<!--<script>",
    '#import "x.typ": * #sys.inputs `a` ``b``',
    "$\\frac{$ and $x^2$",
    "\"double\" 'single' \\ /",
    "🙂 👩\u200d🔬",
    "שלום 猫",
    "{{ name }} << name >> <% x %> {{< include x >}}",
    "$(touch x); `id` | tee & > y",
    "*a* _b_ @c [d](http://e) | f ~g~ ^h^",
]
TEXT = "<b onclick=x>T</b> #sys.inputs $(id) {{ x }} \"q\" 'p' `c` 🙂 שלום <!--<script>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A study whose every free text is hostile, rendered in English."""
    folder = tmp_path_factory.mktemp("hostile")
    article: dict[str, Any] = yaml.safe_load(ARTICLE.read_text(encoding="utf-8"))
    article["article"]["title"] = TEXT
    article["article"]["authors"] = [TEXT]
    article["claims"][3]["text"] = {"pt": TEXT, "en": TEXT}
    path = folder / "article.yaml"
    path.write_text(yaml.safe_dump(article, allow_unicode=True), encoding="utf-8")
    study = make_study(folder, **DEMO, article=path)
    files = StudyFolder.of_file(study)
    _set_descriptions(study)
    info = json.loads(files.dataset_info.read_text(encoding="utf-8"))
    info["class_names"] = CLASSES
    files.dataset_info.write_text(json.dumps(info), encoding="utf-8")
    build_evidence(study, files.evidence, allow_partial=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # no font here has every script
        formats = ["html", "pdf", "docx", "latex", "jats"]
        render(study, folder / "en", "en", FORMATS, formats=formats)
    return {path.name: path for path in [*(folder / "en").iterdir(), *files.evidence.iterdir()]}


def _set_descriptions(study: Path) -> None:
    from resnet_sizes.io.hashes import content_hash
    from resnet_sizes.schemas.study.study import Study

    data = json.loads(study.read_text(encoding="utf-8"))
    for protocol in data["study"]["protocol_definitions"].values():
        protocol["description"] = {"pt": TEXT, "en": TEXT}
    data["study_hash"] = content_hash(Study.model_validate(data["study"]))
    study.write_text(json.dumps(data), encoding="utf-8")


def test_the_page_runs_nothing_of_them(hostile: dict[str, Path]) -> None:
    text = hostile["report.html"].read_text(encoding="utf-8")
    page = Page(text)
    # Of the origins, of the metadata, and two of the page's own.
    assert len(page.all("script")) == 4
    # As browsers do, lxml takes the end of a script that `<!--<script>` is in for a part of it.
    assert len(html.document_fromstring(text).xpath("//script")) == 4
    assert not [attributes for _, attributes in page.tags if "onclick" in attributes]
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]


def test_the_page_prints_them_as_they_stand(hostile: dict[str, Path]) -> None:
    page = Page(hostile["report.html"].read_text(encoding="utf-8"))
    assert TEXT in page.text


def test_the_pages_of_the_pdf_print_them_as_they_stand(hostile: dict[str, Path]) -> None:
    pages = PdfReader(hostile["report.pdf"]).pages
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in pages))
    assert "<bonclick=x>T</b>#sys.inputs$(id){{x}}" in text


def test_manuscripts_print_them_as_they_stand(hostile: dict[str, Path], tmp_path: Path) -> None:
    docx = READERS["docx"](hostile["report.docx"])
    # Dashes and quotes are those of typography; nothing else is another letter.
    assert "<b onclick=x>T</b> #sys.inputs $(id) {{ x }}" in docx
    assert "🙂 שלום <!--<script>" in docx
    assert "<b onclick=x>T</b> #sys.inputs $(id) {{ x }}" in READERS["jats"](hostile["report.xml"])
    assert not etree.parse(hostile["report.xml"]).xpath("//b|//script")
    with zipfile.ZipFile(hostile["report-latex.zip"]) as project:
        project.extractall(tmp_path)
    metadata = yaml.safe_load((tmp_path / "metadata.yaml").read_text(encoding="utf-8"))
    assert metadata["title"] == f"[Re] {TEXT}"
    assert r"\#sys.inputs \$(id) \{\{ x \}\}" in (tmp_path / "report.tex").read_text("utf-8")


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no LaTeX: pdflatex is not on the PATH")
def test_latex_does_nothing_of_them(hostile: dict[str, Path], tmp_path: Path) -> None:
    shutil.unpack_archive(hostile["report-latex.zip"], tmp_path)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    first = PdfReader(tmp_path / "report.pdf").pages[0].extract_text()
    assert "<bonclick=x>T</b>#sys.inputs$(id){{x}}" in re.sub(r"\s", "", first)


def test_figures_hold_no_script(hostile: dict[str, Path]) -> None:
    for name, path in hostile.items():
        if path.suffix == ".svg":
            svg = path.read_text(encoding="utf-8")
            assert "<script>" not in svg, name
            assert "onclick" not in re.sub(r"<!--.*?-->|&lt;.*?&gt;", "", svg, flags=re.S), name


def test_the_qmd_leaves_no_code_for_quarto_to_run(hostile: dict[str, Path]) -> None:
    qmd = hostile["article.qmd"].read_text(encoding="utf-8")
    assert "{{<" not in qmd
    assert "```{" not in qmd
    assert "<script>" not in qmd


@pytest.mark.parametrize(
    ("name", "in_typst"),
    [
        ("= x", "[\\= x]"),
        ("== x", "[\\=\\= x]"),
        ("- x", "[\\- x]"),
        ("+ x", "[\\+ x]"),
        ("/ x: y", "[\\/ x: y]"),
        ("12. x", "[12\\. x]"),
    ],
)
def test_a_name_that_fills_a_cell_begins_no_heading_and_no_item(name: str, in_typst: str) -> None:
    table = f"| a |\n|---|\n| {escape_markdown(name)} |\n"
    blocks = ARTICLE.parents[2] / "report/assets/blocks.lua"
    found = pypandoc.convert_text(table, "typst", "markdown", extra_args=[f"--lua-filter={blocks}"])
    assert in_typst in found
