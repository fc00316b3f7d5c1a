"""Rendering a synthetic study's report, reading its page, and a stand-in for Quarto."""

import os
import shutil
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from report_studies import DEMO, TEMPLATES, key_of, study_with_evidence

from made_once import made_once
from resnet_sizes.reporting import build
from resnet_sizes.reporting.build import build_report
from resnet_sizes.reporting.figures.draw import FORMATS, FigureFormat, write_figures
from resnet_sizes.reporting.render import pandoc
from resnet_sizes.reporting.render.engines import EngineKind
from resnet_sizes.schemas.paths import StudyFolder

QUARTO = os.environ.get("RESNET_SIZES_QUARTO", "")
"""The path of a real Quarto, which then renders the reports of all tests."""
if QUARTO:
    os.environ["PATH"] = f"{Path(QUARTO).absolute().parent}{os.pathsep}{os.environ['PATH']}"

ENGINE: EngineKind = "quarto" if QUARTO else "pandoc"

needs_quarto = pytest.mark.skipif(
    not QUARTO, reason="no real Quarto: set RESNET_SIZES_QUARTO to the path of one"
)

STUB = """#!{python}
import os, sys
from pathlib import Path

if sys.argv[1] == "--version":
    sys.exit(print("{version}"))
called = " ".join([*sys.argv[1:], os.environ["SOURCE_DATE_EPOCH"]])
with Path(__file__).with_name("calls").open("a") as calls:
    calls.write(called + "\\n")
if {status}:
    sys.exit({status})
from resnet_sizes.reporting.render.pandoc import render

made = render(Path.cwd(), "html" if sys.argv[4] == "html" else "pdf", "2025-01-01T20:00:00Z")
{afterwards}
"""
"""A stand-in for Quarto that makes what the embedded engine makes."""


def render(
    study: Path,
    output: Path,
    language: str = "pt",
    figure_formats: Sequence[FigureFormat] = ("svg",),
    **settings: Any,
) -> list[Path]:
    """Render a report, with its figures only in the format that page and paper are made of."""
    settings = {"formats": ["html", "pdf"], "engine": ENGINE, "templates": TEMPLATES} | settings
    evidence = StudyFolder.of_file(study).evidence
    with patch.object(build, "write_figures", partial(write_figures, formats=figure_formats)):
        return build_report(study, evidence, output, language, **settings)


def render_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the embedded engine take page, paper and figures from the demonstration's finished
    report in Portuguese, unchecked: for tests of what happens around a rendering."""
    finished = finished_reports(**DEMO) / "pt"

    def take(folder: Path, format: str, created: str) -> Path:
        return shutil.copyfile(finished / f"report.{format}", folder / f"article.{format}")

    def take_figures(_: object, folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
        figures = [each for each in finished.glob("figure-*") if each.suffix[1:] in formats]
        return [shutil.copyfile(figure, folder / figure.name) for figure in figures]

    for module in (build, sys.modules[__name__]):
        monkeypatch.setattr(module, "write_figures", take_figures)
    monkeypatch.setattr(pandoc, "render", take)
    monkeypatch.setattr(build, "check_numbers", lambda *_: None)


def finished_reports(**settings: Any) -> Path:
    """A folder with the finished reports of a synthetic study, one for each language.

    It is shared by all tests and not to be changed. The demonstration's has its figures in all
    formats.
    """
    figure_formats = FORMATS if settings == DEMO else ("svg",)

    def make(folder: Path) -> None:
        study = study_with_evidence(folder, **settings)
        for language in WORDINGS:
            render(study, folder / language, language, figure_formats)

    return made_once(["reports", key_of(settings)], make)


def put_quarto(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    status: int = 0,
    afterwards: str = "",
) -> Path:
    """Put a stand-in for Quarto on the PATH, which does something `afterwards` with what it
    `made`; the file that lists how it is called."""
    text = STUB.format(python=sys.executable, version=version, status=status, afterwards=afterwards)
    put_program(folder, monkeypatch, text)
    return folder / "calls"


def put_program(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str | bytes) -> Path:
    """Put a program of the name `quarto` on the PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / "quarto"
    program.write_bytes(text.encode() if isinstance(text, str) else text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program


class Page(HTMLParser):
    """What the tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._words: list[str] = []
        self._silent = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@dataclass(frozen=True)
class Wording:
    """What the finished pages of one language say."""

    lang: str
    other: str
    other_lang: str
    title: str
    floats: tuple[str, ...]
    references: str
    accessed: str
    alternative: str
    first_alternative: str
    first_section: str
    last_section: str
    engine: str
    foreign: str
    percentages: str


WORDINGS = {
    "pt": Wording(
        lang="pt-BR",
        other="English",
        other_lang="en-GB",
        title="Tamanhos de ResNet",
        floats=(
            "Tabela 1 – Comparativo",
            "Tabela 2 – ",
            "Figura 1 – Perda de treinamento",
            "Quadro 1 – Os vereditos e o que significam",
        ),
        references="6 Referências",
        accessed="Acesso em: 29 set. 2024",
        alternative="perda de treinamento",
        first_alternative="a marca do artigo está acima da marca desta replicação",
        first_section="1 Introdução",
        last_section="Apêndice E – Como este documento foi feito",
        engine=f"Documento composto com {'Quarto' if QUARTO else 'pandoc'}",
        foreign=r"\b(Table|Figure|Contents|References|Bibliografia)\b",
        percentages=r"\d+,\d+%",
    ),
    "en": Wording(
        lang="en-GB",
        other="Português",
        other_lang="pt-BR",
        title="ResNet sizes",
        floats=("Table 1 – Comparison", "Table 2 – ", "Figure 1 – Training loss"),
        references="6 References",
        accessed="Accessed on: 29 Sept. 2024",
        alternative="training loss",
        first_alternative="the mark of the article is above the mark of this replication",
        first_section="1 Introduction",
        last_section="Appendix E – How this document was made",
        engine=f"Document rendered with {'Quarto' if QUARTO else 'pandoc'}",
        foreign=r"\b(Tabela|Quadro|Figura|Sumário|Referências|Bibliography)\b",
        percentages=r"\d+\.\d+%",
    ),
}
