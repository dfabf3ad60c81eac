"""Sessions: they last as long as they may, for whom they were begun, and nobody else can make one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from serving.access import session as module
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.access.session import LONGEST, Session, Sessions
from serving.access.who import Who
from serving.journal.journal import Journal
from serving.store.engine import StoreDown
from serving.store.tables import audit, sessions

SECRET = b"x" * 32
PERSON = Who("oidc:desk-7", "李强", Scope.batch, "600/minute", frozenset({Scope.data}))


class Scene:
    """Sessions with a clock that is set by hand, and without memory unless that is wanted."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.now = time.time()
        self.sessions = self.other()

    def other(self, hours: float = 12, secret: bytes = SECRET) -> Sessions:
        """Another process on the same store."""
        return Sessions(self.journal, secret, hours, clock=lambda: self.now)

    def begin(self, who: Who = PERSON, instead: str = "") -> str:
        return asyncio.run(self.sessions.begin(who, instead))

    def find(self, token: str, sessions: Sessions | None = None) -> Session | None:
        return asyncio.run((sessions or self.other()).find(token))

    def end(self, token: str) -> None:
        asyncio.run(self.sessions.end(token))

    def noted(self) -> list[tuple[str, str]]:
        query = select(audit.c.action, audit.c.actor).where(audit.c.action.like("session.%")).order_by(audit.c.seq)
        return [tuple(row) for row in self.journal.read(lambda connection: connection.execute(query).all())]  # type: ignore[misc]

    @property
    def count(self) -> int:
        return self.journal.read(lambda connection: connection.scalar(select(func.count()).select_from(sessions)) or 0)


@pytest.fixture
def scene(journal: Journal) -> Scene:
    return Scene(journal)


def test_whoever_began_one_is_found_by_its_token_in_every_process(scene: Scene) -> None:
    token = scene.begin()
    found = scene.find(token)
    assert found is not None
    assert found.who == PERSON
    assert found == scene.find(token, scene.sessions)
    assert scene.noted() == [("session.begin", "oidc:desk-7")]
    assert scene.find(scene.begin()) is not None


def test_the_store_and_the_audit_hold_no_token(scene: Scene) -> None:
    token = scene.begin()
    found = scene.find(token)
    assert found is not None
    for table in (sessions, audit):
        rows = str(scene.journal.read(lambda connection, table=table: connection.execute(select(table)).all()))  # type: ignore[misc]
        assert not any(part in rows for part in (*token.split("."), found.csrf))


def test_one_ends_after_its_hours(scene: Scene) -> None:
    token = scene.begin()
    scene.now += 12 * 3600 - 1
    assert scene.find(token) is not None
    scene.now += 1
    assert scene.find(token) is None


def test_one_ends_where_it_is_ended_and_within_a_second_elsewhere(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, other = scene.begin(), scene.other()
    assert scene.find(token, other) is not None
    scene.end(token)
    assert scene.find(token, scene.sessions) is None
    assert scene.find(token, other) is not None  # remembered there
    monkeypatch.setattr(module, "LIFE", 0.0)
    assert scene.find(token, other) is None
    scene.end(token)
    scene.end("made up")
    assert scene.noted() == [("session.begin", "oidc:desk-7"), ("session.end", "oidc:desk-7")]


def test_a_reading_that_began_before_the_end_does_not_bring_one_back(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = scene.begin()
    read = Sessions._read

    def slow(self: Sessions, hashed: str, shown: str) -> Session | None:
        found = read(self, hashed, shown)
        asyncio.run_coroutine_threadsafe(self.end(shown), loop).result()
        return found

    async def both() -> tuple[Session | None, Session | None]:
        nonlocal loop
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(Sessions, "_read", slow)
        first = await scene.sessions.find(token)
        return first, await scene.sessions.find(token)

    loop: Any = None
    first, second = asyncio.run(both())
    assert (first is not None, second) == (True, None)


def test_a_revoked_key_or_one_that_ran_out_ends_its_sessions(scene: Scene) -> None:
    made = Keys(scene.journal, SECRET)
    until = int(scene.now * 1000) + 60_000
    lasting, ending = made.create(Scope.operator), made.create(Scope.operator, expires_at=until)
    tokens = [scene.begin(Who(key.partition(".")[0], "", Scope.operator)) for key in (lasting, ending)]
    assert all(scene.find(token) for token in tokens)
    made.revoke(lasting.partition(".")[0])
    assert [scene.find(token) is not None for token in tokens] == [False, True]
    scene.now += 61
    assert scene.find(tokens[1]) is None


def test_a_new_sign_in_ends_what_the_browser_held_before(scene: Scene) -> None:
    first = scene.begin()
    second = scene.begin(replace(PERSON, key="oidc:other"), instead=first)
    assert scene.find(first) is None
    found = scene.find(second)
    assert found is not None
    assert found.who.key == "oidc:other"
    assert scene.noted()[1:] == [("session.end", "oidc:desk-7"), ("session.begin", "oidc:other")]
    scene.begin(instead="planted by somebody")
    assert scene.count == 2


def test_tokens_and_what_pages_send_along_are_of_one_session_alone(scene: Scene) -> None:
    one, other = scene.find(scene.begin()), scene.find(scene.begin())
    assert one is not None
    assert other is not None
    assert one.csrf != other.csrf
    assert scene.sessions.agrees(one, one.csrf)
    for wrong in ("", other.csrf, one.csrf[:-1], one.csrf.upper(), "张三"):
        assert not scene.sessions.agrees(one, wrong)


def test_what_is_made_up_never_reaches_the_store(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    token = scene.begin()
    told, _, mark = token.partition(".")

    def away(*_: Any) -> Any:
        raise StoreDown(reason="x")

    monkeypatch.setattr(scene.journal, "read", away)
    made_up = ["", ".", "a.b", told, f"{told}.", f"{told}.{mark[:-1]}0", f"{told[:-1]}.{mark}", "张.三", token * 9,
               token.upper(), f"{token}.", " " + token, "\x00", "x" * LONGEST]  # fmt: skip
    assert [scene.find(wrong) for wrong in made_up if wrong != token] == [None] * len(made_up)
    with pytest.raises(StoreDown):  # a real one is not let in on trust
        scene.find(token)
    assert scene.find(token, scene.other(secret=b"y" * 32)) is None


def test_the_memory_is_bounded(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HELD", 3)
    tokens = [scene.begin() for _ in range(8)]
    assert all(scene.find(token, scene.sessions) for token in tokens)
    assert len(scene.sessions._held) <= 3


@pytest.mark.parametrize(
    ("who", "wanted", "scope"),
    [
        (PERSON, Scope.operator, Scope.batch), (PERSON, Scope.data, Scope.data), (PERSON, Scope.admin, None),
        (PERSON, None, Scope.batch), (Who("k", "", Scope.admin), Scope.batch, Scope.admin),
        (Who("k", "", Scope.data), Scope.operator, None),
    ],
)  # fmt: skip
def test_somebody_acts_under_the_scope_that_is_wanted(who: Who, wanted: Scope | None, scope: Scope | None) -> None:
    found = who.at(wanted)
    assert (found.scope if found else None) == scope
    assert who.may(wanted) is (found is not None)
    assert found is None or found.scopes == who.scopes
