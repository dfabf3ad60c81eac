"""Deliveries: which event is still to be sent to whom; a sender claims them, so that no two send the same one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, RowMapping, func, select, update

from serving.events.backoff import FARTHEST
from serving.journal.unit import Unit
from serving.store.tables import deliveries, events

WAITING, DONE, DEAD = "waiting", "done", "dead"


@dataclass(frozen=True)
class Claimed:
    """A delivery that is this sender's until a time (milliseconds); `tries` counts the one that it is about to make."""

    event: str
    target: str
    tries: int
    until: int
    body: bytes


Change = Callable[[Unit], None]


def claim(unit: Unit, target: str, now: int, until: int, most: int) -> list[Claimed]:
    """Claim what is due for a target, the longest due first; whoever sends it says by `until` what came of it.

    A delivery that is due later than anything can be was written before the clock was put back: it is due as well.
    """
    found = _lockable(unit, target, deliveries.c.next_at <= now, most)
    found = found or _lockable(unit, target, deliveries.c.next_at > now + round(FARTHEST * 1000), most)
    if found:
        _set(unit, target, [row.event for row in found], next_at=until, attempts=deliveries.c.attempts + 1)
    return [Claimed(row.event, target, row.attempts + 1, until, row.content) for row in found]


def finish(claimed: Claimed) -> Change:
    """Note that it was sent."""
    return partial(_set, target=claimed.target, ids=[claimed.event], state=DONE, error="")


def put_off(claimed: Claimed, next_at: int, error: str) -> Change:
    """Note that it was not, and when it is to be tried again."""
    return partial(_change, claimed=claimed, next_at=next_at, error=error)


def bury(claimed: Claimed, error: str) -> Change:
    """Note that it is not to be tried again: a dead letter, until somebody replays it."""
    return partial(_change, claimed=claimed, state=DEAD, error=error)


def release(claimed: Claimed, now: int) -> Change:
    """Give a claim back, as if it had never been made."""
    return partial(_change, claimed=claimed, next_at=now, attempts=claimed.tries - 1)


def replay(unit: Unit, now: int, targets: Collection[str], ids: Collection[str] = ()) -> int:
    """Have deliveries to some targets sent anew: those of some events, without any all dead letters; how many."""
    which = deliveries.c.event.in_(ids) & (deliveries.c.state != WAITING) if ids else deliveries.c.state == DEAD
    change = update(deliveries).where(which, deliveries.c.target.in_(targets))
    return unit.connection.execute(change.values(state=WAITING, attempts=0, next_at=now, error="")).rowcount


def missing(connection: Connection, ids: Collection[str]) -> list[str]:
    """Those of some events that are not there."""
    known = set(connection.scalars(select(events.c.id).where(events.c.id.in_(ids))))
    return [id for id in ids if id not in known]  # noqa: A001


def dead_letters(connection: Connection, targets: Sequence[str]) -> dict[str, int]:
    """How many dead letters each target has."""
    query = (
        select(deliveries.c.target, func.count())
        .where(deliveries.c.state == DEAD, deliveries.c.target.in_(targets))
        .group_by(deliveries.c.target)
    )
    return dict.fromkeys(targets, 0) | {row[0]: row[1] for row in connection.execute(query)}


def listed(connection: Connection, most: int, *, dead: bool = False) -> Sequence[RowMapping]:
    """The latest deliveries, the newest first, or the latest dead letters."""
    query = (
        select(deliveries, events.c.type, events.c.at)
        .join(events, events.c.id == deliveries.c.event)
        .order_by(events.c.at.desc(), events.c.id.desc(), deliveries.c.target)
        .limit(most)
    )
    return connection.execute(query.where(deliveries.c.state == DEAD) if dead else query).mappings().all()


def _lockable(unit: Unit, target: str, due: ColumnElement[bool], most: int) -> Sequence[Row[Any, Any, Any]]:
    """What waits for a target and nobody else is about to claim, in the order of the index, which ends the search."""
    query = (
        select(deliveries.c.event, deliveries.c.attempts, events.c.content)
        .join(events, events.c.id == deliveries.c.event)
        .where(deliveries.c.target == target, deliveries.c.state == WAITING, due)
        .order_by(deliveries.c.next_at)
        .limit(most)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    return unit.connection.execute(query).all()


def _change(unit: Unit, claimed: Claimed, **values: Any) -> None:
    """Change a delivery while its claim still holds."""
    _set(unit, claimed.target, [claimed.event], deliveries.c.next_at == claimed.until, **values)


def _set(unit: Unit, target: str, ids: Collection[str], *further: ColumnElement[bool], **values: Any) -> None:
    """Change deliveries that wait."""
    which = (deliveries.c.event.in_(ids), deliveries.c.target == target, deliveries.c.state == WAITING)
    unit.connection.execute(update(deliveries).where(*which, *further).values(values))
