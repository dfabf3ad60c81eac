"""The book: calls as they stand in the store, each under its number and the key that it came with."""

from __future__ import annotations

from sqlalchemy import Connection, select

from serving.journal.unit import Unit
from serving.store.tables import calls, decisions


def content(connection: Connection, name: str, key: str) -> bytes | None:
    """A call as it was packed; none where there is no such call."""
    found = connection.execute(select(calls.c.content).where(calls.c.id == name, calls.c.key == key)).scalar()
    return None if found is None else bytes(found)


def decision(connection: Connection, number: str) -> bytes | None:
    """What was decided at the end of a call, deflated; none where it has been deleted since."""
    found = connection.execute(select(decisions.c.content).where(decisions.c.id == number)).scalar()
    return None if found is None else bytes(found)


def put(unit: Unit, call: tuple[str, str], kept: bytes | None, packed: bytes, now: int) -> bool:
    """Write a call (its number, its key) if it is still as it was read; `kept` is none where there was none.

    Also true where it is already as it is to be: a group of writes may be tried again after it was committed.
    """
    name, key = call
    if kept is None:
        done = unit.put(calls, {"id": name, "key": key, "at": now, "content": packed})
    else:
        mine = (calls.c.id == name, calls.c.key == key, calls.c.content == kept)
        done = bool(unit.connection.execute(calls.update().where(*mine).values(at=now, content=packed)).rowcount)
    return done or content(unit.connection, name, key) == packed
