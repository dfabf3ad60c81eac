"""API keys: made once, kept as a keyed hash, looked up without asking the database for each request."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf

from sqlalchemy import Connection, Row, select
from ulid_transform import ulid_now

from nlp.errors import InputError
from serving.access.scope import Scope
from serving.access.single import Single
from serving.access.who import Who
from serving.audit.record import Record
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.secret import keyed
from serving.store.tables import keys

LIFE = 1.0  # seconds for which what was read counts: a revoked key stops within them, in every process
ID = re.compile(r"[a-z2-7]{12}")
SECRET_BYTES = 32
LONGEST = 256  # characters of a key that is worth looking at
NOBODY = "0" * 64  # what the secret of an unknown key is compared with, so that it costs the same
ACTOR = "jiesu keys"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is kept; times in milliseconds, empty where it never expires or was not revoked."""

    id: str
    hash: str
    scope: Scope
    name: str
    rate: str
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def is_good(self, at: int) -> bool:
        """Whether the key opens at a time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    def who(self, wanted: Scope | None) -> Who | None:
        """Whoever bears it, if it is good for what is wanted."""
        return Who(self.id, self.name, self.scope, self.rate) if self.scope.covers(wanted) else None


class Keys:
    """The keys of the store.

    All that are not revoked are read together, at most once in half of `LIFE` seconds: an office has some dozens, and
    so a flood of made-up ids never reaches the database.
    """

    def __init__(self, journal: Journal, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._journal = journal
        self._secret = secret
        self._clock = clock
        self._held: dict[str, Key] = {}
        self._read_at = -inf  # on the monotonic clock
        self._reader = Single(self._read, "keys")

    async def find(self, shown: str) -> Key | None:
        """The key that was shown, if it is one of ours and still good; raises `StoreDown`."""
        age = time.monotonic() - self._read_at
        if age >= LIFE:
            await self._reader.wait()
        elif age >= LIFE / 2:
            self._reader.start()
        name, _, secret = shown.partition(".") if len(shown) <= LONGEST and shown.isascii() else ("", "", "")
        key = self._held.get(name)
        same = hmac.compare_digest(self._hash(secret), key.hash if key else NOBODY)
        return key if key and same and key.is_good(self._now()) else None

    def create(self, scope: Scope, name: str = "", rate: str = "", expires_at: int | None = None) -> str:
        """Make a key and return it as `id.secret`, which nobody can do a second time; raises `StoreDown`."""
        made = base64.b32encode(secrets.token_bytes(8)).decode()[:12].lower()
        secret = secrets.token_urlsafe(SECRET_BYTES)
        row = {
            "id": made, "hash": self._hash(secret), "scope": scope.value, "name": name, "rate": rate,
            "created_at": self._now(), "expires_at": expires_at, "revoked_at": None,
        }  # fmt: skip
        record = self._record("key.create", made, {"scope": scope.value, "name": name, "rate": rate})

        def write(unit: Unit) -> None:
            unit.add(keys, row)
            unit.note(record)

        self._journal.write_now(write)
        return f"{made}.{secret}"

    def revoke(self, name: str) -> bool:
        """Shut a key out, by its id; false where that was done before. Raises `InputError` for an unknown one."""
        return self._journal.write_now(partial(_revoke, record=self._record("key.revoke", name, {})))

    def all(self) -> list[Key]:
        """Every key that was ever made, the oldest first."""
        return self._journal.read(partial(_select, revoked_too=True))

    def _read(self) -> None:
        """Read the keys again; they are as old as the beginning of the reading."""
        begun = time.monotonic()
        self._held = {key.id: key for key in self._journal.read(_select)}
        self._read_at = begun

    def _hash(self, secret: str) -> str:
        return keyed(self._secret, "key", secret)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _record(self, action: str, name: str, detail: dict[str, str]) -> Record:
        return Record(id=ulid_now(), at=self._now(), actor=ACTOR, action=action, object=name, detail=detail)


def any_key(journal: Journal) -> bool:
    """Whether the store holds a key that opens now; raises `StoreDown`."""
    now = int(time.time() * 1000)
    return any(key.is_good(now) for key in journal.read(_select))


def _select(connection: Connection, revoked_too: bool = False) -> list[Key]:
    query = select(keys).order_by(keys.c.created_at, keys.c.id)
    return [_key(row) for row in connection.execute(query if revoked_too else query.where(keys.c.revoked_at.is_(None)))]


def _key(row: Row[tuple[object, ...]]) -> Key:
    fields = row._asdict()
    return Key(**fields | {"scope": Scope(fields["scope"])})


def _revoke(unit: Unit, record: Record) -> bool:
    its = keys.c.id == record.object
    if unit.connection.scalar(select(keys.c.id).where(its)) is None:
        raise InputError(place=record.object, reason="没有这个编号的密钥；用 jiesu keys list 看有哪些")
    change = keys.update().where(its, keys.c.revoked_at.is_(None)).values(revoked_at=record.at)
    done = bool(unit.connection.execute(change).rowcount)
    if done:
        unit.note(record)
    return done
