"""The queue: which job is whose, in the store, so that any number of workers share it and none is done twice.

A claim is a lease: it is renewed while its worker lives, and whoever comes next takes the job up when it has run out.
PostgreSQL gives each worker a job that nobody else has locked (SKIP LOCKED); in SQLite there is one writer at a time.
Locks are taken on the job first, then on its batch, everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from nlp.errors import JiesuError
from serving.batches.batch import CANCELLED, COUNTS, DONE, FAILED, LIVE, RUNNING, WAITING, Batch
from serving.journal.unit import Unit
from serving.store.tables import batch_jobs as jobs
from serving.store.tables import batches

PREPARE, DECIDE, FINISH = "prepare", "decide", "finish"
FIRST, LAST = 0, -1  # numbers of what comes before and after the chunks; what has only to be finished goes first
FAR = 3_600_000  # milliseconds: no claim reaches as far, unless the clock was put back


class Lost(JiesuError):
    """这一块已不归这个进程"""


@dataclass(frozen=True)
class Claimed:
    """A job that is this owner's for a while. attempts: this one too."""

    batch: str
    number: int
    step: str
    owner: str
    attempts: int


def put(unit: Unit, batch: Batch) -> None:
    """Write a new batch with its first job."""
    unit.put(batches, batch.row)
    unit.put(jobs, _job(batch.id, FIRST, PREPARE, batch.at))


def _job(batch: str, number: int, step: str, at: int) -> dict[str, Any]:
    return {
        "batch": batch, "number": number, "step": step, "state": WAITING, "owner": "", "until": at, "attempts": 0,
    }  # fmt: skip


