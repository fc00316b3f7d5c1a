"""Make the pictures in docs/ from the demo's report and from the workflow.

    python scripts/pictures.py       (make pictures calls it, after the demo study)

Needs Debian's chromium and graphviz besides what `make setup` installs.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pypdfium2
from PIL import Image

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COLOURS = 128
GAP = 12
"""Pixels between two pages."""

SCREENS = {
    "report-html.png": ("pt", 1180, 1000, "light"),
    "report-html-en-dark.png": ("en", 1180, 1000, "dark"),
    "report-html-telephone.png": ("pt", 390, 844, "light"),
}
"""Language, width, height and colours of each picture of the page."""

PAGES = (1, 4, 5)
"""Pages of the PDF that are shown."""


def screens(report: Path) -> None:
    """The first screen of the page, as a desk and as a telephone show it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, (language, width, height, scheme) in SCREENS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
            )
            page.goto((report / language / "report.html").as_uri())
            with tempfile.TemporaryDirectory() as folder:
                page.screenshot(path=f"{folder}/screen.png")
                _save(Image.open(f"{folder}/screen.png"), name)
            page.close()
        browser.close()


def pages(pdf: Path) -> None:
    """Some pages of the PDF beside each other."""
    document = pypdfium2.PdfDocument(pdf)
    pictures = [document[number - 1].render(scale=0.85).to_pil() for number in PAGES]
    width = sum(picture.width + GAP for picture in pictures) + GAP
    sheet = Image.new("RGB", (width, pictures[0].height + 2 * GAP), "#bbbbbb")
    for number, picture in enumerate(pictures):
        sheet.paste(picture, (GAP + number * (picture.width + GAP), GAP))
    _save(sheet, "report-pdf.png")


def rule_graph() -> None:
    """The rules of the workflow."""
    told = subprocess.run(
        ["snakemake", "--rulegraph", "dot"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    graph = re.search(r"^digraph.*?^}", told.stdout, re.DOTALL | re.MULTILINE)
    assert graph is not None
    subprocess.run(
        ["dot", "-Tsvg", "-o", DOCS / "rulegraph.svg"], input=graph[0], text=True, check=True
    )


def _save(picture: Image.Image, name: str) -> None:
    picture.convert("RGB").quantize(COLOURS).save(DOCS / name, optimize=True)
    print(DOCS / name)


def main() -> None:
    missing = [name for name in ("chromium", "dot") if shutil.which(name) is None]
    if missing:
        sys.exit(f"pictures: not found: {missing}. Install: apt install chromium graphviz")
    report = ROOT / "results" / "demo" / "report"
    if not (report / "pt" / "report.pdf").is_file():
        sys.exit(f"pictures: {report}/pt/report.pdf: no such file. Make it with: make report")
    screens(report)
    pages(report / "pt" / "report.pdf")
    rule_graph()


if __name__ == "__main__":
    main()
