"""Signing in with a key: a session of one's own, and nothing that another site or host could do about it."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from serving.access.scope import Scope
from serving.store.tables import audit, sessions
from tests.serving.desk.conftest import HERE, Opened, key, parts

SAFE = "https://jiesu.city.example"
PETITIONS = {"petitions": [{"id": "1", "text": "小区门口的路灯不亮"}]}


def signed_in(client: TestClient, shown: str) -> str:
    """Sign in; what a page then sends along."""
    reply = client.post("/login", json={"key": shown})
    assert reply.status_code == 200, reply.text
    csrf: str = reply.json()["csrf"]
    return csrf


def cookies(reply: Any) -> list[str]:
    found: list[str] = reply.headers.get_list("set-cookie")
    return found


def count(client: TestClient) -> int:
    query = select(func.count()).select_from(sessions)
    return parts(client).journal.read(lambda connection: connection.scalar(query) or 0)


def test_a_form_leads_to_the_page_that_was_wanted(opened: Opened) -> None:
    client = opened()
    assert client.get("/").headers["location"] == "/desk"
    reply = client.post("/login?next=%2Fdata%3Fa%3D1", data={"key": f" {key(client)} "})
    assert (reply.status_code, reply.headers["location"]) == (303, "/data?a=1")
    assert client.get("/v1/taxonomy").status_code == 200


@pytest.mark.parametrize("by_script", [True, False])
def test_a_wrong_key_is_told(opened: Opened, by_script: bool) -> None:
    client = opened()
    sent: dict[str, Any] = {"json" if by_script else "data": {"key": "aaaaaaaaaaaa.wrong"}}
    reply = client.post("/login", **sent)
    assert reply.status_code == 401
    assert "没有这个密钥，或者它已经停用" in reply.text
    assert cookies(reply) == []
    english = client.post("/login?lang=en", data={"key": "aaaaaaaaaaaa.wrong"})
    assert "There is no such key" in english.text


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"", "application/x-www-form-urlencoded"), (b"key", "application/x-www-form-urlencoded"),
        (b"key=%ff&key", "application/x-www-form-urlencoded"), (b"\xff", "text/plain"), (b"{}", "application/json"),
        (b'{"key": 7}', "application/json"), (b"[]", "application/json"), (b"{", "application/json"),
        (b'{"key": null}', "application/json"),
    ],
)  # fmt: skip
def test_what_is_no_form_is_told(opened: Opened, content: bytes, media: str) -> None:
    assert opened().post("/login", content=content, headers={"content-type": media}).status_code == 400


def test_a_form_has_an_end(opened: Opened) -> None:
    assert opened().post("/login", content=b"key=" + b"x" * 9000).status_code == 413


def test_a_token_does_not_begin_a_session(opened: Opened) -> None:
    """It ends within minutes, and a session would outlast it."""
    assert opened().post("/login", json={"key": "a.b.c"}).status_code == 401


def test_guesses_are_few_and_told_when_to_come_back(opened: Opened) -> None:
    client = opened()
    mine = key(client)
    for _ in range(10):
        assert client.post("/login", data={"key": "aaaaaaaaaaaa.wrong"}).status_code == 401
    reply = client.post("/login", data={"key": mine})
    assert reply.status_code == 429
    assert 0 < int(reply.headers["retry-after"]) <= 60
    assert f"登录试得太多，请在 {reply.headers['retry-after']} 秒后再试" in reply.text
    assert "Too many attempts" in client.post("/login?lang=en", data={"key": mine}).text
    by_script = client.post("/login", json={"key": mine})
    assert (by_script.status_code, by_script.json()["detail"][:7]) == (429, "登录试得太多，")
    assert client.get("/v1/taxonomy", headers={"x-api-key": mine}).status_code == 200  # systems go on


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/a\r\nset-cookie: jiesu_session=x", "/a b", "/\t/evil.example", "/%0d\n", "/坐席", "", "desk",
        "/" + "x" * 5000, "/login", "/logout", "/login/oidc?next=/login/oidc",
    ],
)  # fmt: skip
def test_nobody_is_led_astray(opened: Opened, to: str) -> None:
    client = opened()
    reply = client.post(f"/login?next={quote(to, safe='')}", data={"key": key(client)})
    assert (reply.status_code, reply.headers["location"]) == (303, "/desk")
    assert len(cookies(reply)) == 1
    shown = client.get(f"/login?next={quote(to, safe='')}").text
    assert 'action="/login?next=/desk"' in shown


def test_a_new_sign_in_is_a_new_session_and_ends_the_old(opened: Opened) -> None:
    client = opened()
    first, second = key(client, name="张敏"), key(client, name="李强")
    signed_in(client, first)
    before = client.cookies["jiesu_session"]
    signed_in(client, second)
    assert client.cookies["jiesu_session"] != before
    assert (client.get("/login/self").json()["name"], count(client)) == ("李强", 1)
    client.cookies.set("jiesu_session", before)
    assert client.get("/v1/taxonomy").status_code == 401


def test_a_session_that_was_planted_is_not_taken_over(opened: Opened) -> None:
    client = opened()
    mine = key(client)
    signed_in(client, mine)
    planted = client.cookies["jiesu_session"]  # an attacker's own, put into the victim's browser
    victim = opened()
    reply = victim.post("/login", json={"key": mine}, headers={"cookie": f"jiesu_session={planted}"})
    assert reply.cookies["jiesu_session"] != planted
    assert count(victim) == 1


def test_two_tabs_share_a_session_and_its_end(opened: Opened) -> None:
    client = opened()
    csrf = signed_in(client, key(client))
    headers = {"x-csrf-token": csrf}
    assert client.post("/v1/decisions", json=PETITIONS, headers=headers).status_code == 200
    reply = client.post("/logout")
    assert (reply.status_code, reply.headers["location"]) == (303, "/login")
    assert client.post("/v1/decisions", json=PETITIONS, headers=headers).status_code == 401
    assert client.get("/login/self").json() == {"csrf": "", "name": ""}
    assert client.post("/logout").status_code == 303  # once more does no harm


def test_a_stolen_cookie_is_worth_nothing_after_the_logout(opened: Opened) -> None:
    client = opened()
    signed_in(client, key(client))
    stolen = client.cookies["jiesu_session"]
    client.post("/logout")
    client.cookies.set("jiesu_session", stolen)
    assert client.get("/v1/taxonomy").status_code == 401


@pytest.mark.parametrize("path", ["/v1/decisions", "/v1/feedback", "/v1/outcomes"])
def test_what_changes_something_must_come_from_a_page_of_ours(opened: Opened, path: str) -> None:
    client = opened()
    mine = key(client)
    csrf = signed_in(client, mine)
    for wrong in ({}, {"x-csrf-token": ""}, {"x-csrf-token": csrf[:-1]}, {"x-csrf-token": "null"}):
        reply = client.post(path, json=PETITIONS, headers=wrong)
        assert (reply.status_code, reply.json()["detail"]) == (403, "请求不是从本系统的页面发出的，没有照办")
    assert client.post(path, json=PETITIONS, headers={"x-csrf-token": csrf}).status_code != 403
    other = opened()
    assert client.post(path, json={}, headers={"x-csrf-token": signed_in(other, mine)}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({}, True), ({"origin": HERE}, True), ({"origin": "null"}, False), ({"origin": "https://evil.example"}, False),
        ({"origin": "http://127.0.0.1:8001"}, False), ({"origin": "http://127.0.0.1:8000.evil.example"}, False),
        ({"origin": ""}, False), ({"sec-fetch-site": "same-origin"}, True), ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False), ({"sec-fetch-site": "cross-site", "origin": HERE}, False),
        ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
    ],
)  # fmt: skip
def test_no_other_site_signs_anybody_in_or_out(opened: Opened, headers: dict[str, str], is_ours: bool) -> None:
    client = opened()
    mine = key(client)
    assert client.post("/login", json={"key": mine}, headers=headers).status_code == (200 if is_ours else 403)
    signed_in(client, mine)
    assert client.post("/logout", headers=headers).status_code == (303 if is_ours else 403)


def test_over_https_the_cookie_is_of_this_host_alone(opened: Opened) -> None:
    client = opened(SAFE, session_hours=2)
    (cookie,) = cookies(client.post("/login", json={"key": key(client)}))
    name, *flags = cookie.split("; ")
    assert name.startswith("__Host-jiesu_session=")
    assert {flag.lower() for flag in flags} == {"secure", "httponly", "samesite=lax", "path=/", "max-age=7200"}
    assert client.get("/v1/taxonomy").status_code == 200
    (gone,) = cookies(client.post("/logout"))
    assert gone.startswith('__Host-jiesu_session="";')
    assert "Secure" in gone


def test_over_http_the_cookie_is_out_of_reach_for_scripts(opened: Opened) -> None:
    client = opened()
    (cookie,) = cookies(client.post("/login", json={"key": key(client)}))
    assert {flag.lower() for flag in cookie.split("; ")[1:]} == {"httponly", "samesite=lax", "path=/", "max-age=43200"}


def test_another_host_of_the_domain_cannot_toss_its_cookie_in(opened: Opened) -> None:
    client = opened(SAFE)
    mine = key(client)
    signed_in(client, mine)
    good = client.cookies["__Host-jiesu_session"]
    plain = opened()
    signed_in(plain, mine)
    tossed = plain.cookies["jiesu_session"]
    client.cookies.clear()
    headers = {"cookie": f"jiesu_session={tossed}"}
    assert client.get("/v1/taxonomy", headers=headers).status_code == 401  # not the name that https goes by
    headers = {"cookie": f"jiesu_session={tossed}; __Host-jiesu_session={good}"}
    assert client.get("/v1/taxonomy", headers=headers).status_code == 200
    plain.cookies.clear()
    both = {"cookie": f"jiesu_session={tossed}; jiesu_session=x"}
    assert plain.get("/v1/taxonomy", headers=both).status_code == 401


def test_a_key_in_the_request_counts_before_the_session(opened: Opened) -> None:
    client = opened()
    signed_in(client, key(client))
    assert client.get("/v1/taxonomy", headers={"x-api-key": "wrong"}).status_code == 401
    operator = key(client, Scope.operator)
    time.sleep(1.0)  # until a new key is known
    assert client.get("/v1/indicators", headers={"x-api-key": operator}).status_code == 403


def test_no_key_and_no_token_is_logged_or_noted(opened: Opened, caplog: pytest.LogCaptureFixture) -> None:
    client = opened()
    mine = key(client)
    with caplog.at_level(logging.DEBUG):
        csrf = signed_in(client, mine)
        client.post("/login", data={"key": "aaaaaaaaaaaa.a-wrong-one"})
        client.get("/login?next=/desk%3Fkey=sensitive")
    ours = [record for record in caplog.records if not record.name.startswith("httpx")]  # the client's own
    assert ours
    noted = str(parts(client).journal.read(lambda connection: connection.execute(select(audit)).all()))
    for secret in (mine.partition(".")[2], csrf, client.cookies["jiesu_session"], "a-wrong-one", "sensitive"):
        assert secret not in noted
        assert not any(secret in str(record.__dict__) for record in ours)


def test_the_other_language_keeps_what_was_wanted(opened: Opened) -> None:
    client = opened()
    assert 'href="?next=/data&amp;lang=en"' in client.get("/login?next=/data").text.replace("%2F", "/")
    reply = client.get("/login?next=%2Fdata&lang=en")
    assert "Sign in" in reply.text
    assert "Sign in" in client.get("/login").text  # remembered


def test_an_insecure_service_has_nobody_sign_in(opened: Opened) -> None:
    client = opened(insecure=True)
    assert client.get("/login?next=/data").headers["location"] == "/data"
    evil = {"host": "evil.example:8000", "origin": "http://evil.example:8000"}  # a name that points to this machine
    assert client.post("/v1/decisions", json=PETITIONS, headers=evil).status_code == 421
