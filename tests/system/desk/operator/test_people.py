"""People at the desk: two on one ticket, one whose session ends, a service that goes away under their hands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import delete

from serving.access.cookie import SESSION
from serving.store import tables
from serving.store.engine import open_engine, writing
from tests.system.browser import Visitor
from tests.system.desk.conftest import Visit
from tests.system.desk.operator.conftest import LEAK, opened, rows, settled, suggested, typed
from tests.system.office import Office

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home: Path = tmp_path_factory.mktemp("people") / "home"
    home.mkdir()
    with Office(home, insecure=False, JIESU_WORKERS="1") as opened:
        yield opened


@pytest.fixture(scope="module")
def keys(office: Office) -> dict[str, str]:
    def made(name: str) -> str:
        done = office.run("-m", "jiesu", "keys", "create", "--scope", "operator", "--name", name)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return {name: made(name) for name in ("张敏", "李强")}


def signed_in(visitor: Visitor, key: str) -> Page:
    """Their desk, after a sign-in of their own; signing in by the form has tests of its own."""
    reply = httpx.post(f"{visitor.url}/login", json={"key": key})
    assert reply.status_code == 200, reply.text
    visitor.context.add_cookies([{"name": SESSION, "value": reply.cookies[SESSION], "url": visitor.url}])
    return opened(visitor.page)


def test_two_operators_on_one_ticket(visit: Visit, office: Office, keys: dict[str, str]) -> None:
    first, second = signed_in(visit(), keys["张敏"]), signed_in(visit(), keys["李强"])
    for page in (first, second):
        page.get_by_label("工单号").fill("GD-1")
        typed(page, LEAK)
    first.keyboard.press("Enter")
    settled(first)
    second.keyboard.press("Alt+2")
    suggested(second)
    second.keyboard.press("Enter")
    expect(second.locator("#taken")).to_be_visible()
    expect(second.locator("#taken-said")).to_contain_text("张敏")
    second.keyboard.press("Escape")
    expect(second.locator("#text")).to_have_value(LEAK)
    expect(second.locator("#settled")).to_contain_text("张敏")
    assert len(rows(office, tables.feedback)) == 1
    second.keyboard.press("Enter")
    second.get_by_role("button", name="仍然提交").click()
    settled(second)
    assert {row["operator"] for row in rows(office, tables.feedback)} == {"张敏", "李强"}


def test_a_session_that_ends_loses_nothing(visit: Visit, office: Office, keys: dict[str, str]) -> None:
    visitor = visit()
    page = signed_in(visitor, keys["张敏"])
    typed(page, LEAK[:10])
    engine = open_engine(office.store)
    with writing(engine) as connection:
        connection.execute(delete(tables.sessions))
    engine.dispose()
    page.wait_for_timeout(1200)  # a session counts for a second after it was read
    page.keyboard.insert_text(LEAK[10:])
    dialog = page.get_by_role("dialog", name="登录已过期")
    expect(dialog).to_be_visible()
    expect(page.locator("#text")).to_have_value(LEAK)
    dialog.get_by_label("密钥").fill(keys["张敏"])
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    suggested(page)
    expect(page.locator("#text")).to_have_value(LEAK)
    page.locator("#text").focus()
    page.keyboard.press("Enter")
    settled(page)


def test_a_service_that_goes_away_while_somebody_types(visit: Visit, home: Path) -> None:
    office = Office(home, JIESU_WORKERS="1")
    with office:
        visitor = visit(office.url)
        page = opened(visitor.page)
        typed(page, LEAK[:10])
        office.stop()
        page.keyboard.insert_text(LEAK[10:])
        expect(page.locator("#notice")).to_contain_text("正在重连")
        page.keyboard.type("。")
        expect(page.locator("#text")).to_have_value(LEAK + "。")
        visitor.accessible()
        office.start()
        expect(page.locator("#notice")).to_be_hidden()
        suggested(page)
        expect(page.locator("#choices li").first).to_contain_text("漏水渗水")
        office.stop()
        page.keyboard.press("Enter")
        expect(page.locator("#notice")).to_contain_text("正在重连")
        expect(page.locator("#text")).to_have_value(LEAK + "。")
        office.start()
        settled(page)
        assert len([row for row in rows(office, tables.feedback) if row["operator"]]) == 1
        visitor.broken.clear()  # what Chromium says of a connection that is refused


def test_an_answer_that_was_lost_on_the_way_is_not_settled_twice(
    visit: Visit, office: Office, keys: dict[str, str]
) -> None:
    page = signed_in(visit(), keys["张敏"])
    before = len(rows(office, tables.feedback))
    lost = []

    def lose(route: object) -> None:
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/desk/settle", lose)
    typed(page, LEAK)
    page.keyboard.press("Enter")
    settled(page)
    assert lost == [200]
    assert len(rows(office, tables.feedback)) == before + 1
