"""One ticket: the decision whole, what was said of it, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from ulid_transform import ulid_now

from serving.access.who import Who
from serving.audit.record import Record
from serving.feedback import ULID, UnknownDecision, decision_of
from serving.journal.decided import opened
from serving.journal.unit import Unit
from serving.service import Service
from serving.store import tables
from serving.times import millis


@dataclass(frozen=True)
class Read:
    """A decision with its feedback and its outcomes, the oldest first."""

    row: Row[Any]
    decision: dict[str, Any]
    feedback: Sequence[Row[Any]]
    outcomes: Sequence[Row[Any]]


async def looked_up(service: Service, who: Who, wanted: str) -> Read:
    """A ticket, for somebody whose look at it is noted first; raises `UnknownDecision`, `StoreDown`."""
    if not re.fullmatch(ULID, wanted):
        raise UnknownDecision(decision=wanted[:26])
    note, now = ulid_now(), millis(service.settings.now())

    def read(unit: Unit) -> Read:
        row = decision_of(unit, wanted)
        unit.note(Record(
            id=note, at=now, actor=who.key, action="read", object=wanted, model=row.model, subject=row.subject,
        ))  # fmt: skip
        said, became = tables.feedback, tables.outcomes
        feedback = select(said).where(said.c.decision == wanted).order_by(said.c.at, said.c.id)
        outcomes = select(became).where(became.c.decision == wanted).order_by(became.c.at, became.c.id)
        return Read(
            row, opened(row.content), unit.connection.execute(feedback).all(), unit.connection.execute(outcomes).all()
        )

    return await service.journal.write(read)


async def noted(service: Service, who: Who, action: str, what: str) -> None:
    """Note that somebody looked through many tickets, or took them along: what they asked for, not what they saw."""
    record = Record(id=ulid_now(), at=millis(service.settings.now()), actor=who.key, action=action, object=what)
    await service.journal.write(lambda unit: unit.note(record))
