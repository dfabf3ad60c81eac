"""The chief's pages as they are asked for: what they show, where their figures lead, what they refuse."""

from __future__ import annotations

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from benchmarks import town
from corpora.petitions import Row
from nlp.petition import Petition
from serving.desk.overview import board, routes, window
from serving.desk.overview.tickets import PAGE
from serving.desk.tongue import ENGLISH, words
from serving.indicators import NAMES
from serving.service import Service
from serving.store import tables

PHONE = "13987654321"


@pytest.fixture
def lived(service: Service, petitions: list[Row]) -> Service:
    """Sixty days of an invented town."""
    asked = [Petition(row.id, row.text, row.title) for row in petitions[:200]]
    parts = (part for _, part in town.lived(service.office.decider, asked, service.settings.now(), 60, 6))
    town.fill(service.journal.engine, parts)
    return service


def href(page: str, after: str) -> str:
    """The first address that stands after a text."""
    found = re.search(r'href="([^"]+)"', page[page.index(after) :])
    assert found
    return unescape(found[1])


def sheets(content: bytes) -> dict[str, list[list[object]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_an_empty_store_tells_what_will_be_here(desk: TestClient) -> None:
    page = desk.get("/overview")
    assert page.status_code == 200
    assert "这里还没有数字" in page.text
    assert "/v1/outcomes" in page.text
    for path in ("rates", "words", "tickets", "figures.xlsx", "tickets.xlsx"):
        assert desk.get(f"/overview/{path}").status_code == 200, path


def test_every_figure_leads_to_as_many_tickets(desk: TestClient, lived: Service) -> None:
    page = desk.get("/overview").text
    tiles = re.findall(
        r'class="big"><a href="([^"]+)">([^<]+)</a>.*?(?:class="soft">([\d,]+) /|</section>)', page, re.DOTALL
    )
    assert len(tiles) == 6
    for address, value, part in tiles:
        listed = desk.get(unescape(address)).text
        told = re.search(r'id="total">([\d,]+)', listed)
        assert told
        assert told[1] == (part or value), address


def test_bars_lead_to_the_tickets_of_their_step(desk: TestClient, lived: Service) -> None:
    page = desk.get("/overview").text
    address, title = re.findall(r'<a href="([^"]+)" tabindex="-1" aria-label="([^"]+)"', page)[5]
    told = re.search(r'id="total">(\d+)', desk.get(unescape(address)).text)
    assert told
    assert told[1] == title.rpartition("：")[2]


def test_pages_go_on_where_the_last_one_ended(desk: TestClient, lived: Service) -> None:
    address, seen = "/overview/tickets?preset=year", []
    while address:
        page = desk.get(address).text
        rows = re.findall(r'<th scope="row"><a href="/overview/tickets/([0-9A-Z]{26})"', page)
        assert len(rows) <= PAGE
        seen += rows
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(following[1]) if following else ""
    kept = lived.journal.read(lambda c: c.execute(select(tables.decisions.c.id)).scalars().all())
    assert len(seen) == len(kept)
    assert set(seen) == set(kept)


def test_a_ticket_is_shown_whole_and_the_look_is_noted(desk: TestClient, service: Service) -> None:
    said = {"id": "A-1", "text": f"我叫欧阳建华，电话{PHONE}，楼上卫生间漏水到我家。", "channel": "网站"}
    decision = desk.post("/v1/decisions", json={"petitions": [said]}).json()["decisions"][0]
    name = decision["decision_id"]
    desk.post("/v1/feedback", json={"decision_id": name, "verdict": "returned", "reason": "不归我们管"})
    now = (service.settings.now() - timedelta(minutes=1)).isoformat()
    step = {"decision_id": name, "event": "dispatched", "unit": "物业科", "at": now}
    assert desk.post("/v1/outcomes", json=step).status_code == 200
    page = desk.get(f"/overview/tickets/{name}").text
    for told in ("A-1", "漏水到我家", decision["category"]["name"], "不归我们管", "物业科", "退单", "派单", "网站"):
        assert told in page
    listed = desk.get("/overview/tickets").text
    workbook = str(sheets(desk.get("/overview/tickets.xlsx").content))
    for text in (page, listed, workbook, desk.get("/overview").text, desk.get("/overview/words").text):
        assert PHONE not in text
        assert "欧阳建华" not in text
    column = tables.audit.c
    noted = service.journal.read(
        lambda c: c.execute(select(column.action, column.object).where(column.actor == "insecure")).all()
    )
    assert ("read", name) in [tuple(row) for row in noted]
    assert {("list", "tickets"), ("export", "tickets")} <= {tuple(row) for row in noted}


def test_workbooks_hold_the_figures_and_never_calculate(desk: TestClient, service: Service) -> None:
    said = {"id": "=1+1", "text": "=HYPERLINK(路灯不亮)", "channel": "@cmd"}
    desk.post("/v1/decisions", json={"petitions": [said]})
    reply = desk.get("/overview/tickets.xlsx")
    assert reply.headers["content-type"] == routes.XLSX
    head, row = sheets(reply.content)["工单"]
    found = dict(zip(head, row, strict=True))
    assert (found["编号"], found["渠道"]) == ("=1+1", "@cmd")
    assert str(found["脱敏后的正文"]).startswith("=HYPERLINK")
    book = sheets(desk.get("/overview/figures.xlsx").content)
    assert {
        "总览",
        "层级",
        "类别",
        "辖区",
        "单位",
        "认可与更正",
        "红线",
        "漂移",
        "上升的词",
        "上升的地点",
    } <= book.keys()
    assert [row[:2] for row in book["总览"]][1] == ["诉求", "1"]
    assert {row[0] for row in book["总览"]} >= set(NAMES.values())


def test_without_the_package_the_page_says_which_is_missing(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xlsxwriter", None)
    reply = desk.get("/overview/figures.xlsx")
    assert reply.status_code == 422
    assert "xlsxwriter" in reply.text


@pytest.mark.parametrize(
    "query",
    ["since=x", "since=2026-12-01&until=2026-11-01", "step=hour", "verdict=x", "rate=x", "held=2&rate=response",
     "after=x", "after=1-x", "word=a", "kind=word", "kind=x&word=a", "kind=word&word=" + "长" * 101],
)  # fmt: skip
def test_what_cannot_be_meant_is_told(desk: TestClient, query: str) -> None:
    reply = desk.get(f"/overview/tickets?{query}")
    assert reply.status_code == 422
    assert "不能这样看" in reply.text


def test_a_window_that_cannot_be_is_told_beside_the_form(desk: TestClient) -> None:
    reply = desk.get("/overview?since=<script>")
    assert reply.status_code == 422
    assert "since 须是日期" in reply.text
    assert "<form" in reply.text


@pytest.mark.parametrize("name", ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "x", "%3Cb%3E"])
def test_a_ticket_that_is_not_there(desk: TestClient, name: str) -> None:
    assert desk.get(f"/overview/tickets/{name}").status_code == 404


def test_everything_is_there_in_english(desk: TestClient, lived: Service) -> None:
    page = desk.get("/overview?lang=en").text
    assert "Acceptance rate" in page
    assert "Volume by tier" in page
    assert "诉求量" not in page
    said = [*window.STEPS.values(), *window.COMPARED.values(), *window.PRESETS.values(), *board.FORMULAS.values(),
            *board.DRIFTS.values(), *routes.EVENTS.values(), *NAMES.values(), *board.SAID.values(),
            *(name + "率" for name in board.SAID.values()), *_said()]  # fmt: skip
    assert set(said) <= words(ENGLISH).keys(), set(said) - words(ENGLISH).keys()


def _said() -> list[str]:
    """What the parts in Python say."""
    from pathlib import Path

    files = Path(board.__file__).parent.glob("*.py")
    return [one for path in files for one in re.findall(r'\bsay\("(.+?)"', path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("query", ["unit=%00", "channel=a%00b", "category=%1b", "kind=word&word=%00", "red=%00"])
def test_signs_that_cannot_be_seen_are_refused(desk: TestClient, query: str) -> None:
    reply = desk.get(f"/overview/tickets?{query}")
    assert reply.status_code == 422
    assert "控制字符" in reply.text


def test_one_workbook_of_tickets_is_made_at_a_time(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    both, met, made = threading.Barrier(2), [], routes.workbook.tickets

    def waited(*given: Any) -> Any:
        try:
            met.append(both.wait(1))
        except threading.BrokenBarrierError:
            both.reset()
        return made(*given)

    monkeypatch.setattr(routes.workbook, "tickets", waited)
    with ThreadPoolExecutor(2) as pool:
        replies = list(pool.map(desk.get, ["/overview/tickets.xlsx"] * 2))
    assert [reply.status_code for reply in replies] == [200, 200]
    assert not met
