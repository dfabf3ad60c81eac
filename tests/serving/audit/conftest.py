"""What the tests of the audit share: records of invented people, and one chain that has seen everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, select
from ulid_transform import ulid_now

from serving.audit.chain import Chain
from serving.audit.erasure import Erased, Erasure, Person
from serving.audit.record import Record
from serving.audit.retention import DAY, Limits, retain_all
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store.engine import reading, writing
from serving.store.tables import audit, audit_details, audit_marks, decisions
from tests.rows import row

NOW = 1_795_000_000_000
LIMITS = Limits()
Tables = dict[str, list[dict[str, Any]]]


def records(count: int, at: int = NOW, **given: Any) -> list[Record]:
    return [Record(**(_words(number) | {"id": ulid_now(), "at": at + number} | given)) for number in range(count)]


def _words(number: int) -> dict[str, Any]:
    names = {name: f"{name}-{number}" for name in ("actor", "object", "model", "rule")}
    return {**names, "action": "decide", "detail": {"petition": f"A-{number}", "text": "ab" * 32}}


def decided(unit: Unit, petition: str, subject: str | None, at: int = NOW) -> str:
    """A decision as the service writes it; its id."""
    new = ulid_now()
    unit.add(decisions, row(decisions, id=new, petition=petition, subject=subject, at=at, key="key"))
    unit.note(Record(
        id=ulid_now(), at=at, actor="key", action="decide", object=new, subject=subject, detail={"petition": petition},
    ))  # fmt: skip
    return new


def everything(connection: Connection) -> Tables:
    return {
        table.name: [dict(row._mapping) for row in connection.execute(select(table))]
        for table in (audit, audit_details, audit_marks)
    }


def put_back(engine: Engine, kept: Tables) -> None:
    with writing(engine) as connection:
        for table in (audit, audit_details, audit_marks):
            connection.execute(delete(table))
            if kept[table.name]:
                connection.execute(table.insert(), kept[table.name])


@pytest.fixture
def forget(journal: Journal) -> Callable[..., Erased]:
    def forgotten(*subjects: str, petition: str = "") -> Erased:
        return journal.write_now(Erasure(ulid_now(), NOW, "test", Person(subjects, petition)))

    return forgotten


@pytest.fixture
def chain(journal: Journal, forget: Callable[..., Erased]) -> Chain:
    """The journal's chain: records 1–20 pruned (21 says so), 22–61, of which 30 has lost its detail (62 says so)."""
    journal.write_now(lambda unit: unit.note(*records(20, NOW - 500 * DAY)))
    retain_all(journal, NOW, LIMITS)
    journal.write_now(lambda unit: unit.note(*records(8)))
    journal.write_now(lambda unit: decided(unit, "A-9", "somebody"))
    journal.write_now(lambda unit: unit.note(*records(31)))
    assert forget("somebody").seqs == "30"
    with reading(journal.engine) as connection:
        assert len(everything(connection)["audit"]) == 42
    return journal.chain
