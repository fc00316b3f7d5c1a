"""An article is a folder: its report says nothing of another one."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pypdf import PdfReader
from rendering import Page, render
from report_prose import body_of, check_language
from report_studies import TEMPLATES, article_text, context_of
from synthetic import ARTICLE, make_study
from test_second_article import ARTICLE as SECOND
from test_second_article import RESULTS
from typer.testing import CliRunner

from resnet_sizes.cli.app import app
from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.build import build_report
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.reporting.text.printed import plain
from resnet_sizes.schemas.paths import StudyFolder

ARTICLES = ARTICLE.parents[1]
HE = ARTICLES / "he-2015" / "article.yaml"

OF_SANTOS = r"""
    Santos|Lemons|Concei[çc]|Colab|Google|eficiência|three[ ]networks|três[ ]redes|0[.,]0005|
    ResNet-18\b|ResNet-50\b|ResNet-152|80[.,]84|83[.,]55|85[.,]94|\b262\b|\b178%|744|
    article’s[ ]Figure|pre-trained|ResNet[ ]sizes|Tamanhos[ ]de[ ]ResNet|Sichman|sociedade
"""
"""Names, numbers and nouns that only the first article gives a reason for."""

OF_HE = r"""
    Plain|\bplain[ ](?:net|chain|form|residual)|ResNet-(?:20|32|44|56|110)\b|Zhang|Shaoqing|
    \biteration|iterações|8[.,]75|\b64[.,]?000\b|Residual[ ]and|degradation|harms
"""

OWN_PROSE = """\
Children learn their digits early. Somebody [-@somebody2020] let two networks do so.
"""
BIBLIOGRAPHY = """\
@book{somebody2020,
  author = {Somebody, A.},
  title = {Digits},
  publisher = {Press},
  location = {Town},
  year = {2020}
}
"""


def traces(text: str, nouns: str) -> list[str]:
    """What a text has of another article."""
    return re.findall(nouns, text, re.VERBOSE)


def written(folder: Path, article: Path, language: str = "en", **results: Any) -> str:
    """The article.qmd of a study on an article, as it would be rendered."""
    study = make_study(folder, article=article, languages=(language,), **results)
    evidence = StudyFolder.of_file(study).evidence
    build_evidence(study, evidence, allow_partial=True)
    context = context_of(read_inputs(study, evidence), language)
    text = render_article(context, TEMPLATES, choose_engine("pandoc")).text
    return str(plain(text))


def own_article(folder: Path, content: dict[str, Any] | None = None) -> Path:
    """The file of an article of one's own, in a folder without anything else."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "article.yaml"
    path.write_text(yaml.safe_dump(content or yaml.safe_load(SECOND)), encoding="utf-8")
    return path


def with_prose(folder: Path, language: str = "en") -> Path:
    """The same with prose, a title and a bibliography in one language."""
    content = yaml.safe_load(SECOND)
    content["article"]["reference"] = "somebody2020"
    path = own_article(folder, content)
    prose = folder / "prose" / language
    prose.mkdir(parents=True)
    (prose / "_background.qmd.j2").write_text(OWN_PROSE, encoding="utf-8")
    (prose / "texts.yaml").write_text("titles: {digits: Children and digits}\n", encoding="utf-8")
    (folder / "references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")
    return path


@pytest.mark.parametrize("language", ["pt", "en"])
def test_the_first_article_has_nothing_of_the_second(language: str) -> None:
    text = article_text(language)
    assert "Colab" in text  # of its own folder
    assert not traces(text, OF_HE)


ERRORS = {
    "resnet20": 8.9, "resnet56": 7.0, "resnet110": 6.6,
    "plain20": 9.8, "plain32": 10.5, "plain56": 12.9,
}  # fmt: skip
HE_RESULTS: dict[str, Any] = {
    "name": "residual",
    "models": list(ERRORS),
    "seeds": (0, 1, 2),
    "accuracies": {
        model: [1 - error / 100 + seed / 5000 for seed in range(3)]
        for model, error in ERRORS.items()
    },
    "minutes": dict.fromkeys(ERRORS, 9.0),
    "losses": dict.fromkeys(ERRORS, (1.7, 0.1)),
    "epochs": 20,
    "batch_size": 128,
    "learning_rate": 0.1,
    "readings": {"scratch-32": {"stem": "cifar", "optimizer": "sgd"}},
}


def test_the_second_article_has_nothing_of_the_first(tmp_path: Path) -> None:
    study = make_study(tmp_path, article=HE, languages=("en",), **HE_RESULTS)
    build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)
    render(study, tmp_path / "report", "en")
    text = plain((tmp_path / "report" / "article.qmd").read_text(encoding="utf-8"))
    page = Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8")).text
    pages = PdfReader(tmp_path / "report" / "report.pdf").pages
    paper = " ".join(each.extract_text() for each in pages)
    for told in (text, page, paper):
        assert "The networks here were written anew from" in " ".join(told.split())
        assert "Shaoqing" in told
        assert not traces(told, OF_SANTOS)
    check_language(text, "en")
    assert "With 0% more layers" not in page
    assert "Network | Layers | Parameters (millions) | Error" in text


