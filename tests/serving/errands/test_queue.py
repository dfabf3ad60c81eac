"""The queue of errands: one at a time, the oldest first, and what the dead have left."""

from __future__ import annotations

import threading

import pytest

from serving.errands import queue
from serving.errands.errand import CANCELLED, DONE, FAILED, RUNNING, STOPPING, WAITING, Errand
from serving.errands.queue import FAR, Lost, Told
from serving.journal.journal import Journal
from tests.serving.errands.conftest import WHO, found

NOW, LEASE = 1_000_000, 1000


def put(journal: Journal, name: str = "a.csv") -> Errand:
    errand = Errand.new(WHO, NOW, "do", name, {"codes": ["pass"]})
    journal.write_now(lambda unit: queue.put(unit, errand))
    return errand


def claim(journal: Journal, owner: str = "one", now: int = NOW) -> Errand | None:
    return journal.write_now(lambda unit: queue.claim(unit, owner, now, now + LEASE))


def test_an_errand_comes_back_as_it_was_put(journal: Journal) -> None:
    errand = put(journal)
    assert found(journal, errand) == errand
    assert journal.read(queue.due)


def test_one_at_a_time_and_the_oldest_first(journal: Journal) -> None:
    first, second = put(journal), put(journal)
    taken = claim(journal)
    assert taken is not None
    assert (taken.id, taken.state, taken.attempts, taken.begun_at) == (first.id, RUNNING, 1, NOW)
    assert claim(journal, "two") is None
    journal.write_now(lambda unit: queue.finish(unit, taken, DONE, Told("好", 1.0, ("完",)), NOW + 5))
    ended = found(journal, first)
    assert (ended.state, ended.said, ended.ended_at, ended.part) == (DONE, ("完",), NOW + 5, 1.0)
    other = claim(journal, "two")
    assert other is not None
    assert other.id == second.id


def test_many_who_claim_at_once_begin_one(journal: Journal) -> None:
    for _ in range(5):
        put(journal)
    taken: list[Errand | None] = []
    threads = [threading.Thread(target=lambda n=n: taken.append(claim(journal, f"{n}"))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([errand for errand in taken if errand]) == 1


def test_what_the_dead_have_claimed_is_taken_up(journal: Journal) -> None:
    errand = put(journal)
    dead = claim(journal)
    assert dead is not None
    assert claim(journal, "two", NOW + LEASE - 1) is None
    taken = claim(journal, "two", NOW + LEASE)
    assert taken is not None
    assert (taken.id, taken.attempts) == (errand.id, 2)
    for write in (
        lambda unit: queue.beat(unit, dead, Told(), NOW),
        lambda unit: queue.finish(unit, dead, DONE, Told(), NOW),
    ):
        with pytest.raises(Lost):
            journal.write_now(write)
    assert found(journal, errand).state == RUNNING


def test_a_clock_set_back_holds_nothing_up(journal: Journal) -> None:
    put(journal)
    assert claim(journal, "one", NOW + 2 * FAR) is not None
    assert claim(journal, "two", NOW) is not None


def test_a_beat_tells_and_hears(journal: Journal) -> None:
    errand = put(journal)
    taken = claim(journal)
    assert taken is not None
    assert not journal.write_now(lambda unit: queue.beat(unit, taken, Told("训练", 0.5, ("一行",)), NOW + 10 * LEASE))
    seen = found(journal, errand)
    assert (seen.step, seen.part, seen.said, seen.until) == ("训练", 0.5, ("一行",), NOW + 10 * LEASE)
    assert journal.write_now(lambda unit: queue.cancel(unit, errand.id, NOW))
    assert found(journal, errand).state == STOPPING
    assert journal.write_now(lambda unit: queue.beat(unit, taken, Told(), NOW + LEASE))


def test_what_waits_is_cancelled_at_once_and_what_has_ended_is_not(journal: Journal) -> None:
    errand = put(journal)
    assert journal.write_now(lambda unit: queue.cancel(unit, errand.id, NOW))
    assert found(journal, errand).state == CANCELLED
    assert not journal.write_now(lambda unit: queue.cancel(unit, errand.id, NOW))
    assert not journal.read(queue.due)


def test_what_is_given_back_waits_again_unless_somebody_wanted_it_stopped(journal: Journal) -> None:
    errand = put(journal)
    taken = claim(journal)
    assert taken is not None
    journal.write_now(lambda unit: queue.release(unit, taken, NOW))
    back = found(journal, errand)
    assert (back.state, back.attempts, back.owner) == (WAITING, 0, "")
    again = claim(journal)
    assert again is not None
    journal.write_now(lambda unit: queue.cancel(unit, errand.id, NOW))
    journal.write_now(lambda unit: queue.release(unit, again, NOW))
    assert found(journal, errand).state == CANCELLED


def test_why_one_failed_is_what_it_said_last() -> None:
    errand = Errand.new(WHO, NOW, "do", "a.csv", {})
    lines = ["读 a.csv", "jiesu：没有换上。没有通过：", "  类别：低了", "  层级：低了"]
    assert (
        Errand(**{**vars(errand), "state": FAILED, "said": lines}).reason
        == "没有换上。没有通过：\n  类别：低了\n  层级：低了"
    )
    assert Errand(**{**vars(errand), "state": FAILED, "said": ["一", "二"]}).reason == "二"
    assert Errand(**{**vars(errand), "state": DONE, "said": lines}).reason == ""


def test_the_latest_come_first(journal: Journal) -> None:
    names = [put(journal, f"{n}.csv").name for n in range(3)]
    assert [errand.name for errand in journal.read(lambda store: queue.latest(store, 2))] == names[:0:-1]
    assert journal.read(lambda store: queue.latest(store, 2, ["fit"])) == []
