"""The embedded engine: pandoc and Typst from PyPI, for machines without Quarto.

It renders the same `.qmd` with the same stylesheet, Typst template and filter as Quarto, and
obeys the keys of the front matter that the report uses. An unknown key is an error, so that
the two engines cannot drift apart unseen.

Typst refuses a PDF/UA in which a letter cannot be seen. A class may be named in any script, or
with an emoji, and that is no reason to have no report: such a PDF is made without the standard,
with a box for the letter; the page, whose browser has more fonts, holds it as it is.
"""

import errno
import json
import logging
import os
import subprocess
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pypandoc
import typst

from resnet_sizes.i18n.numbers import moment
from resnet_sizes.io.yaml import parse_yaml
from resnet_sizes.schemas.study.study import REPORT_FILES, ReportFormat

_log = logging.getLogger(__name__)

_UNSEEN = "could not be displayed"
"""What Typst says of a letter that no font has."""

_FRONT_MATTER = {
    "title", "subtitle", "lang", "created", "engine", "bibliography", "csl", "link-citations",
    "filters", "crossref", "format",
    "syntax-highlighting",  # none: the report's code names no language
}  # fmt: skip
_OF_PANDOC = {
    "template", "section-divs", "embed-resources", "css", "toc", "toc-depth",
    "include-before-body", "include-after-body", "include-in-header",
}  # fmt: skip
"""Keys of the page that pandoc has as options of the same name."""
_HTML = {*_OF_PANDOC, "theme", "minimal", "toc-title"}
_TYPST = {"citeproc", "papersize", "pdf-standard", "template-partials"}

LATEX_SOURCE, LATEX_PREAMBLE, LATEX_METADATA = "report.tex", "latex.tex", "metadata.yaml"
MANUSCRIPTS: dict[ReportFormat, tuple[str, list[str]]] = {
    "docx": (REPORT_FILES["docx"], ["--to=docx"]),
    "latex": (LATEX_SOURCE, ["--to=latex", f"--include-in-header={LATEX_PREAMBLE}"]),
    "jats": (REPORT_FILES["jats"], ["--to=jats_publishing", "--template=article.jats"]),
}
"""What an author goes on with: what pandoc writes for each, and how."""


def versions() -> tuple[tuple[str, str], ...]:
    """Names and versions of pandoc and of typst's Python package, which numbers its own."""
    return (("pandoc", pypandoc.get_pandoc_version()), ("typst-py", version("typst")))


def read_front_matter(qmd: str) -> dict[str, Any]:
    """The YAML at the head of a `.qmd`. Raises ValueError for keys that this engine ignores."""
    front: dict[str, Any] = parse_yaml(qmd.split("---\n", 2)[1])
    unknown = sorted(
        [*(set(front) - _FRONT_MATTER)]
        + [f"format.html.{key}" for key in set(front["format"]["html"]) - _HTML]
        + [f"format.typst.{key}" for key in set(front["format"]["typst"]) - _TYPST]
    )
    if unknown:
        raise ValueError(f"the embedded engine does not know {', '.join(unknown)}")
    return front


def render(folder: Path, format: ReportFormat, created: str) -> Path:
    """Write one format into `folder`.

    The folder holds `article.qmd`, what it names, the engine's own `crossref.lua` and templates,
    and for LaTeX the figures as PDF and `LATEX_METADATA`. Raises ValueError or RuntimeError where
    one of these is wrong: that is a fault of the templates, not of the user. Raises OSError where
    the disk is full or refuses.
    """
    front = read_front_matter((folder / "article.qmd").read_text(encoding="utf-8"))
    if format in MANUSCRIPTS:
        return _manuscript(folder, front, format, created)
    return _html(folder, front) if format == "html" else _pdf(folder, front, created)


