"""Upkeep: each job is done when it is due, by one process, and a failure is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from serving.journal.journal import Journal
from serving.store import tables
from serving.upkeep import LEASE, Job, Upkeep, claim

BEGUN = datetime(2026, 11, 23, 9, tzinfo=UTC)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.time = BEGUN

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_job_recurs(journal: Journal, clock: Clock) -> None:
    done: list[datetime] = []
    upkeep = Upkeep(journal, {"drift": Job(3600, lambda: str(done.append(clock())))}, clock)
    assert upkeep.look() == ["drift"]
    assert upkeep.look() == []
    clock.pass_by(3601)
    assert upkeep.look() == ["drift"]
    assert len(done) == 2


def test_two_processes_do_it_once(journal: Journal, clock: Clock) -> None:
    done: list[int] = []
    one, other = (Upkeep(journal, {"drift": Job(3600, lambda: str(done.append(1)))}, clock) for _ in range(2))
    assert (one.look(), other.look()) == (["drift"], [])
    assert done == [1]


def test_a_claim_of_the_dead_runs_out(journal: Journal, clock: Clock) -> None:
    now = int(clock().timestamp() * 1000)
    assert journal.write_now(lambda unit: claim(unit, "drift", now))
    assert not journal.write_now(lambda unit: claim(unit, "drift", now + LEASE - 1))
    assert journal.write_now(lambda unit: claim(unit, "drift", now + LEASE))


def test_a_clock_set_back_does_not_stop_it(journal: Journal, clock: Clock) -> None:
    upkeep = Upkeep(journal, {"drift": Job(3600, lambda: "ok")}, clock)
    upkeep.look()
    clock.pass_by(-365 * 86_400)
    assert upkeep.look() == ["drift"]


def test_a_failure_is_noted_and_tried_again(journal: Journal, clock: Clock) -> None:
    def fails() -> str:
        raise ValueError("楼上卫生间漏水")

    upkeep = Upkeep(journal, {"drift": Job(60, fails)}, clock)
    assert upkeep.look() == ["drift"]
    outcome = journal.read(lambda connection: connection.scalar(select(tables.jobs.c.outcome)))
    assert outcome == "ValueError"
    clock.pass_by(61)
    assert upkeep.look() == ["drift"]
