"""The door: who may come in does, and who may not is told nothing of why."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.testclient import TestClient
from sqlalchemy import select
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from nlp.errors import InputError
from serving import problems
from serving.access.access import Access, open_access
from serving.access.keys import Keys
from serving.access.limits import Limiter
from serving.access.rates import Rates
from serving.access.refusals import Refusals
from serving.access.scope import Scope
from serving.access.session import Sessions
from serving.journal.journal import Journal, JournalFull
from serving.metrics import Metrics
from serving.settings import Settings
from serving.store import tables
from serving.store.engine import StoreDown
from tests.serving.access.issuer import AUDIENCE, ISSUER, jwks, made, token

SECRET = b"x" * 32
UNAUTHORIZED = {
    "type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "缺少有效的访问密钥", "errors": [],
}  # fmt: skip
FORBIDDEN = {
    "type": "about:blank", "title": "Forbidden", "status": 403, "detail": "这个密钥不能做这件事", "errors": [],
}  # fmt: skip


class Door:
    """A small app behind a door, and what makes keys for it."""

    def __init__(self, journal: Journal, settings: Settings, access: Access | None = None) -> None:
        self.journal = journal
        self.metrics = Metrics("test")
        self.keys = Keys(journal, SECRET)
        self.access = access or open_access(settings, journal, SECRET, self.metrics)
        app = FastAPI()
        problems.install(app)

        @app.get("/{scope}")
        async def enter(request: Request, scope: Scope, cost: int = 1) -> dict[str, str]:
            who = await self.access.admit(request, scope, cost)
            return {"key": who.key, "scope": who.scope}

        @app.get("/any/key")
        async def any_key(request: Request) -> dict[str, str]:
            return {"key": (await self.access.admit(request, None)).key}

        @app.get("/fails/{kind}")
        async def fails(kind: str) -> None:
            raise {"store": StoreDown, "journal": JournalFull, "input": InputError}[kind](reason="x", place="y")

        @app.websocket("/speak")
        async def speak(socket: WebSocket) -> None:
            who = await self.access.admit(socket, Scope.operator)
            await socket.accept()
            await socket.send_json({"key": who.key})
            while True:
                shown = await socket.receive_text()
                await socket.send_json({"key": (await self.access.admit_key(shown, Scope.operator)).key})

        self.client = TestClient(app)

    def get(self, key: str = "", path: str = "/operator", **headers: Any) -> Any:
        return self.client.get(path, headers={"x-api-key": key} if key else headers)

    def audited(self) -> list[tuple[str, str, str, str]]:
        """What the audit says of refusals: who, what was wanted, why, how it ended."""
        query = select(tables.audit).where(tables.audit.c.action == "access").order_by(tables.audit.c.seq)
        rows = self.journal.read(lambda connection: connection.execute(query).all())
        return [(row.actor, row.object, row.rule, row.outcome) for row in rows]


@pytest.fixture
def door(journal: Journal) -> Iterator[Door]:
    with (made := Door(journal, Settings())).client:
        yield made


def test_a_key_opens_in_either_header(door: Door) -> None:
    key = door.keys.create(Scope.operator)
    name = key.partition(".")[0]
    for headers in (
        {"x-api-key": key}, {"X-API-Key": key}, {"authorization": f"Bearer {key}"}, {"authorization": f"bearer {key}"},
        {"authorization": f"Bearer  {key} "}, {"x-api-key": key, "authorization": "Bearer wrong"},
    ):  # fmt: skip
        reply = door.client.get("/operator", headers=headers)
        assert (reply.status_code, reply.json()) == (200, {"key": name, "scope": "operator"})


def test_whoever_has_no_good_key_is_told_the_same(door: Door, journal: Journal) -> None:
    good, gone = door.keys.create(Scope.operator), door.keys.create(Scope.operator)
    old = door.keys.create(Scope.operator, expires_at=int(time.time() * 1000) - 1)
    door.keys.revoke(gone.partition(".")[0])
    refused: list[dict[str, str]] = [
        {}, {"x-api-key": ""}, {"x-api-key": good[:-1]}, {"x-api-key": good.upper()}, {"x-api-key": f"Bearer {good}"},
        {"authorization": good}, {"authorization": "Bearer"}, {"authorization": f"Basic {good}"},
        {"x-api-key": "wrong", "authorization": f"Bearer {good}"}, {"x-api-key": gone}, {"x-api-key": old},
        {"x-api-key": "a" * 60_000}, {"authorization": "Bearer a.b.c"}, {"x-api-key": "\xff\xfe\xe9"},
        {"x-api-key": "aaaaaaaaaaaa." + "s" * 43}, {"x-api-key": "' OR 1=1 --"},
    ]  # fmt: skip
    replies = [
        door.client.get("/operator", headers={name: value.encode("latin-1") for name, value in headers.items()})
        for headers in refused
    ]
    assert [reply.status_code for reply in replies] == [401] * len(refused)
    assert all(reply.json() == UNAUTHORIZED for reply in replies)
    told = [dict(reply.headers) for reply in replies]
    assert all(headers == told[0] for headers in told)
    assert told[0]["www-authenticate"] == "Bearer"
    assert door.get(good).status_code == 200


@pytest.mark.parametrize("held", Scope)
def test_a_scope_opens_what_it_covers_and_no_more(door: Door, held: Scope) -> None:
    key = door.keys.create(held)
    for wanted in Scope:
        reply = door.get(key, f"/{wanted}")
        assert reply.status_code == (200 if held.covers(wanted) else 403)
        assert held.covers(wanted) or reply.json() == FORBIDDEN


@pytest.mark.parametrize("held", Scope)
def test_any_key_opens_what_asks_for_no_scope(door: Door, held: Scope) -> None:
    assert door.get(door.keys.create(held), "/any/key").status_code == 200
    assert door.get("wrong", "/any/key").status_code == 401


def test_too_many_are_told_when_to_come_back(door: Door) -> None:
    key = door.keys.create(Scope.operator, rate="3/minute")
    assert [door.get(key).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    reply = door.get(key)
    seconds = int(reply.headers["retry-after"])
    assert 50 < seconds <= 60
    assert reply.json()["detail"] == f"请求太多，请在 {seconds} 秒后再试"
    assert door.get(door.keys.create(Scope.operator, rate="3/minute")).status_code == 401  # read anew within a second
    assert door.get(key, "/admin").status_code == 403  # what a key may not do counts against nobody


def test_a_request_that_can_never_come_in_is_told_so(door: Door) -> None:
    key = door.keys.create(Scope.operator, rate="100/minute")
    assert door.get(key, "/operator?cost=100").status_code == 200
    assert door.get(key, "/operator?cost=101").status_code == 422


def test_an_insecure_service_asks_for_no_key(journal: Journal) -> None:
    door = Door(journal, Settings(insecure=True))
    assert door.get("wrong", "/admin").json() == {"key": "insecure", "scope": "admin"}


def test_refusals_are_counted_each_and_noted_once(door: Door) -> None:
    key = door.keys.create(Scope.data, rate="1/minute")
    name = key.partition(".")[0]
    door.get(key, "/data")
    begun = time.monotonic()
    for _ in range(30):
        door.get()
        door.get("wrong")
        door.get(key, "/admin")
        door.get(key, "/data")
    page = door.metrics.page().decode()
    for reason in ("missing", "key", "scope", "rate"):
        assert f'jiesu_refused_total{{reason="{reason}"}} 30.0' in page
    noted = door.audited()
    assert set(noted) == {
        ("", "operator", "missing", "refused"), ("", "operator", "key", "refused"), (name, "admin", "scope", "refused"),
        (name, "data", "rate", "refused"),
    }  # fmt: skip
    assert len(noted) <= 4 * (2 + time.monotonic() - begun)  # one a second each


def test_tokens_of_the_issuer_open_beside_keys(journal: Journal, tmp_path: Path) -> None:
    signer = made("ES256", "first")
    (tmp_path / "jwks.json").write_bytes(jwks(signer))
    settings = Settings(oidc_issuer=ISSUER, oidc_audience=AUDIENCE, oidc_jwks=str(tmp_path / "jwks.json"))
    with (door := Door(journal, settings)).client:
        key = door.keys.create(Scope.operator)
        good = token(signer, "ES256")
        assert door.get(authorization=f"Bearer {good}").json() == {"key": "oidc:desk-7", "scope": "operator"}
        assert door.get(key).status_code == 200
        assert door.get(path="/data", authorization=f"Bearer {good}").json() == FORBIDDEN
        unscoped = token(signer, "ES256", scope="openid")
        assert door.get(authorization=f"Bearer {unscoped}").status_code == 403
        expired = token(signer, "ES256", exp=int(time.time()) - 600)
        assert door.get(authorization=f"Bearer {expired}").json() == UNAUTHORIZED


def test_tokens_open_nothing_where_there_is_no_issuer(door: Door) -> None:
    assert door.get(authorization=f"Bearer {token(made('ES256', 'first'), 'ES256')}").status_code == 401


def test_an_issuer_without_its_extra_is_told(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name in {"serving.access.oidc", "serving.access.ring"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(InputError, match=r"oidc"):
        open_access(Settings(oidc_issuer=ISSUER, oidc_jwks="x"), journal, SECRET, Metrics("test"))


def test_a_websocket_is_refused_like_a_request(door: Door) -> None:
    key = door.keys.create(Scope.operator)
    for headers, status in (({}, 401), ({"x-api-key": door.keys.create(Scope.data)}, 403)):
        with (
            pytest.raises(WebSocketDenialResponse) as refused,
            door.client.websocket_connect("/speak", headers=headers),
        ):
            pass
        assert refused.value.status_code == status
        assert refused.value.headers["content-type"] == "application/problem+json"
    with door.client.websocket_connect("/speak", headers={"x-api-key": key}) as socket:
        assert socket.receive_json() == {"key": key.partition(".")[0]}
        socket.send_text(key)
        assert socket.receive_json() == {"key": key.partition(".")[0]}
        socket.send_text('"\ud7ff.x"')
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 1008


@pytest.mark.parametrize(
    ("kind", "status", "retry"), [("store", 503, "1"), ("journal", 503, "1"), ("input", 422, None)]
)
def test_a_store_that_is_away_says_when_to_come_back(door: Door, kind: str, status: int, retry: str | None) -> None:
    reply = door.get(path=f"/fails/{kind}")
    assert (reply.status_code, reply.headers.get("retry-after")) == (status, retry)
    assert reply.headers["content-type"] == "application/problem+json"


def test_a_door_whose_store_is_away_opens_to_nobody(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    key = door.keys.create(Scope.operator)

    def away(_: object) -> object:
        raise StoreDown(reason="gone")

    monkeypatch.setattr(door.journal, "read", away)
    assert [door.get(shown).status_code for shown in (key, "wrong")] == [503, 503]
    monkeypatch.undo()
    assert door.get(key).status_code == 200


def test_a_known_key_costs_microseconds(journal: Journal) -> None:
    metrics = Metrics("test")
    keys = Keys(journal, SECRET)
    access = Access(
        Settings(), keys, Limiter(Rates(journal)), Sessions(journal, SECRET, 12), None, Refusals(journal, metrics)
    )
    shown = keys.create(Scope.operator, rate="100000000/minute")

    async def scene() -> float:
        await access.admit_key(shown, Scope.operator)
        best = 1.0
        for _ in range(20):
            begun = time.perf_counter()
            for _ in range(100):
                await access.admit_key(shown, Scope.operator)
            best = min(best, (time.perf_counter() - begun) / 100)
        return best

    assert asyncio.run(scene()) < 200e-6  # some 10 µs on an idle machine
