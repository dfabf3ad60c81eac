"""Retention: what is older than its limit goes, a batch at a time, so that nobody waits long for the database.

The audit is pruned from its beginning and only up to the first record that is younger; a signed checkpoint takes the
place of what went. It is kept for half a year at least (网络安全法: 留存相关的网络日志不少于六个月).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, tuple_
from ulid_transform import ulid_now

from nlp.errors import InputError
from serving.audit.chain import CHECKPOINT, COVERED, NOWHERE, Chain, ChainBroken, Mark
from serving.audit.record import Noting, Record
from serving.store import tables
from serving.store.tables import audit, audit_details

RETAIN = "retain"
PACE = "retention"  # the mark of the time by which retention went last
BATCH = 5000  # rows of a table in one transaction
DAY = 86_400_000  # milliseconds
STRIDE = 2 * DAY
LEAST = 184  # days: from March to September six months are so many
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """How long each kind is kept, in days. Raises `InputError` for an audit of less than half a year.

    decisions: with their feedback and outcomes, counted from the last of these; also events that nobody could be told
    of, and errands. audit: the chain. calls: after the last turn. events: that were delivered. requests: their first
    answers.
    """

    decisions: int = 400
    audit: int = 400
    calls: int = 7
    events: int = 7
    requests: int = 1

    def __post_init__(self) -> None:
        check_span(self.audit * DAY)


@dataclass(frozen=True)
class Kept:
    """What one batch did. deleted: rows by table (without what went along with them). more: there is more to do."""

    deleted: dict[str, int]
    more: bool


@dataclass(frozen=True)
class Round:
    """The write, for a journal, that deletes one batch of every kind and notes it.

    id: of the audit record, so that no batch is taken for another. now: milliseconds.
    """

    id: str
    now: int
    chain: Chain
    limits: Limits

    def __call__(self, unit: Noting) -> Kept:
        """Delete a batch; raises `ChainBroken` where what is to be pruned does not verify."""
        return retain(unit, self.chain, self.now, self.limits, self.id)


class Writer(Protocol):
    """What writes, like `serving.journal.journal.Journal`."""

    chain: Chain

    def write_now(self, write: Callable[[Noting], T]) -> T:
        """Have something written; raises `StoreDown`, or what the write raised."""


def retain_all(journal: Writer, now: int, limits: Limits) -> dict[str, int]:
    """Batch after batch, until nothing is too old; rows deleted, by table. Raises `StoreDown`, `ChainBroken`."""
    chain, deleted = journal.chain, Counter[str]()
    paced = journal.write_now(lambda unit: pace(unit, chain, now))
    while True:
        kept = journal.write_now(Round(ulid_now(), paced, chain, limits))
        deleted.update(kept.deleted)
        if not kept.more:
            return dict(deleted)


def pace(unit: Noting, chain: Chain, now: int) -> int:
    """The time by which this run goes: at most two days after that of the last one.

    A clock that jumps years ahead deletes two days' worth, not everything; after a long pause retention lags behind.
    """
    last = chain.mark(unit.connection, PACE)
    paced = min(now, last.at + STRIDE) if last.at else now
    chain.put_mark(unit.connection, PACE, replace(NOWHERE, at=paced))
    return paced


def retain(unit: Noting, chain: Chain, now: int, limits: Limits, record: str) -> Kept:
    """Delete a batch of every kind; where any row went, an audit record with the counts is noted."""
    if chain.holds(unit.connection, record):  # a commit of which nobody heard: the next round goes on
        return Kept({}, True)
    deleted = {str(table.name): _delete(unit.connection, table, old) for table, old in _old(now, limits)}
    chain.lock(unit.connection)  # the last lock, as in every other write: nobody waits for whoever waits for us
    if chain.holds(unit.connection, record):
        return Kept({}, True)
    deleted["audit"] = prune(unit, chain, now - limits.audit * DAY, now)
    if any(deleted.values()):
        told = {name: str(count) for name, count in deleted.items() if count}
        place = chain.mark(unit.connection, CHECKPOINT)
        named = f"{place.seq}:{place.hash}" if place.seq else ""
        unit.note(Record(id=record, at=now, actor="jiesu", action=RETAIN, object=named, detail=told))
    return Kept(deleted, any(count >= BATCH for count in deleted.values()))


def prune(unit: Noting, chain: Chain, before: int, now: int) -> int:
    """Delete the audit's first records, at most a batch of them, as far as they are older than a time (milliseconds).

    They are verified first, for afterwards nobody can. Raises `InputError` for a time less than half a year ago, and
    `ChainBroken`. How many went; whoever calls it notes that.
    """
    check_span(now - before)
    connection = unit.connection
    chain.lock(connection)
    begun = chain.mark(connection, CHECKPOINT)
    end = _end(connection, chain, begun, before)
    if end.seq > begun.seq:
        gone = audit.c.seq <= end.seq
        connection.execute(audit_details.delete().where(audit_details.c.id.in_(select(audit.c.id).where(gone))))
        connection.execute(audit.delete().where(gone))
        chain.put_mark(connection, CHECKPOINT, end)
    return end.seq - begun.seq


def check_span(span: int) -> None:
    """Raise `InputError` for a time, in milliseconds, that is too short for an audit to be kept."""
    if span < LEAST * DAY:
        raise InputError(place="审计的保留期", reason=f"至少 {LEAST} 天：网络安全法要求网络日志留存不少于六个月")


def _end(connection: Connection, chain: Chain, begun: Mark, before: int) -> Mark:
    """The last of the first records that are too old, each of them verified."""
    columns = [audit.c[name] for name in COVERED]
    rows = select(*columns, audit.c.hash).where(audit.c.seq > begun.seq).order_by(audit.c.seq).limit(BATCH)
    last = begun
    for row in connection.execute(rows).mappings():
        if row["at"] >= before:
            break
        if row["seq"] != last.seq + 1 or chain.hash(last.hash, row) != row["hash"]:
            raise ChainBroken(reason=f"第 {last.seq + 1} 条验不过，审计不清理（先 jiesu audit verify）")
        last = Mark(row["seq"], row["hash"], row["at"])
    return last


def _old(now: int, limits: Limits) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Each table beside the condition under which a row of it is too old."""
    yield tables.decisions, _settled(now - limits.decisions * DAY)
    yield tables.sessions, tables.sessions.c.expires_at <= now
    yield tables.calls, tables.calls.c.at < now - limits.calls * DAY
    yield tables.events, or_(_told(now - limits.events * DAY), tables.events.c.at < now - limits.decisions * DAY)
    yield tables.requests, tables.requests.c.begun_at < now - limits.requests * DAY
    yield tables.rates, tables.rates.c.expires_at <= now
    yield tables.errands, tables.errands.c.ended_at < now - limits.decisions * DAY


def _settled(before: int) -> ColumnElement[bool]:
    """Decisions of which nobody has said anything since a time: a late correction is not to be lost."""
    decision = tables.decisions.c
    heard = tables.feedback.c.decision == decision.id, tables.feedback.c.at >= before
    became = tables.outcomes.c.decision == decision.id, tables.outcomes.c.recorded_at >= before
    later = [select(table.c.id).where(*which).exists() for table, which in
             ((tables.feedback, heard), (tables.outcomes, became))]  # fmt: skip
    return and_(decision.at < before, *(~one for one in later))


def _told(before: int) -> ColumnElement[bool]:
    """Events whose every delivery is done; dead letters wait for whoever replays them."""
    open_ = tables.deliveries.c.event == tables.events.c.id, tables.deliveries.c.state != "done"
    return and_(tables.events.c.at < before, ~select(tables.deliveries.c.event).where(*open_).exists())


def _delete(connection: Connection, table: Table, old: ColumnElement[bool]) -> int:
    """Delete a batch of a table; what hangs on a row goes with it."""
    key = tuple_(*table.primary_key.columns)
    batch = select(*table.primary_key.columns).where(old).limit(BATCH)
    return connection.execute(table.delete().where(key.in_(batch))).rowcount
