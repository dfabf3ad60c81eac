"""Counters of rate limits in the store, for all instances together."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from limits.aio.storage import Storage
from sqlalchemy import Connection, case, or_, select, text
from starlette.concurrency import run_in_threadpool

from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store.engine import StoreDown
from serving.store.tables import rates


class Rates(Storage):
    """The counters in the table `rates`, for the strategies of the library `limits`; times in seconds since 1970.

    A window begins with the first count in it. It is over when its time has passed, or when it would last longer than
    it can: then a clock was set back.
    """

    STORAGE_SCHEME = None  # never opened by a URL

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.clock = clock
        self._journal = journal

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the database's faults look like."""
        return StoreDown

    async def take(self, key: str, expiry: int, amount: int) -> tuple[int, float]:
        """Count, in one statement: the count so far with this, and when the window ends."""
        return await self._journal.write(partial(_take, key=key, expiry=expiry, amount=amount, clock=self.clock))

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count; the count so far."""
        return (await self.take(key, expiry, amount))[0]

    async def get(self, key: str) -> int:
        """The count so far."""
        return (await run_in_threadpool(self._journal.read, partial(_read, key=key, at=self._now())))[0]

    async def get_expiry(self, key: str) -> float:
        """When the window ends: now, where there is none."""
        now = self._now()
        return (await run_in_threadpool(self._journal.read, partial(_read, key=key, at=now)))[1] / 1000

    async def check(self) -> bool:
        """Whether the database answers."""
        try:
            await run_in_threadpool(self._journal.read, lambda connection: connection.scalar(text("SELECT 1")))
        except StoreDown:
            return False
        return True

    async def reset(self) -> int | None:
        """Forget every count; how many there were."""
        return await self._journal.write(lambda unit: unit.connection.execute(rates.delete()).rowcount)

    async def clear(self, key: str) -> None:
        """Forget a count."""
        await self._journal.write(lambda unit: unit.connection.execute(rates.delete().where(rates.c.name == key)))

    def _now(self) -> int:
        return int(self.clock() * 1000)


def _take(unit: Unit, key: str, expiry: int, amount: int, clock: Callable[[], float]) -> tuple[int, float]:
    now = int(clock() * 1000)
    ends = now + expiry * 1000
    over = or_(rates.c.expires_at <= now, rates.c.expires_at > ends)
    changed = {
        "count": case((over, amount), else_=rates.c.count + amount),
        "expires_at": case((over, ends), else_=rates.c.expires_at),
    }
    insert = unit.insert(rates).values(name=key, count=amount, expires_at=ends)
    upsert = insert.on_conflict_do_update(index_elements=[rates.c.name], set_=changed)
    count, until = unit.connection.execute(upsert.returning(rates.c.count, rates.c.expires_at)).one()
    return count, until / 1000


def _read(connection: Connection, key: str, at: int) -> tuple[int, int]:
    found = connection.execute(
        select(rates.c.count, rates.c.expires_at).where(rates.c.name == key, rates.c.expires_at > at)
    ).one_or_none()
    return (found.count, found.expires_at) if found else (0, at)  # type: ignore[return-value]
