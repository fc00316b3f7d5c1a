"""Rendering a synthetic study's report, and a stand-in for Quarto."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from report_studies import TEMPLATES

from resnet_sizes.records.layout import StudyFolder
from resnet_sizes.reporting.build import build_report

STUB = """#!/bin/sh
if [ "$1" = --version ]; then echo {version}; exit 0; fi
echo "$@ $SOURCE_DATE_EPOCH" >> "$(dirname "$0")/calls"
test -f blocks.lua && test -f typst-template.typ || exit 3
case "$4" in html) echo page > article.html ;; typst) echo paper > article.pdf ;; esac
exit {status}
"""


def render(study: Path, output: Path, language: str = "pt", **settings: Any) -> list[Path]:
    settings = {"formats": ["html", "pdf"], "engine": "pandoc"} | settings
    evidence = StudyFolder.of_file(study).evidence
    return build_report(study, evidence, output, language, templates=TEMPLATES, **settings)


def put_quarto(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: str, status: int = 0
) -> Path:
    folder.mkdir()
    program = folder / "quarto"
    program.write_text(STUB.format(version=version, status=status), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder / "calls"
