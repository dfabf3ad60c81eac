"""Sessions: who has signed in at a page. The browser holds a random token, the store its keyed hash."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Row, select
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from serving.access.scope import Scope
from serving.access.who import Who
from serving.audit.record import Record
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.secret import keyed
from serving.store.tables import keys, sessions

LIFE = 1.0  # seconds for which what was read counts, as with keys
HELD = 4096  # sessions in memory
TOKEN_BYTES = 32
MARK = 16  # characters at a token's end by which it is known for one of ours
LONGEST = 64  # characters of a token that is worth looking at
HOUR = 3_600_000  # milliseconds


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in; csrf: what a page of ours sends along, and no other page can know."""

    who: Who
    csrf: str


class Sessions:
    """The sessions of the store; one ends after `hours`, when it is ended, or when its key is revoked or expires."""

    def __init__(self, journal: Journal, secret: bytes, hours: float, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._secret = secret
        self._hours = hours
        self._clock = clock
        self._held: dict[str, tuple[float, Session | None]] = {}

    async def begin(self, who: Who, instead: str = "") -> str:
        """Sign somebody in; the token for the browser's cookie. Raises `StoreDown`.

        instead: the token that the browser held so far: it never becomes another person's, it ends.
        """
        told, now = secrets.token_urlsafe(TOKEN_BYTES), self._now()
        token = f"{told}.{self._mark(told)}"
        row = {
            "id": self._hash(token), "key": who.key, "name": who.name, "scope": " ".join(who.scopes), "rate": who.rate,
            "at": now, "expires_at": now + round(self._hours * HOUR),
        }  # fmt: skip
        begun, ended, old = self._record("session.begin"), self._record("session.end"), self._hash(instead)

        def write(unit: Unit) -> None:
            _end(unit, old, ended)
            unit.add(sessions, row)
            unit.note(_by(begun, who.key))

        await self._journal.write(write)
        self._hold(old, time.monotonic(), None)
        return token

    async def find(self, token: str) -> Session | None:
        """The session of a token, if it still lasts; raises `StoreDown`. Made-up tokens never reach the store."""
        if not self._is_ours(token):
            return None
        hashed, now = self._hash(token), time.monotonic()
        read_at, found = self._held.get(hashed, (-LIFE, None))
        if now - read_at >= LIFE:
            found = await run_in_threadpool(self._read, hashed, token)
            self._hold(hashed, now, found)
        return found

    async def end(self, token: str) -> None:
        """Sign out whoever holds a token, if anybody does; raises `StoreDown`."""
        hashed, record = self._hash(token), self._record("session.end")
        await self._journal.write(lambda unit: _end(unit, hashed, record))
        self._hold(hashed, time.monotonic(), None)

    def agrees(self, session: Session, shown: str) -> bool:
        """Whether what a page sent along is the session's own."""
        return hmac.compare_digest(session.csrf.encode(), shown.encode())

    def _hold(self, hashed: str, at: float, found: Session | None) -> None:
        """Remember what was read at a time; a reading that began before a session ended does not bring it back."""
        if len(self._held) >= HELD:
            self._held.clear()
        if at >= self._held.get(hashed, (at, None))[0]:
            self._held[hashed] = at, found

    def _read(self, hashed: str, token: str) -> Session | None:
        row = self._journal.read(lambda store: _select(store, hashed, self._now()))
        if row is None:
            return None
        first, *more = (Scope(word) for word in row.scope.split())
        return Session(Who(row.key, row.name, first, row.rate, frozenset(more)), keyed(self._secret, "csrf", token))

    def _is_ours(self, token: str) -> bool:
        told, _, mark = token.partition(".")
        return len(token) <= LONGEST and token.isascii() and hmac.compare_digest(mark, self._mark(told))

    def _mark(self, told: str) -> str:
        return keyed(self._secret, "token", told)[:MARK]

    def _hash(self, token: str) -> str:
        return keyed(self._secret, "session", token)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _record(self, action: str) -> Record:
        return Record(id=ulid_now(), at=self._now(), actor="", action=action)


def _by(record: Record, key: str) -> Record:
    return replace(record, actor=key)


def _end(unit: Unit, hashed: str, record: Record) -> None:
    """Delete a session, and note it where there was one."""
    key = unit.connection.scalar(select(sessions.c.key).where(sessions.c.id == hashed))
    if key is not None:
        unit.connection.execute(sessions.delete().where(sessions.c.id == hashed))
        unit.note(_by(record, key))


def _select(connection: Connection, hashed: str, now: int) -> Row[tuple[object, ...]] | None:
    """The row of a session that lasts, and whose key still opens; a token's bearer has no key in the store."""
    lasting = sessions.c.id == hashed, sessions.c.expires_at > now
    query = select(sessions, keys.c.revoked_at, keys.c.expires_at.label("key_until")).where(*lasting)
    row = connection.execute(query.outerjoin(keys, keys.c.id == sessions.c.key)).one_or_none()
    if row is None or row.revoked_at is not None or (row.key_until is not None and row.key_until <= now):
        return None
    return row
