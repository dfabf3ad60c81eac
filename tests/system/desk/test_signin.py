"""Signing in at a page: with a key, for what it is good for, and nowhere from another site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.system.desk.conftest import Visit
from tests.system.office import Office

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    home: Path = tmp_path_factory.mktemp("signin") / "home"
    home.mkdir()
    with Office(home, insecure=False, JIESU_WORKERS="1") as opened:
        yield opened


def key_of(office: Office, scope: str, name: str = "张敏") -> str:
    done = office.run("-m", "jiesu", "keys", "create", "--scope", scope, "--name", name)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_wrong_key_is_told_and_a_right_one_leads_to_the_page_that_was_wanted(office: Office, visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("/overview")
    assert page.url.endswith("/login?next=%2Foverview")
    visitor.accessible()
    visitor.shot("login")
    page.get_by_role("textbox", name="密钥").fill("aaaaaaaaaaaa.wrong")
    page.get_by_role("button", name="登录").click()
    assert "没有这个密钥" in page.get_by_role("alert").inner_text()
    page.get_by_role("textbox", name="密钥").fill(key_of(office, "data"))
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/overview")
    assert page.locator(".self .name").inner_text() == "张敏"
    assert page.get_by_role("navigation").get_by_role("link").all_inner_texts() == ["数据台", "总览"]
    page.get_by_role("button", name="退出").click()
    page.wait_for_url("**/login")
    page.goto("/overview")
    assert "/login" in page.url


def test_a_key_that_is_not_good_for_a_page_gets_a_page_that_says_so(office: Office, visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("/login?next=https://evil.example/")
    page.get_by_role("textbox", name="密钥").fill(key_of(office, "operator"))
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/desk")
    reply = page.goto("/data")
    assert reply is not None
    assert reply.status == 403
    assert "不能做这件事" in page.get_by_role("main").inner_text()


def test_what_another_site_has_a_browser_send_is_refused(office: Office) -> None:
    key = key_of(office, "admin")
    with httpx.Client(base_url=office.url) as client:
        signed = client.post("/login", json={"key": key})
        csrf = signed.json()["csrf"]
        body = {"petitions": [{"id": "1", "text": "路灯不亮"}]}
        assert client.post("/v1/decisions", json=body).status_code == 403
        assert client.post("/v1/decisions", json=body, headers={"x-csrf-token": csrf[:-1] + "x"}).status_code == 403
        assert client.post("/v1/decisions", json=body, headers={"x-csrf-token": csrf}).status_code == 200
        foreign = {"origin": "https://evil.example"}
        assert client.post("/login", json={"key": key}, headers=foreign).status_code == 403
        assert client.post("/logout", headers=foreign).status_code == 403
        assert "httponly" in signed.headers["set-cookie"].lower()
        assert "samesite=lax" in signed.headers["set-cookie"].lower()


def test_a_revoked_key_ends_its_sessions(office: Office) -> None:
    key = key_of(office, "operator")
    with httpx.Client(base_url=office.url) as client:
        client.post("/login", json={"key": key})
        assert client.get("/v1/taxonomy").status_code == 200
        done = office.run("-m", "jiesu", "keys", "revoke", key.partition(".")[0])
        assert done.returncode == 0, done.stderr
        import time

        time.sleep(1.2)
        assert client.get("/v1/taxonomy").status_code == 401