def read_tree(folder: Path) -> dict[str, Any]:
    """Pandoc's document of `article.qmd`, with its cross references and citations resolved. It is
    written to `folder`, and raises as `render` does."""
    front = read_front_matter((folder / "article.qmd").read_text(encoding="utf-8"))
    made = _pandoc(folder, front, "article.json", ["--to=json"])
    tree: dict[str, Any] = json.loads(made.read_text(encoding="utf-8"))
    return tree


def _html(folder: Path, front: dict[str, Any]) -> Path:
    page = front["format"]["html"]
    arguments = ["--to=html5", f"--variable=toc-title:{page['toc-title']}"]
    for key in sorted(_OF_PANDOC & set(page)):
        given = page[key] if isinstance(page[key], list) else [page[key]]
        arguments += [f"--{key}" if each is True else f"--{key}={each}" for each in given if each]
    return _pandoc(folder, front, "article.html", arguments)


def _manuscript(folder: Path, front: dict[str, Any], format: ReportFormat, created: str) -> Path:
    """The DOCX, the JATS, or the zip of the LaTeX project."""
    name, arguments = MANUSCRIPTS[format]
    arguments = [*arguments, "--shift-heading-level-by=-1", f"--variable=year:{created[:4]}"]
    made = _pandoc(folder, front, name, arguments)
    if format != "latex":
        return made
    text, target = made.read_text(encoding="utf-8"), folder / REPORT_FILES["latex"]
    figures = (path.name for path in sorted(folder.glob("figure-*.pdf")) if path.name in text)
    with ZipFile(target, "w") as project:
        for file in (name, *figures, "references.bib", LATEX_METADATA):
            entry = ZipInfo(file, moment(created).timetuple()[:6])
            project.writestr(entry, (folder / file).read_bytes(), ZIP_DEFLATED)
    return target


def _pdf(folder: Path, front: dict[str, Any], created: str) -> Path:
    # Without `-citations` pandoc would leave the citations to typst. Quarto also lifts the
    # headings, since the title is the only one of the first level.
    arguments = ["--to=typst-citations", "--template=page.typ", "--shift-heading-level-by=-1"]
    source = _pandoc(folder, front, "article.typ", arguments)
    target = folder / "article.pdf"
    compile_source = partial(
        typst.compile,
        str(source),
        output=str(target),
        root=str(folder),
        # The machine's own fonts would make pages differ from one machine to the next.
        ignore_system_fonts=True,
        timestamp=int(moment(created).timestamp()),
    )
    try:
        compile_source(pdf_standards=front["format"]["typst"]["pdf-standard"])
    except typst.TypstError as error:
        if _UNSEEN not in error.diagnostic:
            raise
        _log.info("The PDF has boxes for letters that its fonts lack, so it is no PDF/UA.")
        compile_source()
    return target


def _pandoc(folder: Path, front: dict[str, Any], target: str, arguments: list[str]) -> Path:
    filters = ["crossref.lua", *(each["path"] for each in front["filters"])]
    command = [
        pypandoc.get_pandoc_path(),
        "article.qmd",
        "--from=markdown",
        "--standalone",
        "--wrap=none",
        "--fail-if-warnings",
        "--data-dir=.",  # what a user keeps for pandoc is no part of the report
        *(f"--lua-filter={name}" for name in filters),
        "--citeproc",
        *arguments,
        f"--output={target}",
    ]
    environment = os.environ | {"LC_ALL": "C.UTF-8"}
    environment["SOURCE_DATE_EPOCH"] = str(int(moment(front["created"]).timestamp()))
    answer = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        raise_refusal(answer.stderr)
        raise RuntimeError(f"pandoc could not make {target}:\n{answer.stderr[-2000:]}")
    return folder / target


def raise_refusal(said: str) -> None:
    """Raise OSError, as a write of our own would, where a program that failed says that its disk
    is full or refuses: that is no fault of the templates or of the program."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        # Pandoc puts "resource exhausted" in front, which it also says of memory and open files.
        if os.strerror(number) in said:
            raise OSError(number, os.strerror(number))
