"""The queue of errands in the store: one at a time, whichever process claims it first.

A claim is a lease that its owner renews; what the dead have claimed is taken up when it has run out. Whoever claims
holds the row `errands` of the table of jobs meanwhile (in SQLite there is one writer at a time anyway), so that two
processes never begin two errands.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select, update

from nlp.errors import JiesuError
from serving.errands.errand import BUSY, CANCELLED, LIVE, RUNNING, STOPPING, WAITING, Errand, packed
from serving.journal.unit import Unit
from serving.store.tables import errands, jobs

TURN = "errands"  # the name of the row that is locked
FAR = 3_600_000  # milliseconds: no claim reaches as far, unless the clock was put back


class Lost(JiesuError):
    """这件事已不归这个进程"""


@dataclass(frozen=True)
class Told:
    """How far an errand is."""

    step: str = ""
    part: float | None = None
    said: Sequence[str] = ()

    @property
    def values(self) -> dict[str, Any]:
        """As the row holds it."""
        return {"step": self.step, "part": self.part, "said": packed(self.said)}


def put(unit: Unit, errand: Errand) -> None:
    """Write a new one."""
    unit.put(errands, errand.row)


def due(connection: Connection) -> bool:
    """Whether there may be something to claim: a look that costs nobody his turn to write."""
    return connection.scalar(select(errands.c.id).where(errands.c.state.in_(LIVE)).limit(1)) is not None


def claim(unit: Unit, owner: str, now: int, until: int) -> Errand | None:
    """Take what the dead have left, else the oldest one that waits; none while another one is being done.

    One that was left comes in the state in which it was left; one that waited comes running.
    """
    if not _turn(unit):
        return None
    query = select(errands).where(errands.c.state.in_(LIVE)).order_by(errands.c.id).with_for_update()
    live = [Errand.of(row) for row in unit.connection.execute(query).mappings()]
    busy = [errand for errand in live if errand.state in BUSY]
    if any(now < errand.until <= now + FAR for errand in busy) or not live:
        return None
    errand = next(iter(busy), live[0])
    taken: dict[str, Any] = {
        "owner": owner,
        "until": until,
        "attempts": errand.attempts + 1,
        "begun_at": errand.begun_at or now,
    }
    state = STOPPING if errand.state == STOPPING else RUNNING
    unit.connection.execute(update(errands).where(errands.c.id == errand.id).values(taken | {"state": state}))
    return replace(errand, **taken, state=RUNNING if errand.state == WAITING else errand.state)


def _turn(unit: Unit) -> bool:
    """Whether nobody else is claiming."""
    unit.put(jobs, {"name": TURN, "next_at": 0, "ended_at": None, "outcome": ""})
    query = select(jobs.c.name).where(jobs.c.name == TURN).with_for_update(skip_locked=True)
    return unit.connection.execute(query).first() is not None


def beat(unit: Unit, errand: Errand, told: Told, until: int) -> bool:
    """Renew a claim and write how far it is; whether somebody wants it stopped. Raises `Lost`."""
    change = update(errands).where(*_mine(errand)).values(**told.values, until=until)
    state = unit.connection.scalar(change.returning(errands.c.state))
    if state is None:
        raise Lost
    return bool(state == STOPPING)


def release(unit: Unit, errand: Errand, now: int) -> None:
    """Give one back, for another process to take up; that was no attempt. Raises `Lost`."""
    values = {"owner": "", "until": 0, "attempts": errand.attempts - 1, "step": "", "part": None}
    left = update(errands).where(*_mine(errand), errands.c.state == RUNNING).values(**values, state=WAITING)
    if not unit.connection.execute(left).rowcount:
        finish(unit, errand, CANCELLED, Told(), now)  # somebody wanted it stopped meanwhile


def finish(unit: Unit, errand: Errand, state: str, told: Told, now: int) -> None:
    """Note how one ended; raises `Lost`."""
    change = update(errands).where(*_mine(errand))
    if not unit.connection.execute(change.values(**told.values, state=state, owner="", ended_at=now)).rowcount:
        raise Lost


def cancel(unit: Unit, id: str, now: int) -> bool:  # noqa: A002
    """Have one not done, or stopped by whoever is at it; false where it has ended already."""
    this = errands.c.id == id
    waiting = update(errands).where(this, errands.c.state == WAITING).values(state=CANCELLED, ended_at=now)
    running = update(errands).where(this, errands.c.state.in_(BUSY)).values(state=STOPPING)
    return any(unit.connection.execute(change).rowcount for change in (waiting, running))


def find(connection: Connection, id: str) -> Errand | None:  # noqa: A002
    """An errand."""
    row = connection.execute(select(errands).where(errands.c.id == id)).mappings().first()
    return Errand.of(row) if row else None


def latest(connection: Connection, most: int, kinds: Collection[str] = ()) -> list[Errand]:
    """The latest ones, the newest first; where kinds are given, only those."""
    query = select(errands).order_by(errands.c.id.desc()).limit(most)
    query = query.where(errands.c.kind.in_(kinds)) if kinds else query
    return [Errand.of(row) for row in connection.execute(query).mappings()]


def about(connection: Connection, name: str, kinds: Collection[str]) -> list[Errand]:
    """All that are about something, the newest first."""
    query = select(errands).where(errands.c.name == name, errands.c.kind.in_(kinds)).order_by(errands.c.id.desc())
    return [Errand.of(row) for row in connection.execute(query).mappings()]


def _mine(errand: Errand) -> tuple[Any, ...]:
    """While the claim holds."""
    columns = errands.c
    return (
        columns.id == errand.id, columns.owner == errand.owner, columns.attempts == errand.attempts,
        columns.state.in_(BUSY),
    )  # fmt: skip
