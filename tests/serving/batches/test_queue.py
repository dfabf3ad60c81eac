"""The queue: no job is two workers' at a time, none is counted twice, what nobody works at is taken up again."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from ulid_transform import ulid_at_time

from serving.audit.chain import Chain
from serving.batches import queue
from serving.batches.batch import CANCELLED, DONE, FAILED, RUNNING, WAITING, Batch
from serving.batches.options import Asked, Options
from serving.batches.queue import Claimed, Lost
from serving.journal.journal import Journal
from serving.store import tables
from serving.store.engine import open_engine

T0, LEASE = 1_000_000, 60_000
ONE = {"read": 10, "decided": 6, "human": 3, "rejected": 1}


def put(journal: Journal, at: int = T0, key: str = "k") -> str:
    asked = Asked(
        options=Options(),
        suffix=".csv",
        digest="0" * 64,
        size=1,
        profile="plain",
        now=datetime(2026, 11, 23, tzinfo=UTC),
    )
    batch = Batch.new(ulid_at_time(at / 1000), key, "工单.csv", asked, at)
    journal.write_now(lambda unit: queue.put(unit, batch))
    return batch.id


def claim(journal: Journal, now: int = T0, owner: str = "me") -> Claimed | None:
    return journal.write_now(lambda unit: queue.claim(unit, owner, now, now + LEASE))


def claimed(journal: Journal, now: int = T0, owner: str = "me") -> Claimed:
    found = claim(journal, now, owner)
    assert found is not None
    return found


def find(journal: Journal, batch: str) -> Batch:
    found = journal.read(lambda store: queue.find(store, batch))
    assert found is not None
    return found


def prepare(journal: Journal, chunks: int, at: int = T0) -> str:
    batch = put(journal, at)
    first = claimed(journal, at)
    journal.write_now(lambda unit: queue.prepared(unit, first, chunks, "small", at))
    return batch


def test_a_batch_goes_its_way(journal: Journal) -> None:
    batch = put(journal)
    first = claimed(journal)
    assert (first.batch, first.step, first.attempts) == (batch, queue.PREPARE, 1)
    assert find(journal, batch).state == RUNNING
    assert claim(journal) is None
    journal.write_now(lambda unit: queue.prepared(unit, first, 2, "small", T0))
    for number in (1, 2):
        one = claimed(journal)
        assert (one.step, one.number) == (queue.DECIDE, number)
        journal.write_now(lambda unit, one=one: queue.decided(unit, one, ONE, T0))
    assert find(journal, batch).counts == {name: 2 * count for name, count in ONE.items()}
    last = claimed(journal)
    assert last.step == queue.FINISH
    journal.write_now(lambda unit: queue.finished(unit, last, T0 + 5))
    done = find(journal, batch)
    assert (done.state, done.ended, done.chunks, done.done) == (DONE, T0 + 5, 2, 2)
    assert claim(journal) is None


def test_a_claim_that_ran_out_is_anothers_and_counts_once(journal: Journal) -> None:
    prepare(journal, 1)
    dead = claimed(journal, owner="dead")
    assert claim(journal, T0 + LEASE - 1) is None
    heir = claimed(journal, T0 + LEASE, owner="heir")
    assert (heir.number, heir.attempts) == (1, 2)
    with pytest.raises(Lost):
        journal.write_now(lambda unit: queue.decided(unit, dead, ONE, T0))
    with pytest.raises(Lost):
        journal.write_now(lambda unit: queue.renew(unit, dead, T0 + 9 * LEASE))
    journal.write_now(lambda unit: queue.decided(unit, heir, ONE, T0))
    assert find(journal, heir.batch).counts == ONE


def test_a_claim_can_be_renewed_and_given_back(journal: Journal) -> None:
    prepare(journal, 1)
    one = claimed(journal)
    journal.write_now(lambda unit: queue.renew(unit, one, T0 + 2 * LEASE))
    assert claim(journal, T0 + LEASE) is None
    journal.write_now(lambda unit: queue.release(unit, one, T0 + 5, counts=False))
    assert claim(journal, T0 + 4) is None
    assert claimed(journal, T0 + 5).attempts == 1


def test_a_clock_that_was_put_back_holds_up_nothing(journal: Journal) -> None:
    put(journal, T0 + 2 * queue.FAR)
    assert claim(journal, T0) is not None


def test_small_batches_do_not_wait_for_large_ones(journal: Journal) -> None:
    large, small = prepare(journal, 3), prepare(journal, 1, T0 + 1)
    order = [claimed(journal, T0 + 2) for _ in range(4)]
    assert [(one.batch, one.number) for one in order] == [(large, 1), (small, 1), (large, 2), (large, 3)]


def test_an_end_is_the_end(journal: Journal) -> None:
    batch = prepare(journal, 2)
    one = claimed(journal)
    assert journal.write_now(lambda unit: queue.cancelled(unit, batch, T0 + 1))
    assert not journal.write_now(lambda unit: queue.cancelled(unit, batch, T0 + 2))
    with pytest.raises(Lost):
        journal.write_now(lambda unit: queue.failed(unit, one, "坏了", T0 + 2))
    with pytest.raises(Lost):
        journal.write_now(lambda unit: queue.decided(unit, one, ONE, T0))
    found = find(journal, batch)
    assert (found.state, found.ended, found.counts["read"]) == (CANCELLED, T0 + 1, 0)
    assert claim(journal, T0 + 9 * LEASE) is None


def test_what_is_over_is_told_and_forgotten(journal: Journal) -> None:
    early, late, running = prepare(journal, 1), prepare(journal, 1, T0 + 1), prepare(journal, 1, T0 + 2)
    for batch, at in ((early, T0 + 10), (late, T0 + 20)):
        one = claimed(journal, T0 + 5)
        assert one.batch == batch
        journal.write_now(lambda unit, one=one, at=at: queue.failed(unit, one, "坏了", at))
    assert journal.read(lambda store: queue.over(store, T0 + 15)) == [early]
    assert journal.read(queue.figures)[2] == {RUNNING: 1, FAILED: 2, WAITING: 0, DONE: 0, CANCELLED: 0}
    journal.write_now(lambda unit: queue.removed(unit, [early], T0 + 30))
    assert journal.read(lambda store: queue.over(store, T0 + 15)) == []
    journal.write_now(lambda unit: queue.forget(unit, T0 + 15))
    assert journal.read(lambda store: queue.known(store, [early, late, running])) == {late, running}


def test_several_workers_share_the_chunks_and_none_is_done_twice(journal: Journal, store_url: str) -> None:
    batch = prepare(journal, 40)
    taken: list[tuple[str, int]] = []
    others = [Journal(open_engine(store_url), Chain(b"x" * 32)) for _ in range(3)]

    def work(mine: Journal, owner: str) -> None:
        while one := claim(mine, owner=owner):
            taken.append((owner, one.number))
            end = queue.finished if one.step == queue.FINISH else None
            mine.write_now(
                lambda unit, one=one, end=end: end(unit, one, T0) if end else queue.decided(unit, one, ONE, T0)
            )

    threads = [threading.Thread(target=work, args=(one, f"w{number}")) for number, one in enumerate(others)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in others:
        one.close()
    counts = Counter(number for _, number in taken)
    while (left := claim(journal)) is not None:  # the last one may have been put when the others had gone
        journal.write_now(lambda unit, left=left: queue.finished(unit, left, T0))
        counts[left.number] += 1
    assert counts == Counter([*range(1, 41), queue.LAST])
    assert find(journal, batch).counts["read"] == 400
    assert find(journal, batch).state == DONE
    jobs = tables.batch_jobs.c
    assert journal.read(lambda store: store.scalars(select(jobs.number)).all()) == []
