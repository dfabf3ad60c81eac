"""A delivery is one sender's at a time, and what a sender says of it counts only while it is its own."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine
from ulid_transform import ulid_now

from serving.audit.chain import Chain
from serving.events.backoff import FARTHEST as HOUR
from serving.events.deliveries import (
    Claimed,
    bury,
    claim,
    dead_letters,
    finish,
    missing,
    put_off,
    release,
    replay,
)
from serving.events.outbox import DECIDED
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store.engine import open_engine, writing
from serving.times import millis
from tests.serving.conftest import SECRET
from tests.serving.events.conftest import NOW, here, noted, states, target

NAME = "值班系统"
FARTHEST = round(HOUR * 1000)
AT = millis(NOW)
TARGETS = here(target("http://127.0.0.1:1/"))


@pytest.fixture
def five(journal: Journal) -> Journal:
    noted(journal, TARGETS, DECIDED, ulid_now(), b"{}", count=5)
    return journal


def claimed(journal: Journal, at: int, most: int = 9) -> list[Claimed]:
    return journal.write_now(lambda unit: claim(unit, NAME, at, at + 60_000, most))


def test_what_is_claimed_is_nobody_elses_until_the_claim_ends(five: Journal) -> None:
    first = claimed(five, AT, 3)
    assert [one.tries for one in first] == [1, 1, 1]
    second = claimed(five, AT)
    assert len(second) == 2
    assert {one.event for one in first}.isdisjoint(one.event for one in second)
    assert claimed(five, AT + 59_999) == []
    again = claimed(five, AT + 60_000)
    assert {one.tries for one in again} == {2}
    assert sorted(one.body for one in again) == sorted(one.body for one in first + second)


def test_another_targets_deliveries_are_not_touched(five: Journal) -> None:
    assert five.write_now(lambda unit: claim(unit, "二号", AT, AT + 1, 9)) == []
    assert len(claimed(five, AT)) == 5


def test_two_who_claim_at_the_same_time_get_different_ones(five: Journal, store_url: str) -> None:
    """PostgreSQL passes over what another transaction holds; SQLite lets one after the other."""
    other = Journal(open_engine(store_url), Chain(SECRET))
    taken: list[list[Claimed]] = []
    if store_url.startswith("postgresql"):
        with writing(five.engine) as connection:
            taken.append(claim(Unit(connection, Chain(SECRET)), NAME, AT, AT + 60_000, 3))
            taken.append(claimed(other, AT))
    else:
        threads = [
            threading.Thread(target=lambda journal=journal: taken.append(claimed(journal, AT, 3)))
            for journal in (five, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    other.close()
    events = [one.event for part in taken for one in part]
    assert len(events) == len(set(events)) == 5


def test_a_claim_that_ran_out_says_nothing_any_more_unless_it_succeeded(five: Journal) -> None:
    [late] = claimed(five, AT, 1)
    claimed(five, AT)
    [now] = [one for one in claimed(five, AT + 60_000) if one.event == late.event]
    for change in (
        bury(late, "x"),
        put_off(late, 0, "x"),
        release(late, 0),
    ):
        five.write_now(change)
    [row] = [row for row in states(five) if row["event"] == late.event]
    assert (row["state"], row["next_at"], row["attempts"], row["error"]) == ("waiting", now.until, 2, "")
    five.write_now(finish(late))
    five.write_now(bury(now, "x"))
    assert [row["state"] for row in states(five) if row["event"] == late.event] == ["done"]


def test_what_is_put_off_comes_back_and_what_is_released_was_never_tried(five: Journal) -> None:
    first, second, *_ = claimed(five, AT)
    five.write_now(put_off(first, AT + 5000, "HTTP 500"))
    five.write_now(release(second, AT))
    assert [(one.event, one.tries) for one in claimed(five, AT)] == [(second.event, 1)]
    assert [(one.event, one.tries) for one in claimed(five, AT + 5000)] == [(first.event, 2)]


def test_a_clock_that_was_put_back_holds_nothing_up(five: Journal) -> None:
    ahead = AT + FARTHEST * 24
    for one in claimed(five, ahead):
        five.write_now(put_off(one, ahead + FARTHEST, "HTTP 500"))
    assert len(claimed(five, AT)) == 5
    assert claimed(five, AT) == []


def test_dead_letters_are_kept_counted_and_replayed(five: Journal) -> None:
    dead, done, *_ = claimed(five, AT)
    five.write_now(bury(dead, "HTTP 410"))
    five.write_now(finish(done))
    assert five.read(lambda store: dead_letters(store, [NAME, "二号"])) == {NAME: 1, "二号": 0}
    assert claimed(five, AT + FARTHEST // 2)
    assert five.write_now(lambda unit: replay(unit, AT, ["二号"])) == 0
    assert five.write_now(lambda unit: replay(unit, AT, [NAME])) == 1
    [again] = claimed(five, AT)
    assert (again.event, again.tries, again.body) == (dead.event, 1, dead.body)


def test_an_event_that_arrived_is_replayed_by_its_id_and_one_that_waits_is_left(five: Journal) -> None:
    done, waiting, *_ = claimed(five, AT)
    five.write_now(finish(done))
    ids = [done.event, waiting.event, "01KAQ3W5S8V1N3J6Y7B2D4F8H0"]
    assert five.read(lambda store: missing(store, ids)) == ids[2:]
    assert five.write_now(lambda unit: replay(unit, AT, [NAME], ids)) == 1
    assert [one.event for one in claimed(five, AT)] == [done.event]


def test_the_claims_of_a_target_are_found_by_an_index(engine: Engine) -> None:
    """A backlog of one target is not read through for another: asked of SQLite, whose plan is plain to read."""
    if engine.dialect.name != "sqlite":
        return
    query = "EXPLAIN QUERY PLAN SELECT event FROM deliveries WHERE state = 'waiting' AND next_at <= 5 AND target = 'a'"
    with engine.connect() as connection:
        plan = " ".join(str(row) for row in connection.exec_driver_sql(query))
    assert "USING INDEX ix_deliveries" in plan
