"""Faults of an article's own prose: one error each, with the file and the line."""

import re
from pathlib import Path

import pytest
import yaml
from pypdf import PdfReader
from rendering import Page, render
from synthetic import make_study
from test_article_folders import BIBLIOGRAPHY, OWN_PROSE, RESULTS, with_prose, written
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.schemas.paths import StudyFolder

BACKGROUND = "prose/en/_background.qmd.j2"
TEXTS, VERDICTS = "prose/en/texts.yaml", "prose/en/verdicts.yaml"


def told(*arguments: str) -> str:
    """What a command says that is refused, in one line."""
    with pytest.raises(UserError) as caught:
        CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    return " ".join(str(caught.value).split())


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        (BACKGROUND, "One.\n\nAs [@nobody1999] says.\n", ", line 3: 'nobody1999' is no key in "),
        (BACKGROUND, "See @fig-nothing.\n", ", line 1: 'fig-nothing' is no key in"),
        (BACKGROUND, "See @somebody202.\n", "Did you mean 'somebody2020'?"),
        (BACKGROUND, "One.\n<< value( >>\n", ", line 2: "),
        (BACKGROUND, "One.\nCaf\u00e9\n".encode("latin-1"), ", line 2: is not UTF-8. Save it"),
        ("references.bib", "\n% caf\u00e9\n".encode("latin-1"), ", line 2: is not UTF-8"),
        ("references.bib", f"% {BIBLIOGRAPHY}", "article.reference: 'somebody2020' is no key in"),
        ("prose/en/_foo.qmd.j2", "One.\n", ": nothing reads it; allowed: _audit.qmd"),
        ("prose/en/_backgroud.qmd.j2", "One.\n", "Did you mean '_background.qmd.j2'? Rename it"),
        ("prose/fr/_background.qmd.j2", "One.\n", "prose/fr: nothing reads it; allowed: en, pt."),
        ("prose/_background.qmd.j2", "One.\n", "nothing reads it; allowed: en, pt."),
        (TEXTS, "titles: {digits: 'x << title'}\n", ", line 1: unexpected char \"'\""),
        (TEXTS, "titles: {digits: caf\u00e9}\n".encode("latin-1"), "is not YAML"),
        (TEXTS, "columns: {accurcy: x}\n", ": columns: accurcy: has no text in the report to take"),
        (VERDICTS, "reasons: {nope: x}\n", ": reasons: nope: has no text in the report"),
    ],
)  # fmt: skip
def test_what_no_report_could_be_made_of_is_told_before_any_run(
    tmp_path: Path, file: str, content: str | bytes, problem: str
) -> None:
    article = with_prose(tmp_path / "own")
    overlay = tmp_path / "own.yaml"
    overlay.write_text(f"article: {article}\n", encoding="utf-8")
    assert CliRunner().invoke(app, ["audit", str(article)]).exit_code == 0
    path = article.parent / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for command in (["audit", str(article)], ["study", "write", str(overlay)]):
        said = told(*command)
        assert problem in said
        assert str(article.parent / file.removesuffix("/_background.qmd.j2")) in said


@pytest.mark.parametrize(
    "text",
    [
        "Mail a@b.org, `@nobody`, \\@nobody <# @nobody #>[@somebody2020, << t('none') >>].\n",
        "[-@somebody2020; @acm2020] and [@{somebody2020}], @tbl-comparativo, @fig-loss.\n",
        "<% include '_mine.qmd.j2' %>\n",
    ],
)
def test_what_is_right_is_let_through(tmp_path: Path, text: str) -> None:
    article = with_prose(tmp_path / "own")
    (article.parent / BACKGROUND).write_text(text, encoding="utf-8")
    if "_mine" in text:
        (article.parent / "prose/en/_mine.qmd.j2").write_text(OWN_PROSE, encoding="utf-8")
    for left in ("prose/.DS_Store", "prose/en/_background.qmd.j2~", "prose/en/.texts.yaml.swp"):
        (article.parent / left).write_bytes(b"\xff")
    result = CliRunner().invoke(app, ["audit", str(article)], catch_exceptions=False)
    assert result.exit_code == 0


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
    for text, is_there in ((entry, True), (f"@comment{{{entry}}}", False), (f"% {entry}", False)):
        bibliography.write_text(text, encoding="utf-8")
        found = CliRunner().invoke(app, ["audit", str(article)])
        assert (found.exit_code == 0) == is_there


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


def test_a_table_that_this_report_has_not_is_told(tmp_path: Path) -> None:
    said = refused(tmp_path, "See @tbl-leituras.\n")  # of several readings
    assert "unresolved reference @tbl-leituras" in said
    assert f"Is it of the article's own {tmp_path / 'own/prose/en'}?" in said


def test_a_number_without_a_source_is_told_with_the_folder_of_the_prose(tmp_path: Path) -> None:
    said = refused(tmp_path, "One.\n\nIt has 61 layers.\n")
    assert "61 in: It has 61 layers." in said
    assert f"or in {tmp_path / 'own/prose/en'};" in said


def test_what_pandoc_refuses_is_looked_for_in_the_prose(tmp_path: Path) -> None:
    said = refused(tmp_path, "![A picture](nowhere.png)\n")
    assert "nowhere.png" in said
    assert f"Is it of the article's own {tmp_path / 'own/prose/en'}?" in said


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
