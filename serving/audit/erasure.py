"""Erasure: one person's records go on request (个人信息保护法 第四十七条), and the chain still verifies.

Of the audit only the details go, never the records: these hold nothing about a person. The record of an erasure holds
counts, and in its own detail, which the chain covers, the numbers of the records whose details went. They all stand
before it, and retention prunes from the beginning only: no erased detail outlives the record that explains it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, Table, func, literal, or_, select, text, true, tuple_

from serving.audit.record import Noting, Record
from serving.audit.spans import Spans
from serving.store import tables
from serving.store.tables import audit, audit_details, decisions

FORGET = "forget"
PART = 500  # ids in one statement
QUOTING = (tables.events, tables.requests)  # their contents may hold a decision whole
TOUCHED = ("decisions", "feedback", "outcomes", "calls", "events", "deliveries", "requests", "audit_details")


@dataclass(frozen=True)
class Person:
    """Whose records are meant: everything of these subjects (keyed hashes of a number), or of one petition."""

    subjects: tuple[str, ...] = ()
    petition: str = ""

    @property
    def decided(self) -> ColumnElement[bool]:
        """Whether a row of `decisions` is theirs."""
        return decisions.c.subject.in_(self.subjects) if self.subjects else decisions.c.petition == self.petition


@dataclass(frozen=True)
class Erased:
    """How many rows of each kind are one person's, and the numbers of the audit records with details of theirs."""

    decisions: int
    feedback: int
    outcomes: int
    calls: int
    events: int
    requests: int
    details: int
    seqs: str

    def __bool__(self) -> bool:
        return any(value for name, value in asdict(self).items() if name != "seqs")


@dataclass(frozen=True)
class Erasure:
    """The write, for a journal, that deletes what is somebody's and notes that it did; it answers an `Erased`.

    id: of the audit record, so that it is never done twice. at: milliseconds.
    """

    id: str
    at: int
    actor: str
    person: Person

    def __call__(self, unit: Noting) -> Erased:
        """Delete; nothing is noted where there was nothing."""
        before = _noted(unit.connection, self.id)
        if before:
            return before
        found, details = _found(unit.connection, self.person)
        if found:
            _delete(unit.connection, self.person, details)
            told = {name: str(value) for name, value in asdict(found).items()}
            object_ = "subject" if self.person.subjects else "petition"
            unit.note(Record(id=self.id, at=self.at, actor=self.actor, action=FORGET, object=object_, detail=told))
        return found


def trace(connection: Connection, person: Person) -> Erased:
    """What an erasure would delete."""
    return _found(connection, person)[0]


def scrub(engine: Engine) -> None:
    """Free what deleted rows left behind in the files of the database: its log, and the pages of old versions."""
    if engine.dialect.name == "sqlite":
        with closing(engine.raw_connection()) as raw:  # outside of any transaction
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    else:
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(f"VACUUM {', '.join(TOUCHED)}"))


def _found(connection: Connection, person: Person) -> tuple[Erased, list[str]]:
    """What is theirs, and the ids of the details, which must be exactly those that the record then names."""
    mine = select(decisions.c.id).where(person.decided)
    found = [tuple(row) for row in connection.execute(_details(connection, person))]
    counts = {
        table.name: _count(connection, table, table.c.decision.in_(mine))
        for table in (tables.feedback, tables.outcomes)
    }
    quoting = {table.name: _count(connection, table, _quotes(connection, table, person)) for table in QUOTING}
    erased = Erased(
        decisions=_count(connection, decisions, person.decided),
        calls=_count(connection, tables.calls, _spoken(person)),
        details=len(found),
        seqs=str(Spans.of(seq for seq, _ in found)),
        **counts,
        **quoting,
    )
    return erased, [id_ for _, id_ in found]


def _details(connection: Connection, person: Person) -> Any:
    """The audit records that have details about somebody: theirs by name, or about their decisions.

    Of decisions that retention has deleted already only the audit still knows whose they were.
    """
    joined = audit.join(audit_details, audit.c.id == audit_details.c.id)
    mine: ColumnElement[bool]
    if person.subjects:
        mine = audit_details.c.subject.in_(person.subjects)
    else:
        written = orjson.dumps({"petition": person.petition})[1:-1]
        mine = _within(connection, literal(written), audit_details.c.content)
    decided = select(audit.c.object).select_from(joined).where(mine, audit.c.action == "decide")
    known = select(decisions.c.id).where(person.decided)
    theirs = or_(mine, audit.c.object.in_(decided), audit.c.object.in_(known))
    return select(audit.c.seq, audit.c.id).select_from(joined).where(theirs, audit.c.action != FORGET)


def _spoken(person: Person) -> ColumnElement[bool]:
    """The calls out of which somebody's decisions came: the decision's petition is the call."""
    mine = select(decisions.c.petition, decisions.c.key).where(person.decided)
    by_decision = tuple_(tables.calls.c.id, tables.calls.c.key).in_(mine)
    return by_decision if person.subjects else or_(by_decision, tables.calls.c.id == person.petition)


def _quotes(connection: Connection, table: Table, person: Person) -> ColumnElement[bool]:
    """Whether a row's content names one of somebody's decisions."""
    named = _within(connection, decisions.c.id, table.c.content)
    return select(true()).where(person.decided, named).correlate(table).exists()


def _within(connection: Connection, part: ColumnElement[Any], content: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether bytes hold other bytes, or a text in ASCII, in the words of the database at hand."""
    if connection.dialect.name == "sqlite":
        return func.instr(content, part) > 0
    written = func.convert_to(part, "UTF8") if part is decisions.c.id else part
    return func.position(written.op("IN")(content)) > 0


def _delete(connection: Connection, person: Person, details: Sequence[str]) -> None:
    """Delete it all; feedback and outcomes go with their decision, deliveries with their event."""
    for part in _parts(details):
        connection.execute(audit_details.delete().where(audit_details.c.id.in_(part)))
    for table in QUOTING:
        connection.execute(table.delete().where(_quotes(connection, table, person)))
    connection.execute(tables.calls.delete().where(_spoken(person)))
    connection.execute(decisions.delete().where(person.decided))


def _noted(connection: Connection, record: str) -> Erased | None:
    """What this erasure did, where it has been done already: a commit of which nobody heard."""
    content = connection.scalar(select(audit_details.c.content).where(audit_details.c.id == record))
    if content is None:
        return None
    told: dict[str, Any] = orjson.loads(content)
    del told["salt"]
    return Erased(seqs=told.pop("seqs"), **{name: int(count) for name, count in told.items()})


def _count(connection: Connection, table: Table, whose: ColumnElement[bool]) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(whose)) or 0


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[begin : begin + PART] for begin in range(0, len(ids), PART))
