"""The report in a browser: sizes, colours, keyboard, screen readers, print."""

import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from shared_results import archived_result

from copied_process import copied

pytestmark = pytest.mark.slow

ACCURACY = '[data-k="probe-224.resnet18.accuracy.mean"]'


REPORTS = ["report", "demo_report", "long_report"]


@pytest.fixture(params=REPORTS)
def each_report(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_window(page: Page, each_report: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(each_report.as_uri())
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


def test_no_table_is_cut_off_on_a_wide_screen(page: Page, each_report: Path) -> None:
    page.goto(each_report.as_uri())
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".float-body")]
            .filter((box) => box.scrollWidth > box.clientWidth)
            .map((box) => box.textContent.trim().slice(0, 40))"""
    )
    assert cut == []
    assert page.locator(".float-body").count() > 8


@pytest.mark.parametrize(("width", "height"), [(768, 1024), (1280, 800), (1440, 900)])
def test_the_first_screen_has_the_answer_and_its_tables(
    page: Page, each_report: Path, width: int, height: int
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(each_report.as_uri())
    tables = page.locator("#resumo table")
    assert tables.count() == 2
    box = tables.last.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= height


def test_the_page_asks_for_nothing_but_itself(page: Page, report: Path) -> None:
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(report.as_uri())
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert errors == []
    assert report.stat().st_size < 3_000_000


def test_a_click_on_a_value_shows_where_it_comes_from(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    page.locator(f"table {ACCURACY}").first.click()
    panel = page.locator("#origin")
    assert panel.is_visible()
    text = panel.inner_text()
    for part in (
        "probe-224.resnet18.accuracy.mean",
        "runs/probe-224/resnet18/seed-0/metrics.json",
        "final_test_accuracy",
        "Synthetic GPU",
        "Semente",
    ):
        assert part in text
    box = panel.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 1440
    page.keyboard.press("Escape")
    assert not panel.is_visible()


def test_values_are_reached_by_keyboard_once_asked_for(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    assert page.locator(".v[tabindex]").count() == 0
    page.locator(".origin-button").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    while "v" not in (page.evaluate("document.activeElement.className") or "").split():
        page.keyboard.press("Tab")
    assert page.locator("#origin").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#origin").is_visible()


def test_all_of_an_origin_can_be_read_by_keyboard(page: Page, report: Path) -> None:
    page.set_viewport_size({"width": 1440, "height": 500})
    page.goto(report.as_uri())
    page.locator(".origin-button").click()
    value = page.locator(f"table {ACCURACY}").first
    value.focus()
    page.keyboard.press("Enter")
    assert value.get_attribute("aria-expanded") == "true"
    assert page.evaluate("document.activeElement.id") == "origin"
    left = "(box => box.scrollHeight - box.clientHeight - box.scrollTop)(document.activeElement)"
    assert page.evaluate(left) > 1
    page.keyboard.press("End")
    page.wait_for_function(f"{left} <= 1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "origin-close"
    page.keyboard.press("Enter")
    assert not page.locator("#origin").is_visible()
    assert page.evaluate("document.activeElement.dataset.k") == value.get_attribute("data-k")
    assert value.get_attribute("aria-expanded") == "false"


def test_the_contents_are_folded_where_they_would_push_the_text_down(
    page: Page, long_report: Path
) -> None:
    page.goto(long_report.as_uri())
    assert page.locator("#TOC a").first.is_visible()
    page.set_viewport_size({"width": 768, "height": 1024})
    page.locator("#TOC a").first.wait_for(state="hidden")
    page.locator("#TOC summary").click()
    assert page.locator("#TOC a").first.is_visible()


def test_the_contents_mark_the_section_that_is_read(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    page.locator("#conclusoes").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('conclusoes').scrollIntoView({behavior: 'instant'})")
    page.wait_for_selector('#TOC a[href="#conclusoes"][aria-current]')
    assert page.locator("#TOC a[aria-current]").count() == 1


def test_numbers_of_a_column_stand_with_their_units_below_each_other(
    page: Page, report: Path
) -> None:
    page.goto(report.as_uri())
    edges = page.evaluate(
        """() => [...document.querySelectorAll("#tbl-artigo tbody tr")].map((row) => {
          const cell = row.cells[4], walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
          const text = walker.nextNode(), units = /^[−\\d.]+/.exec(text.data)[0].length;
          const range = document.createRange();
          range.setStart(text, units - 1);
          range.setEnd(text, units);
          return [cell.textContent.trim(), Math.round(range.getBoundingClientRect().right)];
        })"""
    )
    assert {"," in text for text, _ in edges} == {True, False}
    assert len({edge for _, edge in edges}) == 1


@pytest.mark.parametrize(
    ("scheme", "width"),
    [
        ("light", 360),
        ("dark", 1440),
        pytest.param("light", 1440, marks=pytest.mark.long),
        pytest.param("dark", 360, marks=pytest.mark.long),
    ],
)
def test_a_screen_reader_and_a_weak_eye_find_nothing_serious(
    browser: Browser, report: Path, scheme: str, width: int
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page.goto(report.as_uri())
    page.locator(f"table {ACCURACY}").first.click()
    assert page.locator("#origin").is_visible()
    assert _serious(page) == []
    page.keyboard.press("Escape")
    page.locator(".origin-button").click()
    page.locator(f"table {ACCURACY}").first.click()
    assert _serious(page) == []
    page.close()


def _serious(page: Page) -> list[tuple[str, str]]:
    return [
        (rule["id"], rule["nodes"][0]["html"][:200])
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in ("serious", "critical")
    ]


def test_dark_paper_is_dark(browser: Browser, report: Path) -> None:
    page = browser.new_page(color_scheme="dark")
    page.goto(report.as_uri())
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    assert all(int(part) < 60 for part in colour.removeprefix("rgb(").rstrip(")").split(","))


def test_print_leaves_the_tools_of_the_screen_out(page: Page, report: Path) -> None:
    page.emulate_media(media="print")
    page.goto(report.as_uri())
    for tool in ("#TOC", ".origin-button", ".skip-link"):
        assert not page.locator(tool).is_visible()
    assert page.locator("#tbl-comparativo").is_visible()


def test_a_click_on_a_claim_opens_the_commands_that_check_it(page: Page, report: Path) -> None:
    page.goto(report.as_uri())
    assert page.locator("details:has(#confira-S1)").get_attribute("open") is None
    links = page.locator('#resumo a[href="#confira-S1"]')
    assert links.count() == 2  # the claim's id, and its verdict
    links.last.click()
    assert page.locator("details:has(#confira-S1)").get_attribute("open") is not None
    commands = page.locator("#confira-S1")
    assert commands.is_visible()
    study = re.match(r"resnet-sizes trace (\S+) S1\n", commands.inner_text())
    assert study
    assert f"resnet-sizes verify results/{study[1]} --replay 5" in commands.inner_text()
    assert not page.locator(".papel").is_visible()


def test_tables_of_a_comparison_stay_in_the_column_of_its_text(page: Page, tmp_path: Path) -> None:
    folder, written = archived_result(), tmp_path / "comparison.html"
    called = ["compare", "shared", "results/shared.zip", "--page", str(written)]
    done = copied().run([*called, "--language", "pt", "--language", "en"], folder)
    assert done.returncode == 0, done.stderr
    page.set_viewport_size({"width": 1100, "height": 900})
    page.goto(written.as_uri())
    edge = page.locator("h2").first.bounding_box()
    tables = page.locator(".float-body").all()
    assert edge
    assert len(tables) > 1
    for table in tables:
        box = table.bounding_box()
        assert box
        assert box["x"] + box["width"] <= edge["x"] + edge["width"] + 1
