"""A number without a source does not appear: planted ones are found wherever they stand."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import html
from rendering import ENGINE, finished_reports, render
from report_studies import ALL_READINGS, SHARED, TEMPLATES, context_of, reseal, study_with_evidence
from synthetic import MODELS, make_study

from resnet_sizes.evidence.build import build_evidence
from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.number_check import differences, sources_of
from resnet_sizes.reporting.checks.page_check import seen_text, strays
from resnet_sizes.reporting.checks.sources import Sources
from resnet_sizes.reporting.inputs import read_inputs
from resnet_sizes.reporting.render.engines import choose_engine
from resnet_sizes.reporting.render.pandoc import read_tree
from resnet_sizes.reporting.sections.article import render_article
from resnet_sizes.schemas.paths import StudyFolder

FOREIGN = "7"


class Report(NamedTuple):
    study: Path
    folder: Path
    page: str
    sources: Sources


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A report on two readings, with cross references, times that are computed or of a
    shared device, and all kinds of tables."""
    folder = tmp_path_factory.mktemp("report")
    study = study_with_evidence(folder, **SHARED)
    render(study, folder / "made")
    inputs = read_inputs(study, StudyFolder.of_file(study).evidence)
    engine = choose_engine(ENGINE)
    context = context_of(inputs)
    article = render_article(context, TEMPLATES, engine)
    page = (folder / "made" / "report.html").read_text(encoding="utf-8")
    sources = sources_of(folder / "made", article, context, engine)
    return Report(study, folder / "made", page, sources)


def found(page: str, report: Report) -> list[str]:
    return [stray.numeral for stray in strays(page, report.sources)]


def test_every_number_of_the_report_has_a_source(report: Report) -> None:
    assert strays(report.page, report.sources) == []


def planted(report: Report, path: str) -> list[tuple[str, str]]:
    """Pages with a foreign number in one of the elements of a path, each with its place.

    Of many elements it is the first, the last and two between.
    """
    tree = html.document_fromstring(report.page)
    pages, elements = [], tree.xpath(path)
    last = len(elements) - 1
    for number in sorted({0, last // 3, 2 * last // 3, last} if elements else ()):
        element = elements[number]
        changed = copy.deepcopy(tree)
        target = changed.xpath(path)[number]
        target.text = f"{target.text or ''} {FOREIGN} "
        place = target.get("id") or " ".join(element.text_content().split())[:40]
        pages.append((place, html.tostring(changed, encoding="unicode")))
    return pages


@pytest.mark.parametrize(
    "path",
    [
        "//h1|//main//h2|//main//h3",
        "//p[contains(@class, 'subtitle')]|//div[@class='autoria']/p|//div[@id='resumo']/p",
        "//section/p[1]|//section/ul/li[1]|//div[@class='nota']/p",
        "//figcaption",
        "//table/tbody/tr[1]/td|//table/thead/tr/th",
        "//main//code",
        "//nav//li/a",
        "//a[contains(@class, 'quarto-xref')]",
        "//span[@data-k]|//span[@data-l]|//span[@data-t]|//span[@data-n]",
        "//div[@id='refs']/div|//span[@class='citation']",
        "//head/title",
    ],
)
def test_a_foreign_number_is_found_wherever_it_stands(report: Report, path: str) -> None:
    pages = planted(report, path)
    assert pages
    for place, page in pages:
        assert FOREIGN in found(page, report), place


def test_a_foreign_number_is_found_in_the_alternative_text_of_a_figure(report: Report) -> None:
    tree = html.document_fromstring(report.page)
    for image in tree.xpath("//main//img"):
        image.set("alt", f"{image.get('alt')} {FOREIGN}")
        assert FOREIGN in found(html.tostring(tree, encoding="unicode"), report)


def test_a_value_that_is_not_what_its_key_holds_is_found(report: Report) -> None:
    key = "probe-224.resnet18.accuracy.mean"
    printed = f'data-k="{key}">80,84%<'
    assert printed in report.page
    assert found(report.page.replace(printed, f'data-k="{key}">80,85%<'), report)
    assert found(report.page.replace(f'data-k="{key}"', 'data-k="no.such.key"'), report)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Tabela\N{NO-BREAK SPACE}2", "Tabela\N{NO-BREAK SPACE}9"),
        (">2 Metodologia<", ">8 Metodologia<"),
        ("ResNet-50", "ResNet-51"),
        (">S13<", ">S99<"),
    ],
)
def test_numbers_bound_to_a_place_are_bound_to_the_right_one(
    report: Report, right: str, wrong: str
) -> None:
    assert right in report.page
    assert found(report.page.replace(right, wrong, 1), report)


