"""The chief's page in a browser: from a figure to its tickets, filters, pictures, workbooks, keyboard and phone."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect
from python_calamine import CalamineWorkbook

from benchmarks import town
from corpora.petitions import Row
from nlp.decider import Decider
from nlp.petition import Petition
from serving.store.engine import open_engine
from tests.system.browser import PHONE
from tests.system.desk.conftest import Visit
from tests.system.office import Office

pytestmark = pytest.mark.system
DAYS, EACH = 60, 40
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, decider: Decider, corpus: list[Row]) -> Iterator[Office]:
    """An office that has been at it for sixty days."""
    home: Path = tmp_path_factory.mktemp("overview") / "home"
    home.mkdir()
    with Office(home, JIESU_WORKERS="1") as opened:
        engine = open_engine(opened.store)
        asked = [Petition(row.id, row.text, row.title) for row in corpus[::40]]
        parts = town.lived(decider, asked, datetime.now(ZONE), DAYS, EACH)
        town.fill(engine, (part for _, part in parts))
        engine.dispose()
        yield opened


def shown(page: Page) -> None:
    """All parts of the page are there, those that come later too."""
    page.goto("/overview")
    expect(page.get_by_role("heading", name="及时率")).to_be_visible()
    expect(page.get_by_role("heading", name="上升的地点")).to_be_visible()


def test_from_a_bar_to_its_tickets_and_to_one_of_them(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    shown(page)
    visitor.accessible()
    visitor.shot("overview")
    bar = page.locator("#volume a").first
    told = re.search(r"：(\d+)$", bar.get_attribute("aria-label") or "")
    assert told
    bar.click()
    expect(page.get_by_role("heading", name="工单", level=1)).to_be_visible()
    expect(page.locator("#total")).to_have_text(f"{told[1]} 件")
    visitor.accessible()
    page.goto("/overview/tickets?red=1")
    visitor.shot("overview-tickets")
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("heading", name="为什么这样判")).to_be_visible()
    expect(page.get_by_text("红线：")).to_be_visible()
    visitor.accessible()
    visitor.shot("overview-ticket")


def test_what_is_filtered_by_holds_for_figures_and_tickets(visit: Visit) -> None:
    page = visit().page
    shown(page)
    page.get_by_role("combobox", name="辖区").select_option("清泉街道")
    page.get_by_role("combobox", name="对照").select_option("year")
    page.get_by_role("button", name="看", exact=True).click()
    expect(page.get_by_role("combobox", name="辖区")).to_have_value("清泉街道")
    figure = page.locator(".tile .big a").first
    count = figure.inner_text()
    figure.click()
    expect(page.locator("#total")).to_have_text(f"{count} 件")
    expect(page.get_by_text("辖区：清泉街道")).to_be_visible()
    page.get_by_role("link", name="← 总览").click()
    expect(page.get_by_role("combobox", name="对照")).to_have_value("year")


def test_a_rising_word_leads_to_the_tickets_that_hold_it(visit: Visit) -> None:
    page = visit().page
    shown(page)
    link = page.locator("#risen tbody a").first
    word = link.inner_text()
    link.click()
    expect(page.get_by_text(f"“{word}”")).to_be_visible()
    page.locator("tbody th a").first.click()
    expect(page.get_by_role("main")).to_contain_text(word)


def test_a_chart_becomes_a_picture(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    shown(visitor.page)
    key = 24  # the row that says what the patterns mean
    for name, size in (("volume", (1280, 260 + key)), ("verdicts", (720, 240)), ("category-1", (240, 92))):
        with visitor.page.expect_download() as coming:
            visitor.page.locator(f"[data-picture={name}]").click()
        kept = tmp_path / f"{name}.png"
        coming.value.save_as(kept)
        content = kept.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", content[16:24])
        assert (width, height) == (2 * (size[0] + 24), 2 * (size[1] + 46))
        assert len(content) > 5000  # something is drawn


def test_figures_and_tickets_become_workbooks(visit: Visit, tmp_path: Path) -> None:
    page = visit().page
    shown(page)
    counts = {}
    for path in ("/overview", "/overview/tickets"):
        page.goto(path)
        with page.expect_download() as coming:
            page.get_by_role("link", name="导出 XLSX").click()
        kept = tmp_path / coming.value.suggested_filename
        coming.value.save_as(kept)
        book = CalamineWorkbook.from_filelike(io.BytesIO(kept.read_bytes()))
        counts[path] = {name: len(book.get_sheet_by_name(name).to_python()) - 1 for name in book.sheet_names}
    total = page.locator("#total").inner_text().removesuffix(" 件").replace(",", "")
    assert counts["/overview/tickets"] == {"工单": int(total)}
    assert counts["/overview"]["层级"] == 30


def test_everything_is_reached_by_keyboard(visit: Visit) -> None:
    """From the skip link into the form, and to a number in a picture's table, past no bar."""
    page = visit().page
    shown(page)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到正文")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#volume ~ *, section:has(#volume) summary')"):
            break
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # the table, which scrolls
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_be_visible()


def test_on_a_phone_nothing_is_cut_off(visit: Visit) -> None:
    visitor = visit(viewport=PHONE)
    page = visitor.page
    shown(page)
    for path in ("/overview", "/overview/tickets"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto("/overview")
    visitor.accessible()
    visitor.shot("overview-phone")
    page.locator("tbody a").first.scroll_into_view_if_needed()


def test_in_english(visit: Visit) -> None:
    page = visit().page
    page.goto("/overview?lang=en")
    expect(page.get_by_role("heading", name="Volume by tier")).to_be_visible()
    expect(page.get_by_role("heading", name="Timeliness rate")).to_be_visible()
    expect(page.get_by_role("heading", name="Rising words", exact=True)).to_be_visible()
    page.goto("/overview/tickets")
    expect(page.get_by_role("heading", name="Tickets")).to_be_visible()


def test_bad_input_is_told_beside_the_form(visit: Visit) -> None:
    page = visit().page
    page.goto("/overview?since=2026-12-31&until=2026-01-01")
    expect(page.get_by_role("alert")).to_contain_text("晚于")
    expect(page.get_by_label("从")).to_be_visible()
