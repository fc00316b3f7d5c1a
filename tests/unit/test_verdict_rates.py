"""The page on how often verdicts are wrong is what its script writes."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "verdict-rates.md"


def without_numbers(page: str) -> str:
    """The page but for what is measured, and on what."""
    page = re.sub(r"(?s)Measured by simulation.*?```sh", "", page)
    return re.sub(r"[\d.,]+", "", page)


@pytest.mark.long
def test_the_script_writes_the_page_with_its_own_numbers(tmp_path: Path) -> None:
    made = tmp_path / "rates.md"
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests" / "unit")])
    command = [sys.executable, "scripts/verdict_rates.py", str(made), "--studies", "4"]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths})
    assert without_numbers(made.read_text()) == without_numbers(PAGE.read_text())


def test_normal_studies_are_wrong_in_no_more_than_five_percent_by_the_page() -> None:
    # Two standard errors of 1,000 studies are 1.4.
    rows = re.findall(r"(?m)^\| (?:normal|any) \|(.*)\|$", PAGE.read_text())
    rates = [float(rate) for row in rows for rate in row.split("|")]
    assert len(rates) == 14  # by seeds, by readings, and warnings by seeds
    assert max(rates) <= 5 + 1.4
