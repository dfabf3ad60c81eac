"""Standing: what has been said of a ticket, and of tickets like it, as the store has it now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from nlp.taxonomy import TASKS
from serving.access.who import Who
from serving.errors import Clash
from serving.service import Service
from serving.store.tables import decisions, feedback


class Taken(Clash):
    """工单 {petition} 已由{by}在 {at} 办过（{what}）"""

    path = "id"  # by which the page tells it from other clashes


SAID = {"accepted": "认可", "corrected": "更正", "returned": "退单"}


@dataclass(frozen=True)
class Verdict:
    """The last thing that was said of a ticket. mine: by whoever asks; codes: those that were corrected."""

    decision: str
    by: str
    at: str
    verdict: str
    codes: dict[str, str]
    mine: bool


def last(connection: Connection, petition: str) -> Row[Any] | None:
    """The last feedback on a ticket, by its number."""
    query = select(feedback).join(decisions, decisions.c.id == feedback.c.decision)
    query = query.where(decisions.c.petition == petition).order_by(feedback.c.at.desc(), feedback.c.id.desc())
    return connection.execute(query.limit(1)).one_or_none()


def verdict(service: Service, row: Row[Any] | None, who: Who) -> Verdict | None:
    """The same for people."""
    if row is None:
        return None
    codes = {task: code for task in TASKS if (code := getattr(row, task))}
    at = service.moment(row.at).isoformat(timespec="minutes")
    return Verdict(row.decision, row.operator or row.key, at, row.verdict, codes, row.key == who.key)


def refuse_taken(connection: Connection, petition: str, who: Who, moment: Callable[[int], datetime]) -> None:
    """Raise `Taken` where the last one who spoke of a ticket was somebody else."""
    row = last(connection, petition)
    if row is not None and row.key != who.key:
        at = moment(row.at).strftime("%m月%d日 %H:%M")
        raise Taken(petition=petition, by=row.operator or row.key, at=at, what=SAID[row.verdict])


def categories(connection: Connection, wanted: Sequence[str]) -> dict[str, str]:
    """Which of these decisions are still there → the category that somebody said was right (empty: none)."""
    corrected = select(feedback.c.decision, feedback.c.category).where(
        feedback.c.decision.in_(wanted), feedback.c.category.is_not(None)
    )
    there = dict.fromkeys(connection.scalars(select(decisions.c.id).where(decisions.c.id.in_(wanted))), "")
    rows = connection.execute(corrected.order_by(feedback.c.at, feedback.c.id))
    return there | {row.decision: row.category for row in rows if row.decision in there}