def test_a_number_that_one_format_lacks_is_named(report: Report) -> None:
    for asset in (TEMPLATES / "assets").iterdir():
        if not (report.folder / asset.name).exists():
            shutil.copy(asset, report.folder)
    tree, figures = read_tree(report.folder), sorted(report.folder.glob("figure-*.svg"))
    paper = report.folder / "report.pdf"
    assert differences(report.page, paper, tree, figures, "pt") == []
    less = report.page.replace(">80,84%</span>", ">?</span>", 1)
    lines = differences(less, paper, tree, figures, "pt")
    assert len(lines) == 2
    assert all(line.startswith("80,84:") for line in lines)


def test_contents_and_scripts_are_not_what_a_reader_reads(report: Report) -> None:
    text = seen_text(report.page)
    assert text.count("2 Metodologia") == 1
    assert "dataset_identity" not in text


def test_a_report_with_a_number_from_nowhere_is_not_published(tmp_path: Path) -> None:
    templates = tmp_path / "report"
    shutil.copytree(TEMPLATES, templates)
    conclusions = templates / "pt" / "_conclusions.qmd.j2"
    text = conclusions.read_text(encoding="utf-8")
    conclusions.write_text(text + "\nIsso vale em 37 casos.\n", encoding="utf-8")
    study = study_with_evidence(tmp_path / "study", seeds=(0,))
    with pytest.raises(UserError) as error:
        render(study, tmp_path / "made", templates=templates, formats=["pdf"])
    for part in ("37 in: Isso vale em 37 casos.", "no source", "values.json", "report/pt/"):
        assert part in str(error.value)
    assert list((tmp_path / "made").iterdir()) == []


def test_the_page_tells_the_origin_of_every_value_that_it_prints(report: Report) -> None:
    tree = html.document_fromstring(report.page)
    told = json.loads(tree.get_element_by_id("origins").text)
    keys = set(tree.xpath("//main//@data-k"))
    assert keys
    assert keys <= set(told["values"])
    accuracy = told["values"]["probe-224.resnet18.accuracy.mean"]["sources"]
    assert len(accuracy) == 3
    for file, field in accuracy:
        assert field == "final_test_accuracy"
        run = told["runs"][file]
        assert (run["model"], run["protocol"]) == ("resnet18", "probe-224")
        assert {"seed", "device", "dataset_identity", "training_hash", "git_commit"} <= set(run)


def test_a_text_of_a_value_cannot_end_the_script_that_holds_it(tmp_path: Path) -> None:
    study = study_with_evidence(tmp_path / "study", seeds=(0,))
    path = StudyFolder.of_file(study).evidence / "values.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["values"]["hardware.device"]["value"] = "</script><b>GPU</b>"
    path.write_text(json.dumps(values), encoding="utf-8")
    reseal(path.parent)
    render(study, tmp_path / "made", formats=["html"])
    page = (tmp_path / "made" / "report.html").read_text(encoding="utf-8")
    assert "</script><b>" not in page


def test_numbers_of_many_readings_are_no_strays() -> None:
    # It raises UserError where a number has no source.
    assert finished_reports(**ALL_READINGS)


@pytest.mark.parametrize("language", ["pt", pytest.param("en", marks=pytest.mark.long)])
def test_numbers_in_the_names_of_readings_and_of_their_seeds_are_no_strays(
    tmp_path: Path, language: str
) -> None:
    own = {"19": {"weights": "w-2.pt"}, "3.9": {"weights": "none"}}
    seeds = {"default": (0,), "19": (4, 5, 6), "3.9": (3, 8)}
    settings: dict[str, Any] = {"name": "19", "protocols": ("19", "3.9", "one"), "readings": own}
    study = study_with_evidence(tmp_path / "study", seeds=seeds, epochs=2, **settings)
    assert render(study, tmp_path / language, language)


def test_numbers_in_the_names_of_classes_are_no_strays(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"content": "other", "seeds": (0,), "epochs": 2}
    study = make_study(tmp_path / "study", accuracies=dict.fromkeys(MODELS, 0.7), **settings)
    folder = StudyFolder.of_file(study)
    info = folder.dataset_info.read_text(encoding="utf-8")
    folder.dataset_info.write_text(info.replace("class-", "a *type* of_"), encoding="utf-8")
    build_evidence(study, folder.evidence, allow_partial=True)
    assert render(study, tmp_path / "made", formats=["html"])
