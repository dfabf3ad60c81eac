"""Erasure: one person's records are gone, those of others are not, and the chain says that and no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select
from ulid_transform import ulid_now

from serving.audit.erasure import TOUCHED, Erased, Erasure, Person, scrub, trace
from serving.audit.record import Record
from serving.audit.verify import verify
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store import tables
from tests.rows import row
from tests.serving.audit.conftest import NOW, decided, records

Forget = Callable[..., Erased]
MARK = "ZQXJ-the-one-who-asks"


def life(unit: Unit, petition: str, subject: str) -> str:
    """All that comes of a petition: decision, feedback, outcome, call, event, first answer, and the audit of it."""
    new = decided(unit, petition, subject)
    for table in (tables.feedback, tables.outcomes):
        unit.add(table, row(table, id=ulid_now(), decision=new))
        unit.note(Record(id=ulid_now(), at=NOW, actor="key", action=table.name, object=new, detail={"digest": "d"}))
    content = b'{"decision_id":"' + new.encode() + b'"}'
    unit.add(tables.calls, row(tables.calls, id=petition, key="key"))
    unit.add(tables.calls, row(tables.calls, id=petition, key="another"))
    unit.add(tables.events, row(tables.events, id=new, content=content))
    unit.add(tables.deliveries, row(tables.deliveries, event=new))
    unit.add(tables.requests, row(tables.requests, name=petition, content=content))
    return new


def kept(journal: Journal) -> dict[str, int]:
    def read(connection: object) -> dict[str, int]:
        return {name: len(connection.execute(select(tables.metadata.tables[name])).all()) for name in TOUCHED}  # type: ignore[attr-defined]

    return journal.read(read)


def test_one_persons_records_go_and_nobody_elses(journal: Journal, forget: Forget) -> None:
    for petition, subject in (("A-1", "s"), ("B-1", "t"), ("A-2", "s")):
        journal.write_now(lambda unit, petition=petition, subject=subject: life(unit, petition, subject))  # type: ignore[misc]
    gone = forget("s")
    assert gone == Erased(2, 2, 2, 2, 2, 2, 6, "1-3,7-9")
    assert kept(journal) == {
        "decisions": 1, "feedback": 1, "outcomes": 1, "calls": 4, "events": 1, "deliveries": 1, "requests": 1,
        "audit_details": 4,
    }  # fmt: skip
    found = verify(journal.engine, journal.chain)
    assert (found.is_sound, found.erased, found.records) == (True, 6, 10)


def test_one_petition_of_several(journal: Journal, forget: Forget) -> None:
    for petition in ("A-1", "A-11", "a-1"):
        journal.write_now(lambda unit, petition=petition: life(unit, petition, "s"))  # type: ignore[misc]
    gone = forget(petition="A-1")
    assert (gone.decisions, gone.calls, gone.seqs) == (1, 2, "1-3")
    assert kept(journal)["decisions"] == 2
    assert verify(journal.engine, journal.chain).is_sound


def test_the_audit_alone_still_knows_whose_it_was(journal: Journal, forget: Forget) -> None:
    """Retention has deleted the decisions already: their details in the audit go all the same."""
    for petition in ("A-1", '引"号', "100%_\\"):
        journal.write_now(lambda unit, petition=petition: life(unit, petition, f"s {petition}"))  # type: ignore[misc]
    journal.write_now(lambda unit: unit.connection.execute(tables.decisions.delete()))
    assert forget(petition='引"号').seqs == "4-6"
    assert forget(petition="100%_\\").seqs == "7-9"
    assert forget("s A-1").seqs == "1-3"
    assert verify(journal.engine, journal.chain).is_sound


def test_again_finds_nothing_and_notes_nothing(journal: Journal, forget: Forget) -> None:
    journal.write_now(lambda unit: life(unit, "A-1", "s"))
    assert forget("s")
    head = verify(journal.engine, journal.chain).head
    assert not forget("s")
    assert not forget(petition="A-2")
    assert not forget(petition="x' OR '1'='1")
    assert verify(journal.engine, journal.chain).head == head


def test_who_comes_back_is_erased_again(journal: Journal, forget: Forget) -> None:
    for _ in range(3):
        journal.write_now(lambda unit: life(unit, "A-1", "s"))
        assert forget("s").details == 3
    found = verify(journal.engine, journal.chain)
    assert (found.is_sound, found.erased) == (True, 9)


def test_an_erasure_of_which_nobody_heard_answers_the_same(journal: Journal) -> None:
    journal.write_now(lambda unit: life(unit, "A-1", "s"))
    erasure = Erasure(ulid_now(), NOW, "test", Person(("s",)))
    first = journal.write_now(erasure)
    journal.write_now(lambda unit: life(unit, "A-2", "s"))
    assert journal.write_now(erasure) == first
    assert kept(journal)["decisions"] == 1
    assert verify(journal.engine, journal.chain).is_sound


def test_counting_deletes_nothing(journal: Journal) -> None:
    journal.write_now(lambda unit: life(unit, "A-1", "s"))
    before = kept(journal)
    found = journal.read(lambda connection: trace(connection, Person(("s",))))
    assert (found.decisions, found.details, kept(journal)) == (1, 3, before)


def test_many_details(journal: Journal, forget: Forget) -> None:
    """More than one statement may name: 2,000 records, every other one theirs."""
    batch = [one for pair in zip(records(1000, subject="s"), records(1000), strict=True) for one in pair]
    journal.write_now(lambda unit: unit.note(*batch))
    assert forget("s").details == 2000 - 1000 + _shared(batch)
    assert verify(journal.engine, journal.chain).is_sound


def _shared(batch: list[Record]) -> int:
    """Records of others on the same objects: they are about this person, too."""
    mine = {one.object for one in batch if one.subject}
    return sum(one.subject is None and one.object in mine for one in batch)


def test_nothing_is_left_in_the_file(journal: Journal, forget: Forget, tmp_path: Path) -> None:
    """SQLite: neither in the database nor in its log. PostgreSQL: the dead rows are vacuumed."""

    def write(unit: Unit) -> None:
        unit.add(tables.decisions, row(tables.decisions, id="D", petition=MARK, content=MARK.encode(), subject="s"))
        unit.note(
            Record(
                id=ulid_now(), at=NOW, actor="k", action="decide", object="D", subject="s", detail={"petition": MARK}
            )
        )

    journal.write_now(write)
    files = [path for path in tmp_path.iterdir() if path.name.startswith("store.db")]
    assert not files or any(MARK.encode() in path.read_bytes() for path in files)
    assert forget("s").decisions == 1
    scrub(journal.engine)
    assert not any(MARK.encode() in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
