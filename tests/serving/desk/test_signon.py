"""Signing in with an account of the office: who comes back as agreed is let in, and nobody else."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from nlp.errors import InputError
from serving.access import issuer as module
from serving.access.access import open_access
from serving.metrics import Metrics
from serving.settings import Settings
from serving.store.tables import audit, sessions
from tests.serving.access.issuer import made, token
from tests.serving.access.sso import CLIENT, SECRET, Sso, signing_on
from tests.serving.desk.conftest import Opened, parts


@pytest.fixture
def sso() -> Iterator[Sso]:
    with signing_on() as opened:
        yield opened


@pytest.fixture
def office(opened: Opened, sso: Sso) -> TestClient:
    return opened(**settings(sso))


def settings(sso: Sso, **more: Any) -> dict[str, Any]:
    return {
        "oidc_issuer": sso.url, "oidc_jwks": f"{sso.url}/jwks", "oidc_client": CLIENT, "oidc_client_secret": SECRET,
    } | more  # fmt: skip


def left(office: TestClient, to: str = "/desk") -> str:
    """The address at the issuer to which a browser is sent."""
    reply = office.get(f"/login/oidc?next={quote(to, safe='')}")
    assert reply.status_code == 303, reply.text
    return reply.headers["location"]


def back(address: str) -> str:
    """The address at which the issuer sends the browser back."""
    reply = httpx.get(address)
    assert reply.status_code == 303, reply.text
    return reply.headers["location"]


def signed_on(office: TestClient, to: str = "/desk") -> Any:
    return office.get(back(left(office, to)))


def told(reply: Any) -> str:
    found = re.search(r'role="alert">(.*?)</p>', reply.text)
    return found[1] if found else ""


def begun(office: TestClient) -> list[Any]:
    """The sessions there are."""
    return parts(office).journal.read(lambda connection: list(connection.execute(select(sessions))))


def test_who_comes_back_from_the_issuer_is_signed_in_where_they_wanted_to_go(office: TestClient) -> None:
    reply = signed_on(office, "/v1/taxonomy?lang=en")
    assert (reply.status_code, reply.headers["location"]) == (303, "/v1/taxonomy?lang=en")
    assert office.get("/v1/taxonomy").status_code == 200
    assert office.get("/login/self").json()["name"] == "李强"
    (session,) = begun(office)
    assert (session.key, session.name, session.scope) == ("oidc:desk-7", "李强", "operator")
    noted = select(audit.c.actor).where(audit.c.action == "session.begin")
    assert parts(office).journal.read(lambda connection: connection.scalar(noted)) == "oidc:desk-7"


def test_the_request_is_as_the_standard_wants_it(office: TestClient) -> None:
    query = {name: values[0] for name, values in parse_qs(urlsplit(left(office)).query).items()}
    assert query["redirect_uri"] == "http://127.0.0.1:8000/login/oidc/callback"
    assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
    assert len(query["code_challenge"]) == 43
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    cookie = next(header for header in office.get("/login/oidc").headers.get_list("set-cookie"))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=600" in cookie
    again = {name: values[0] for name, values in parse_qs(urlsplit(left(office)).query).items()}
    assert again["state"] != query["state"]
    assert again["nonce"] not in cookie


@pytest.mark.parametrize(("secret", "methods"), [("", None), (SECRET, ["client_secret_post"]), (SECRET, None)])
def test_each_way_to_show_who_we_are(opened: Opened, sso: Sso, secret: str, methods: list[str] | None) -> None:
    sso.secret, sso.described = secret, {"token_endpoint_auth_methods_supported": methods}
    office = opened(**settings(sso, oidc_client_secret=secret or None))
    assert signed_on(office).status_code == 303


@pytest.mark.parametrize(
    ("scopes", "may", "may_not"),
    [
        ("jiesu:operator", {"decisions"}, {"batches", "indicators"}),
        ("jiesu:batch jiesu:data", {"decisions", "batches", "indicators"}, set()),
        ("jiesu:data", {"indicators"}, {"decisions", "batches"}),
    ],
)
def test_scopes_of_the_token_are_those_of_the_session(
    office: TestClient, sso: Sso, scopes: str, may: set[str], may_not: set[str]
) -> None:
    sso.access = {"scope": scopes}
    assert signed_on(office).status_code == 303
    headers = {"x-csrf-token": office.get("/login/self").json()["csrf"]}
    asked: dict[str, Callable[[], Any]] = {
        "decisions": lambda: office.post("/v1/decisions", json={"petitions": []}, headers=headers),
        "batches": lambda: office.get("/v1/batches/01J0000000000000000000000A", headers=headers),
        "indicators": lambda: office.get("/v1/indicators", headers=headers),
    }
    assert {name for name, ask in asked.items() if ask().status_code == 403} == may_not
    assert may == asked.keys() - may_not


def test_an_account_without_our_scopes_is_told_so(office: TestClient, sso: Sso) -> None:
    sso.access = {"scope": "openid profile"}
    reply = signed_on(office)
    assert (reply.status_code, told(reply)) == (403, "这个账号没有本系统的权限，请找管理员开通")
    assert begun(office) == []


def test_another_state_is_not_ours(office: TestClient) -> None:
    address = back(left(office))
    reply = office.get(re.sub(r"state=\w", "state=_", address))
    assert (reply.status_code, told(reply)) == (400, "这次登录对不上，或者隔得太久：请从登录页重新开始")
    assert office.get(address).status_code == 400  # the cookie went with the first
    assert begun(office) == []


def test_a_return_counts_once(office: TestClient) -> None:
    address = back(left(office))
    held = office.cookies["jiesu_signon"]
    assert office.get(address).status_code == 303
    assert "jiesu_signon" not in office.cookies
    office.cookies.set("jiesu_signon", held)
    assert office.get(address).status_code == 400
    assert len(begun(office)) == 1


def test_somebody_elses_return_is_not_taken(office: TestClient, opened: Opened, sso: Sso) -> None:
    """An attacker who has a victim's browser open the attacker's return signs nobody in."""
    attacker = opened(**settings(sso))
    address = back(left(attacker))
    assert office.get(address).status_code == 400
    left(office)
    assert office.get(address).status_code == 400
    assert begun(office) == []


def test_whoever_takes_too_long_begins_anew(office: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    address = back(left(office))
    issuer: Any = parts(office).access.issuer
    monkeypatch.setattr(issuer, "_clock", lambda: time.time() + 601)
    assert office.get(address).status_code == 400
    assert begun(office) == []


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c.d", "....", "张三", "a" * 5000])
def test_a_cookie_that_we_did_not_make(office: TestClient, cookie: str) -> None:
    address = back(left(office))
    office.cookies.clear()
    headers = {b"cookie": b"jiesu_signon=" + cookie.encode()}
    assert office.get(address, headers=headers).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"identity": {"nonce": "another"}}, {"identity": {"nonce": None}}, {"identity": {"aud": "another-client"}},
        {"identity": {"aud": "jiesu"}}, {"identity": {"azp": "another-client"}}, {"identity": {"iss": "https://x.example"}},
        {"identity": {"exp": 1}}, {"identity": {"sub": "somebody-else"}}, {"access": {"aud": "another-api"}},
        {"access": {"iss": "https://x.example"}}, {"access": {"exp": 1}}, {"access": {"sub": None}},
    ],
)  # fmt: skip
def test_tokens_that_are_not_for_us(office: TestClient, sso: Sso, changed: dict[str, dict[str, Any]]) -> None:
    for name, claims in changed.items():
        setattr(sso, name, claims)
    reply = signed_on(office)
    assert (reply.status_code, begun(office)) == (400, [])
    assert "令牌不合格" in told(reply)


def test_tokens_that_a_stranger_signed(office: TestClient, sso: Sso) -> None:
    address = back(left(office))
    office.get("/v1/taxonomy", headers={"authorization": f"Bearer {token(sso.key, 'ES256')}"})  # the real keys are read
    sso.key = made("ES256", "sso-1")
    assert office.get(address).status_code == 400
    assert begun(office) == []


@pytest.mark.parametrize("supported", [True, False])
def test_an_answer_of_another_issuer(office: TestClient, sso: Sso, supported: bool) -> None:
    sso.described = {"authorization_response_iss_parameter_supported": supported}
    assert office.get(back(left(office)) + "&iss=https://other.example").status_code == 400
    assert office.get(back(left(office)) + f"&iss={quote(sso.url)}").status_code == 303
    assert signed_on(office).status_code == (400 if supported else 303)


def test_an_error_of_the_issuer_is_told_and_nothing_else_that_came_along(office: TestClient, sso: Sso) -> None:
    address = left(office)
    state = parse_qs(urlsplit(address).query)["state"][0]
    reply = office.get(f"/login/oidc/callback?error=access_denied&error_description=%3Cscript%3E&state={state}")
    assert reply.status_code == 400
    assert "access_denied" in told(reply)
    state = parse_qs(urlsplit(left(office)).query)["state"][0]
    reply = office.get(f"/login/oidc/callback?error=%3Cscript%3Ealert(1)&state={state}")
    assert "script>alert" not in reply.text
    state = parse_qs(urlsplit(left(office)).query)["state"][0]
    reply = office.get(f"/login/oidc/callback?code=made-up&state={state}")
    assert "invalid_grant" in told(reply)
    assert "<b>" not in told(reply)


DOWN = {
    "an error": (503, b"", {}),
    "elsewhere": (302, b"", {"location": "http://127.0.0.1:1/"}),
    "no JSON": (200, b"<html>", {}),
    "a list": (200, b"[]", {}),
    "endless": (200, b" " * 300_000, {}),
}


@pytest.mark.parametrize("reply", DOWN.values(), ids=DOWN)
def test_an_issuer_that_does_not_answer_as_it_should(
    office: TestClient, sso: Sso, reply: tuple[int, bytes, dict[str, str]]
) -> None:
    sso.reply = reply
    page = office.get("/login/oidc")
    assert page.status_code == 503
    assert "身份提供方暂时不可用" in told(page)
    assert page.headers["retry-after"]
    asked = len(sso.asked)
    assert office.get("/login/oidc").status_code == 503
    assert len(sso.asked) == asked  # not again at once


def test_an_issuer_that_goes_away_in_the_middle(office: TestClient, sso: Sso) -> None:
    for _ in range(12):  # nobody is locked out by it
        address = back(left(office))
        sso.reply = (503, b"", {})
        reply = office.get(address)
        assert reply.status_code == 503
        assert "身份提供方暂时不可用" in told(reply)
        sso.reply = None
    assert signed_on(office).status_code == 303


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://another.example"}, {"issuer": None}, {"token_endpoint": "http://sso.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"}, {"authorization_endpoint": None},
        {"token_endpoint": ["https://sso.example/token"]}, {"token_endpoint": "https://"},
    ],
)  # fmt: skip
def test_a_description_that_is_not_to_be_trusted(office: TestClient, sso: Sso, described: dict[str, Any]) -> None:
    sso.described = described
    assert office.get("/login/oidc").status_code == 503


def test_what_the_issuer_said_does_while_it_is_away(sso: Sso) -> None:
    now = 0.0
    issuer = module.Issuer(sso.url, module.Client(CLIENT), lambda: now)

    def asked() -> str:
        return asyncio.run(issuer.page("http://here.example/back", "s", "n", "v" * 43))

    assert asked().startswith(f"{sso.url}/authorize?")
    sso.reply, now = (500, b"", {}), 4000.0
    assert asked().startswith(f"{sso.url}/authorize?")


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nset-cookie: x=1", ""]
)
def test_nobody_is_sent_to_another_site(office: TestClient, to: str) -> None:
    assert signed_on(office, to).headers["location"] == "/desk"


def test_guesses_are_few(office: TestClient) -> None:
    left(office)
    statuses = [office.get("/login/oidc/callback?code=x&state=y").status_code for _ in range(12)]
    assert statuses == [400] * 10 + [429] * 2
    assert "登录试得太多" in told(office.get("/login/oidc/callback?code=x&state=y"))


def test_names_are_shown_as_text(office: TestClient, sso: Sso) -> None:
    sso.identity = {"name": "\x00<script>alert(1)</script>" + "长" * 300}
    assert signed_on(office).status_code == 303
    name = office.get("/login/self").json()["name"]
    assert len(name) == 64
    assert "\x00" not in name
    assert "<script>alert" not in office.get("/login/done").text
    sso.identity = {"name": None, "preferred_username": "liqiang"}
    signed_on(office)
    assert office.get("/login/self").json()["name"] == "liqiang"


def test_a_page_offers_the_office_account_only_where_there_is_one(office: TestClient, opened: Opened) -> None:
    assert "单位账号登录" in office.get("/login").text
    plain = opened()
    assert "单位账号登录" not in plain.get("/login").text
    assert plain.get("/login/oidc").status_code == 404


def test_settings_that_do_not_fit_are_refused(journal: Any, sso: Sso) -> None:
    def opening(**more: Any) -> None:
        open_access(Settings(**more), journal, b"x" * 32, Metrics("test"))

    with pytest.raises(InputError, match="OIDC_ISSUER"):
        opening(oidc_client=CLIENT)
    with pytest.raises(InputError, match="https"):
        opening(**settings(sso, oidc_issuer="http://sso.example"))
