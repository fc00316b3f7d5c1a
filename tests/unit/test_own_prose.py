"""Faults of an article's own prose: one error each, with the file and the line."""

import re
from pathlib import Path

import pytest
import yaml
from pypdf import PdfReader
from rendering import Page, render
from synthetic import make_study
from test_article_folders import RESULTS, with_prose, written
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.paths import StudyFolder

BACKGROUND = "prose/en/_background.qmd.j2"
TEXTS, VERDICTS = "prose/en/texts.yaml", "prose/en/verdicts.yaml"


@pytest.mark.parametrize(
    "entry",
    [
        "@article{ doe-2020 ,\n title={x}}",
        " @Article {doe-2020, title={x}}",
        "@book{\ndoe-2020,\n}",
    ],
)
def test_an_entry_is_found_however_it_is_written(tmp_path: Path, entry: str) -> None:
    article = with_prose(tmp_path / "own")
    content = yaml.safe_load(article.read_text(encoding="utf-8"))
    content["article"]["reference"] = "doe-2020"
    article.write_text(yaml.safe_dump(content), encoding="utf-8")
    (article.parent / BACKGROUND).write_text("One [-@doe-2020].\n", encoding="utf-8")
    bibliography = article.parent / "references.bib"
    overlay = tmp_path / "own.yaml"
    overlay.write_text(f"article: {article}\n", encoding="utf-8")
    for text, is_there in ((entry, True), (f"@comment{{{entry}}}", False), (f"% {entry}", False)):
        bibliography.write_text(text, encoding="utf-8")
        found = CliRunner().invoke(app, ["study", "show", str(overlay)])
        assert (found.exit_code == 0) == is_there


def test_a_bibliography_in_another_encoding_is_told(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    (article.parent / "references.bib").write_bytes("% caf\u00e9\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"references\.bib: is not UTF-8"):
        written(tmp_path, article, **RESULTS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<< article.setup.epochs >>", "TypeError: only text may be printed, not 5: a number by"),
        ('<< network("resnet99") >>', "found 'resnet99'; allowed: resnet18,"),
        ("<< 1/0 >>", "ZeroDivisionError: division by zero"),
        ("<% include '_background.qmd.j2' %>", "RecursionError: "),
        ("<% include '_nothing.qmd.j2' %>", "_nothing.qmd.j2"),
        ('<< value("article.epoch") >>', "Did you mean 'article.epochs'? Correct it"),
        ("<< nope >>", "'nope' is undefined. Correct it"),
        ('<< t("nope") >>', "there is no text 'nope'. Correct it"),
    ],
)  # fmt: skip
def test_what_fails_in_a_template_is_told_with_its_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    article = with_prose(tmp_path / "own")
    path = article.parent / BACKGROUND
    path.write_text(f"One.\n\n{text}\n", encoding="utf-8")
    with pytest.raises(UserError) as caught:
        written(tmp_path, article, **RESULTS)
    assert str(caught.value).startswith(f"{path}, line 3: ")
    assert problem in str(caught.value)
    assert str(caught.value).endswith("Correct it, then run the same command again.")


def test_a_text_with_a_gap_that_nothing_fills_is_told(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    (article.parent / TEXTS).write_text("titles: {digits: 'x << titel >>'}\n", encoding="utf-8")
    told = r"texts.yaml: titles.digits: 'titel' is undefined; allowed: title\."
    with pytest.raises(UserError, match=told):
        written(tmp_path, article, **RESULTS)


def refused(tmp_path: Path, text: str) -> str:
    """What is said of prose that only a finished page shows to be wrong."""
    article = with_prose(tmp_path / "own")
    (article.parent / BACKGROUND).write_text(text, encoding="utf-8")
    study = make_study(tmp_path, article=article, languages=("en",), **RESULTS)
    build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)
    with pytest.raises(UserError) as caught:
        render(study, tmp_path / "report", "en", formats=["html"])
    return str(caught.value)


def test_a_number_without_a_source_is_told_with_the_folder_of_the_prose(tmp_path: Path) -> None:
    said = refused(tmp_path, "One.\n\nIt has 61 layers.\n")
    assert "61 in: It has 61 layers." in said
    assert f"or in {tmp_path / 'own/prose/en'};" in said


def test_a_word_that_no_line_can_hold_stays_on_the_page(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    (article.parent / BACKGROUND).write_text(f"A {'w' * 300} word.\n", encoding="utf-8")
    study = make_study(tmp_path, article=article, languages=("en",), **RESULTS)
    build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)
    render(study, tmp_path / "report", "en")
    assert "w" * 300 in Page((tmp_path / "report/report.html").read_text(encoding="utf-8")).text
    pages = PdfReader(tmp_path / "report/report.pdf").pages
    runs = re.findall(r"w{20,}", "\n".join(page.extract_text() for page in pages))
    assert sum(map(len, runs)) == 300
    assert max(map(len, runs)) < 100