@pytest.mark.parametrize("language", ["pt", "en"])
def test_an_article_without_prose_has_a_report_that_presumes_no_other(
    tmp_path: Path, language: str
) -> None:
    text = written(tmp_path, own_article(tmp_path / "own"), language, **RESULTS)
    check_language(text.replace("Two depths on scanned digits", ""), language)
    assert not traces(text, OF_SANTOS)
    assert not traces(text, OF_HE)
    assert "Two depths on scanned digits: " in text  # the title of the report
    assert "ResNet-34" in body_of(text).split("{#introducao}")[1].split("\n## ")[0]


def test_an_article_with_prose_of_its_own_is_told_by_it(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    study = make_study(tmp_path, article=article, languages=("en",), **RESULTS)
    build_evidence(study, StudyFolder.of_file(study).evidence, allow_partial=True)
    render(study, tmp_path / "report", "en")
    text = plain((tmp_path / "report" / "article.qmd").read_text(encoding="utf-8"))
    page = Page((tmp_path / "report" / "report.html").read_text(encoding="utf-8")).text
    for told in (text, page):
        assert "Children learn their digits early" in told
        assert "reports results of" not in told  # which is what is said of any
        assert "Children and digits" in told
        assert not traces(told, OF_SANTOS)
        assert not traces(told, OF_HE)
    assert "SOMEBODY, A." in page  # in the references


def test_languages_are_those_of_the_article_unless_some_are_asked_for(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    overlay = tmp_path / "own.yaml"
    overlay.write_text(f"article: {article}\n", encoding="utf-8")
    shown = CliRunner().invoke(app, ["study", "show", str(overlay)])
    assert yaml.safe_load(shown.stdout)["report"]["languages"] == ["en"]
    overlay.write_text(f"article: {article}\nreport: {{languages: [pt]}}\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"prose: is in en, and a report in pt is asked for\. .* \[en\]"
    ):
        CliRunner().invoke(app, ["study", "show", str(overlay)], catch_exceptions=False)


def test_a_report_in_a_language_that_an_article_lacks_is_refused(tmp_path: Path) -> None:
    content = yaml.safe_load(SECOND) | {"languages": ["en"]}
    article = own_article(tmp_path / "own", content)
    study = make_study(tmp_path, article=article, languages=("en",), **RESULTS)
    evidence = StudyFolder.of_file(study).evidence
    build_evidence(study, evidence, allow_partial=True)
    with pytest.raises(UserError, match=r"article.yaml: is in en, and a report in pt is asked for"):
        build_report(study, evidence, tmp_path / "report", "pt", ["html"], "pandoc", TEMPLATES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("titel: {digits: x}\n", r"texts.yaml: titel: has no text .* keys are those of .*en/texts"),
        ("titles: {digit: x}\n", r"texts.yaml: titles: digit: has no text"),
        ("titles: x\n", r"texts.yaml: titles: has no text"),
        ("- x\n", r"texts.yaml: has no text"),
    ],
)
def test_a_text_in_nobodys_place_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    article = with_prose(tmp_path / "own")
    (article.parent / "prose/en/texts.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=problem):
        written(tmp_path, article, **RESULTS)


def test_a_citation_that_no_bibliography_has_is_refused(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    (article.parent / "references.bib").unlink()
    overlay = tmp_path / "own.yaml"
    overlay.write_text(f"article: {article}\n", encoding="utf-8")
    problem = r"article.reference: 'somebody2020' is no key in"
    with pytest.raises(UserError, match=problem):  # before anything is trained
        CliRunner().invoke(app, ["study", "write", str(overlay)], catch_exceptions=False)
    with pytest.raises(UserError, match=problem):
        written(tmp_path, article, **RESULTS)


def test_a_template_with_an_error_is_named_with_the_line(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    path = article.parent / "prose/en/_background.qmd.j2"
    path.write_text("One.\n\n<< value( >>\n", encoding="utf-8")
    with pytest.raises(UserError, match=rf"{re.escape(str(path))}, line 3: "):
        written(tmp_path, article, **RESULTS)


def test_pages_on_results_are_in_the_languages_of_their_report(tmp_path: Path) -> None:
    article = with_prose(tmp_path / "own")
    study = make_study(tmp_path, article=article, languages=("en",), **RESULTS)
    page = tmp_path / "page.html"
    paths = [str(study.parent)] * 2
    assert CliRunner().invoke(app, ["compare", *paths, "--page", str(page)]).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert 'lang="en-GB"' in text
    assert "pt-BR" not in text
    asked = ["compare", *paths, "--page", str(page), "--language", "pt", "--language", "en"]
    assert CliRunner().invoke(app, asked).exit_code == 0
    assert 'lang="pt-BR"' in page.read_text(encoding="utf-8")
