"""Keys: made once, found while they are good, and unknown to everybody else."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select

from nlp.errors import InputError
from serving.access.keys import Key, Keys, any_key
from serving.access.scope import Scope
from serving.audit.chain import Chain
from serving.journal.journal import Journal
from serving.secret import keyed
from serving.store import tables
from serving.store.engine import StoreDown, open_engine

SECRET = b"x" * 32


@pytest.fixture
def keys(journal: Journal) -> Keys:
    return Keys(journal, SECRET)


def found(keys: Keys, shown: str) -> Key | None:
    return asyncio.run(keys.find(shown))


def readings(journal: Journal) -> list[str]:
    """The times that the keys are read from now on, as statements."""
    statements: list[str] = []

    def note(*told: object) -> None:
        if "FROM keys" in str(told[2]):
            statements.append(str(told[2]))

    event.listen(journal.engine, "after_cursor_execute", note)
    return statements


def test_a_key_is_found_by_itself_alone(keys: Keys) -> None:
    made = keys.create(Scope.batch, "热线平台", "600/minute")
    assert re.fullmatch(r"[a-z2-7]{12}\.[A-Za-z0-9_-]{43}", made)
    key = found(keys, made)
    assert key is not None
    assert (key.scope, key.name, key.rate, key.expires_at) == (Scope.batch, "热线平台", "600/minute", None)
    assert key.who(Scope.operator) is not None
    assert key.who(Scope.admin) is None
    name, _, secret = made.partition(".")
    other = keys.create(Scope.admin).partition(".")[0]
    wrong = [
        "", ".", name, f"{name}.", f".{secret}", secret, made + "x", made[:-1], made.upper(), f" {made}",
        f"{name}.{secret}.", f"{name.replace(name[0], '7' if name[0] != '7' else '6')}.{secret}", f"{other}.{secret}",
        made + "é", "\ud800.x", f"{name}.{'y' * 43}", f"{name}.{'0' * 1_000_000}",
    ]  # fmt: skip
    fresh = Keys(keys._journal, SECRET)
    assert [found(fresh, shown) for shown in wrong] == [None] * len(wrong)
    assert found(fresh, made) is not None


def test_the_store_and_the_audit_hold_no_secret(keys: Keys, journal: Journal) -> None:
    name, _, secret = keys.create(Scope.operator, "甲").partition(".")
    rows = journal.read(lambda connection: connection.execute(select(tables.keys)).all())
    assert [(row.id, row.hash) for row in rows] == [(name, keyed(SECRET, "key", secret))]
    records = journal.read(lambda connection: connection.execute(select(tables.audit)).all())
    assert [(row.actor, row.action, row.object) for row in records] == [("jiesu keys", "key.create", name)]
    details = journal.read(lambda connection: connection.scalars(select(tables.audit_details.c.content)).all())
    assert secret not in str(rows) + str(records) + str(details)


def test_another_servers_secret_finds_nothing(keys: Keys, journal: Journal) -> None:
    made = keys.create(Scope.operator)
    assert found(Keys(journal, b"y" * 32), made) is None


def test_an_expired_key_stops_at_the_millisecond(journal: Journal) -> None:
    now = [1000.0]
    keys = Keys(journal, SECRET, clock=lambda: now[0])
    made = keys.create(Scope.operator, expires_at=1_000_500)
    assert found(keys, made) is not None
    now[0] = 1000.499
    assert found(keys, made) is not None
    now[0] = 1000.5
    assert found(keys, made) is None


def test_a_revoked_key_stops_within_a_second_elsewhere(keys: Keys, journal: Journal) -> None:
    made, kept = keys.create(Scope.operator), keys.create(Scope.operator)
    elsewhere = Keys(journal, SECRET)
    assert found(elsewhere, made) is not None
    assert keys.revoke(made.partition(".")[0])
    revoked = time.monotonic()
    while found(elsewhere, made) is not None:
        assert time.monotonic() - revoked < 1.5
        time.sleep(0.02)
    assert found(elsewhere, kept) is not None
    assert not keys.revoke(made.partition(".")[0])  # known, and done before
    records = journal.read(lambda connection: connection.scalars(select(tables.audit.c.action)).all())
    assert records == ["key.create", "key.create", "key.revoke"]


@pytest.mark.parametrize("name", ["", "aaaaaaaaaaaa", "'; DROP TABLE keys; --"])
def test_an_unknown_key_cannot_be_revoked(keys: Keys, name: str) -> None:
    with pytest.raises(InputError):
        keys.revoke(name)


def test_all_keys_are_listed_the_revoked_ones_too(keys: Keys) -> None:
    made = [keys.create(Scope.operator).partition(".")[0] for _ in range(3)]
    keys.revoke(made[1])
    assert {key.id: key.revoked_at is None for key in keys.all()} == {made[0]: True, made[1]: False, made[2]: True}


def test_a_flood_of_made_up_ids_does_not_reach_the_database(keys: Keys, journal: Journal) -> None:
    made, statements = keys.create(Scope.operator), readings(journal)

    async def flood() -> None:
        begun = time.monotonic()
        for number in range(20_000):
            assert await keys.find(f"{number:012}.{'s' * 43}") is None
            if number % 1000 == 0:
                assert await keys.find(made) is not None  # nor does it keep anybody else out
        assert len(statements) <= 2 + 2 * (time.monotonic() - begun)

    asyncio.run(flood())


def test_a_known_and_an_unknown_id_take_the_same_way(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    name = keys.create(Scope.operator).partition(".")[0]
    found(keys, "")
    compared: list[int] = []

    def noted(left: str, right: str) -> bool:
        compared.append(len(left) + len(right))
        return False

    monkeypatch.setattr("serving.access.keys.hmac.compare_digest", noted)
    for shown in (f"{name}.wrong", "aaaaaaaaaaaa.wrong", "", "é"):
        found(keys, shown)
    assert compared == [128] * 4


def test_many_requests_share_one_reading(keys: Keys, journal: Journal) -> None:
    made, statements = keys.create(Scope.operator), readings(journal)

    async def many() -> list[Key | None]:
        return await asyncio.gather(*(keys.find(made) for _ in range(200)))

    assert all(asyncio.run(many()))
    assert len(statements) == 1


def test_a_database_that_is_away_opens_to_nobody(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    made = keys.create(Scope.operator)
    assert found(keys, made)

    def away(_: Callable[[Connection], object]) -> object:
        raise StoreDown(reason="gone")

    monkeypatch.setattr(keys._journal, "read", away)
    time.sleep(1.05)
    with pytest.raises(StoreDown):
        found(keys, made)
    monkeypatch.undo()
    assert found(keys, made)


def test_any_key_counts_only_those_that_open(keys: Keys, journal: Journal) -> None:
    assert not any_key(journal)
    keys.create(Scope.operator, expires_at=1)
    revoked = keys.create(Scope.operator).partition(".")[0]
    assert any_key(journal)
    keys.revoke(revoked)
    assert not any_key(journal)
    keys.create(Scope.data, expires_at=int(time.time() * 1000) + 60_000)
    assert any_key(journal)


def test_a_key_made_by_one_process_is_known_to_the_next(store_url: str, keys: Keys) -> None:
    made = keys.create(Scope.operator)
    engine = open_engine(store_url)
    second = Journal(engine, Chain(SECRET))
    assert found(Keys(second, SECRET), made) is not None
    second.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=st.text(max_size=300) | st.from_regex(r"[a-z2-7]{12}\.[A-Za-z0-9_-]{43}", fullmatch=True))
def test_nothing_that_is_shown_opens_or_breaks(keys: Keys, shown: str) -> None:
    assert found(keys, shown) is None
