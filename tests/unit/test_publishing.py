"""What of a rendering comes into the folder of the report, and in which order."""

import os
import shutil
from pathlib import Path

import pytest
from rendering import render, render_nothing_anew
from report_studies import DEMO, TEMPLATES, study_with_evidence

from resnet_sizes.io.errors import UserError
from resnet_sizes.reporting.checks.page_check import seen_text


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`study.json` of a study with its evidence."""
    return study_with_evidence(tmp_path_factory.mktemp("study"), **DEMO)


@pytest.mark.parametrize("formats", [["html", "pdf"], ["pdf", "html"]])
def test_the_page_gets_its_name_after_all_that_it_names(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, formats: list[str]
) -> None:
    replace = Path.replace
    renamed = []

    def noted(temporary: Path, target: Path) -> Path:
        if target.parent == tmp_path / "pt":
            renamed.append(target.name)
        return replace(temporary, target)

    render_nothing_anew(monkeypatch)
    monkeypatch.setattr(Path, "replace", noted)
    made = render(study, tmp_path / "pt", formats=formats, engine="pandoc")
    assert sorted(renamed) == sorted(path.name for path in (tmp_path / "pt").iterdir())
    assert renamed[-2:] == ["report.pdf", "report.html"]
    assert [path.suffix for path in made] == [".qmd", *(f".{format}" for format in formats)]


def test_what_a_killed_rendering_left_is_removed_by_one_a_day_later(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [".pt.x1.tmp", ".pt.x2.tmp", ".en.x3.tmp", ".pt.own"]
    old, young, of_another, own = (tmp_path / name for name in names)
    for folder in (old, young, of_another, own):
        folder.mkdir()
        (folder / "article.qmd").touch()
    for folder in (old, of_another, own):
        os.utime(folder, (1_000_000_000, 1_000_000_000))
    render_nothing_anew(monkeypatch)
    render(study, tmp_path / "pt", formats=["html"], engine="pandoc")
    assert sorted(tmp_path.iterdir()) == sorted([young, of_another, own, tmp_path / "pt"])


@pytest.mark.parametrize(
    ("part", "instead"), [("<main>", "<div>"), ("<head>", "<head><script><!--<script>")]
)
def test_a_page_without_its_main_part_is_refused(
    study: Path, tmp_path: Path, part: str, instead: str
) -> None:
    templates = tmp_path / "report"
    shutil.copytree(TEMPLATES, templates)
    page = templates / "assets" / "page.html"
    page.write_text(page.read_text("utf-8").replace(part, instead), encoding="utf-8")
    with pytest.raises(UserError, match=r"(?s)no <main>.*not published\. Look in .*page\.html"):
        render(study, tmp_path / "pt", templates=templates, formats=["html"])
    assert not list((tmp_path / "pt").iterdir())


@pytest.mark.parametrize("page", ["", "<!-- nothing -->"])
def test_a_page_of_nothing_is_refused(page: str) -> None:
    with pytest.raises(UserError, match="no <body>"):
        seen_text(page)
