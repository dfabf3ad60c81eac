"""Signing in with an account of the office, in a browser: there and back, and in the middle of something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.serving.access.sso import CLIENT, SECRET, Sso, signing_on
from tests.system.browser import PHONE, Visitor
from tests.system.desk.conftest import Visit
from tests.system.office import Office

pytestmark = pytest.mark.system
ENDED = """
import sys
from serving.store.engine import open_engine, writing
from serving.store.tables import sessions
with writing(open_engine(sys.argv[1])) as connection:
    connection.execute(sessions.delete())
"""
ASK = """(path) => {
    const source = document.querySelector('script[src$="/page.js"]').src.replace("page.js", "ask.js");
    window.asked = import(source).then(({ ask }) => ask(path, { method: "POST", json: window.body }));
    window.asked.catch(() => null);
}"""
BODY = {"petitions": [{"id": "1", "text": "小区门口的路灯不亮"}]}
NAMED = """(name) => {
    const shown = document.createElement("span");
    shown.className = "name";
    shown.textContent = name;
    document.querySelector(".self").prepend(shown);
}"""
WRITE = """() => {
    const field = document.createElement("textarea");
    field.setAttribute("aria-label", "诉求");
    document.querySelector("main").append(field);
}"""


@pytest.fixture(scope="module")
def sso() -> Iterator[Sso]:
    with signing_on() as opened:
        opened.with_form = True
        yield opened


@pytest.fixture(scope="module")
def office(sso: Sso, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home: Path = tmp_path_factory.mktemp("signon") / "home"
    home.mkdir()
    with Office(
        home, insecure=False, JIESU_WORKERS="1", JIESU_OIDC_ISSUER=sso.url, JIESU_OIDC_JWKS=f"{sso.url}/jwks",
        JIESU_OIDC_CLIENT=CLIENT, JIESU_OIDC_CLIENT_SECRET=SECRET,
    ) as opened:  # fmt: skip
        yield opened


def arrived(visit: Visit, sso: Sso, **more: object) -> Visitor:
    visitor = visit(**more)
    visitor.allowed.add(urlsplit(sso.url).netloc)
    return visitor


def agree(page: Page, account: str = "desk-7") -> None:
    """What somebody does at the issuer's page."""
    page.get_by_label("账号").fill(account)
    page.get_by_role("button", name="同意").click()


def ask(page: Page) -> None:
    """Have the page send something, as its scripts do; the answer is awaited by `answer`."""
    page.evaluate("(body) => { window.body = body; }", BODY)
    page.evaluate(ASK, "/v1/decisions")


def answer(page: Page) -> object:
    return page.evaluate("async () => (await window.asked).decisions.length")


def test_there_and_back(sso: Sso, visit: Visit) -> None:
    visitor = arrived(visit, sso)
    page = visitor.page
    page.goto("/login?next=/login/done")
    expect(page.get_by_role("link", name="单位账号登录")).to_be_visible()
    visitor.accessible()
    visitor.shot("login-account")
    page.get_by_role("link", name="单位账号登录").click()
    agree(page)
    expect(page.get_by_role("heading", name="登录好了")).to_be_visible()
    visitor.accessible()
    cookies = {cookie["name"]: cookie for cookie in visitor.context.cookies()}
    assert cookies.keys() == {"jiesu_session"}
    assert cookies["jiesu_session"]["httpOnly"]
    assert page.evaluate("document.cookie") == ""
    ask(page)
    assert answer(page) == 1


def test_on_a_phone(sso: Sso, visit: Visit) -> None:
    visitor = arrived(visit, sso, viewport=PHONE)
    visitor.page.goto("/login")
    visitor.accessible()
    visitor.shot("login-account-phone")
    assert visitor.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_account_without_rights_is_told_so(sso: Sso, visit: Visit) -> None:
    visitor = arrived(visit, sso)
    sso.access = {"scope": "openid"}
    try:
        visitor.page.goto("/login/oidc")
        agree(visitor.page, "stranger")
        expect(visitor.page.get_by_role("alert")).to_have_text("这个账号没有本系统的权限，请找管理员开通")
        visitor.accessible()
    finally:
        sso.access = {}


def test_a_session_that_ends_in_the_middle_costs_nothing(sso: Sso, office: Office, visit: Visit) -> None:
    """Somebody signs in anew in another window; what was written stays, and what was sent goes out."""
    visitor = arrived(visit, sso)
    page = visitor.page
    page.goto("/login/oidc?next=/login/done")
    agree(page)
    page.evaluate(WRITE)
    page.get_by_label("诉求").fill("写到一半的话")
    ask(page)
    assert answer(page) == 1
    done = office.run("-c", ENDED, office.store)
    assert done.returncode == 0, done.stderr
    page.wait_for_timeout(1100)  # until the process no longer remembers the session
    ask(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("登录已过期")
    visitor.accessible()
    visitor.shot("login-again")
    with visitor.context.expect_page() as opening:
        dialog.get_by_role("link", name="单位账号登录（新窗口）").click()
    window = opening.value
    agree(window)
    expect(window.get_by_role("heading", name="登录好了")).to_be_visible()
    window.close()
    expect(dialog).to_be_hidden()
    assert answer(page) == 1
    expect(page.get_by_label("诉求")).to_have_value("写到一半的话")


def test_a_sign_in_in_one_tab_is_known_in_the_other(sso: Sso, visit: Visit) -> None:
    visitor = arrived(visit, sso)
    page, other = visitor.page, visitor.open()
    for tab in (page, other):
        tab.goto("/login/oidc?next=/login/done")
        agree(tab)
    ask(page)  # with what the first session's pages sent along
    assert answer(page) == 1
    ask(other)
    assert answer(other) == 1


def test_what_one_person_wrote_does_not_go_out_under_anothers_name(sso: Sso, office: Office, visit: Visit) -> None:
    visitor = arrived(visit, sso)
    page = visitor.page
    page.goto("/login/oidc?next=/login/done")
    agree(page)
    page.evaluate(NAMED, "李强")
    done = office.run("-c", ENDED, office.store)
    assert done.returncode == 0, done.stderr
    page.wait_for_timeout(1100)
    ask(page)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    made = office.run("-m", "jiesu", "keys", "create", "--scope", "operator", "--name", "张敏")
    page.wait_for_timeout(1100)  # until the process knows the key
    dialog.get_by_label("密钥").fill(made.stdout.strip())
    dialog.get_by_role("button", name="登录", exact=True).click()
    expect(dialog).to_be_hidden()
    told = page.evaluate("() => window.asked.catch((error) => error.message)")
    assert told == "现在登录的是 张敏，刚才的没有送出：请看一下再送一次"
    ask(page)
    assert answer(page) == 1
