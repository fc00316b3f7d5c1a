"""docs/articles.md, followed to the letter from the article's file to the report."""

import pytest
from pypdf import PdfReader

from documented import blocks, write_files

PAGE = "docs/articles.md"


@pytest.mark.long
def test_an_article_of_ones_own_is_repeated_and_told_in_its_own_prose(project):
    def run(heading):
        for line in "".join(blocks(heading, "sh", PAGE)).splitlines():
            project.run(*line.split())

    report = project.folder / "results/tiny/report/en"
    write_files(PAGE, project.folder, "articles/tiny/article.yaml", "articles/tiny/references")
    run("1. The article file")
    write_files(PAGE, project.folder, "config/")
    run("2. The study")
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "reports results of ResNet-18 and ResNet-34 on handwritten digits" in page
    assert "Two networks on scanned digits: a replication" in page
    runs = sorted((project.folder / "results/tiny/runs").glob("*/*/*/metrics.json"))
    before = {path: path.stat().st_mtime_ns for path in runs}
    assert len(before) == 4
    write_files(PAGE, project.folder, "articles/tiny/prose")
    run("3. Its own prose")
    page = (report / "report.html").read_text(encoding="utf-8")
    assert "were among the first images" in page
    assert "EXAMPLE, Ada; MUSTERMANN, Max" in page
    assert "Two networks that read digits: a replication" in page
    paper = " ".join(each.extract_text() for each in PdfReader(report / "report.pdf").pages)
    assert "among the first images" in " ".join(paper.split())
    assert {path: path.stat().st_mtime_ns for path in runs} == before
    assert not (project.folder / "results/tiny/report/pt").exists()