def claim(unit: Unit, owner: str, now: int, until: int) -> Claimed | None:
    """Take the next job, if there is one: low numbers first, so that a small batch never waits for a large one."""
    query: Select[Any] = (
        select(jobs.c.batch, jobs.c.number, jobs.c.step, jobs.c.attempts)
        .where(_due(now))
        .order_by(jobs.c.number, jobs.c.batch)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    found = unit.connection.execute(query).first()
    if found is None:
        return None
    claimed = Claimed(found.batch, found.number, found.step, owner, found.attempts + 1)
    mine = (jobs.c.batch == found.batch, jobs.c.number == found.number)
    unit.connection.execute(update(jobs).where(*mine).values(owner=owner, until=until, attempts=claimed.attempts))
    if claimed.step == PREPARE:
        begun = update(batches).where(batches.c.id == found.batch, batches.c.state == WAITING)
        unit.connection.execute(begun.values(state=RUNNING, begun_at=now))
    return claimed


def renew(unit: Unit, claimed: Claimed, until: int) -> None:
    """Hold a claim for longer; raises `Lost`."""
    _mine(unit, claimed, until=until)


def release(unit: Unit, claimed: Claimed, at: int, *, counts: bool) -> None:
    """Give a job back, to be taken up from a time on; counts: whether that was an attempt."""
    _mine(unit, claimed, owner="", until=at, attempts=claimed.attempts - (not counts))


def prepared(unit: Unit, claimed: Claimed, chunks: int, model: str, now: int) -> None:
    """Note that a batch is ready, with a job for each chunk; raises `Lost`."""
    _mine(unit, claimed, state=DONE)
    rows = [_job(claimed.batch, number, DECIDE, now) for number in range(1, chunks + 1)]
    unit.add(jobs, *(rows or [_job(claimed.batch, LAST, FINISH, now)]))
    _batch(unit, claimed.batch, chunks=chunks, model=model)


def decided(unit: Unit, claimed: Claimed, counts: Mapping[str, int], now: int) -> None:
    """Note that a chunk is done, with its rows by `COUNTS`; the last one of all has the batch finished.

    Raises `Lost` where somebody else has taken it up: then that one's counts.
    """
    _mine(unit, claimed, state=DONE)
    values = {name: batches.c[name] + counts[name] for name in COUNTS} | {"done": batches.c.done + 1}
    change = update(batches).where(batches.c.id == claimed.batch).values(values)
    found = unit.connection.execute(change.returning(batches.c.done, batches.c.chunks)).one()
    if found.done == found.chunks:
        unit.put(jobs, _job(claimed.batch, LAST, FINISH, now))


def finished(unit: Unit, claimed: Claimed, now: int) -> None:
    """Note that a batch is done; raises `Lost`."""
    _mine(unit, claimed, state=DONE)
    _end(unit, claimed.batch, DONE, now, "")


def failed(unit: Unit, claimed: Claimed, reason: str, now: int) -> None:
    """Note that a batch cannot be done, and why; raises `Lost`."""
    _mine(unit, claimed, state=DONE)
    _end(unit, claimed.batch, FAILED, now, reason)


def cancelled(unit: Unit, batch: str, now: int) -> bool:
    """Note that nobody wants a batch any more; false where it has ended already."""
    return _end(unit, batch, CANCELLED, now, "")


def removed(unit: Unit, ids: Collection[str], now: int) -> None:
    """Note that the files of some batches are gone."""
    unit.connection.execute(update(batches).where(batches.c.id.in_(ids)).values(removed_at=now))


def find(connection: Connection, batch: str, key: str | None = None) -> Batch | None:
    """A batch, where a key is given only one of that key."""
    query = select(batches).where(batches.c.id == batch)
    row = connection.execute(query if key is None else query.where(batches.c.key == key)).mappings().first()
    return Batch.of(row) if row else None


def latest(connection: Connection, most: int, key: str | None = None) -> list[Batch]:
    """The latest batches, the newest first, where a key is given only those of that key."""
    query = select(batches).order_by(batches.c.id.desc()).limit(most)
    query = query if key is None else query.where(batches.c.key == key)
    return [Batch.of(row) for row in connection.execute(query).mappings()]


def due(connection: Connection, now: int) -> bool:
    """Whether there may be something to claim: a look that costs nobody his turn to write."""
    return connection.scalar(select(jobs.c.batch).where(_due(now)).limit(1)) is not None


def _due(now: int) -> ColumnElement[bool]:
    return and_(jobs.c.state == WAITING, or_(jobs.c.until <= now, jobs.c.until > now + FAR))


def figures(connection: Connection) -> tuple[int, int, dict[str, int]]:
    """How many jobs wait, how many chunks are done, and how many batches are in each state."""
    jobs_waiting = connection.scalar(select(func.count()).select_from(jobs).where(jobs.c.state == WAITING)) or 0
    query = select(batches.c.state, func.count(), func.sum(batches.c.done)).group_by(batches.c.state)
    found = connection.execute(query).all()
    counts = dict.fromkeys((*LIVE, DONE, FAILED, CANCELLED), 0) | {state: count for state, count, _ in found}
    return jobs_waiting, int(sum(done for _, _, done in found)), counts


def known(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of some ids that are batches."""
    return set(connection.scalars(select(batches.c.id).where(batches.c.id.in_(ids))))


def forget(unit: Unit, before: int) -> None:
    """Delete batches that ended before a time and whose files are gone."""
    gone = (batches.c.state.not_in(LIVE), batches.c.removed_at.is_not(None), batches.c.ended_at < before)
    unit.connection.execute(batches.delete().where(*gone))


def over(connection: Connection, before: int) -> list[str]:
    """Batches that ended before a time and still have files; cancelled ones have none that anybody wants."""
    late = or_(batches.c.ended_at < before, batches.c.state == CANCELLED)
    query = select(batches.c.id).where(batches.c.state.not_in(LIVE), batches.c.removed_at.is_(None), late)
    return list(connection.scalars(query))


def _end(unit: Unit, batch: str, state: str, now: int, reason: str) -> bool:
    unit.connection.execute(jobs.delete().where(jobs.c.batch == batch))
    return _batch(unit, batch, batches.c.state.in_(LIVE), state=state, ended_at=now, reason=reason)


def _batch(unit: Unit, batch: str, *further: ColumnElement[bool], **values: Any) -> bool:
    change = update(batches).where(batches.c.id == batch, *further).values(values)
    return bool(unit.connection.execute(change).rowcount)


def _mine(unit: Unit, claimed: Claimed, **values: Any) -> None:
    """Change a job while its claim holds; raises `Lost`."""
    mine = (jobs.c.batch == claimed.batch, jobs.c.number == claimed.number, jobs.c.owner == claimed.owner)
    change = update(jobs).where(*mine, jobs.c.state == WAITING, jobs.c.attempts == claimed.attempts)
    if not unit.connection.execute(change.values(values)).rowcount:
        raise Lost
