"""A real browser on a finished report."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

from playwright.sync_api import Browser, Page, sync_playwright
from rendering import finished_reports
from report_studies import ALL_READINGS, CACHED, DEMO

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def report() -> Path:
    """The page of a report on two readings."""
    return finished_reports(**CACHED) / "pt" / "report.html"


@pytest.fixture(scope="session")
def demo_report() -> Path:
    """The page of the demonstration, which begins with a notice."""
    return finished_reports(**DEMO) / "pt" / "report.html"


@pytest.fixture(scope="session")
def long_report() -> Path:
    """The page of a report on all readings."""
    return finished_reports(**ALL_READINGS) / "pt" / "report.html"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    yield page
    page.close()
