"""The book of errands: what the pages write into it and read of it, with a record for the audit."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from serving.access.who import Who
from serving.audit.record import Record
from serving.errands import queue
from serving.errands.errand import Errand
from serving.errors import Clash, Missing
from serving.feedback import ULID
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.settings import Settings
from serving.times import millis

SHOWN = 20


class NoErrand(Missing):
    """没有这件事：编号不对，或者记录已经删去"""


class Over(Clash):
    """这件事已经结束了，停不了"""


class Book:
    """Puts errands down, cancels them, and tells of them."""

    def __init__(self, journal: Journal, settings: Settings) -> None:
        self._journal = journal
        self._settings = settings

    async def put(
        self,
        who: Who,
        kind: str,
        name: str,
        asked: Mapping[str, Any],
        check: Callable[[Connection], None] | None = None,
    ) -> Errand:
        """Have something done, unless a check of the store raises; raises `StoreDown`.

        Whoever checks has the chain's lock meanwhile, so that of two who ask at once the second sees the first.
        """
        errand = Errand.new(who, millis(self._settings.now()), kind, name, asked)
        record = self._record(errand.at, who, "errand.put", errand)

        def write(unit: Unit) -> None:
            if check:
                self._journal.chain.lock(unit.connection)
                check(unit.connection)
            queue.put(unit, errand)
            unit.note(record)

        await self._journal.write(write)
        return errand

    async def cancel(self, errand: Errand, who: Who) -> None:
        """Have it not done, or stopped; raises `Over`, `StoreDown`."""
        now = millis(self._settings.now())
        record = self._record(now, who, "errand.cancel", errand)

        def write(unit: Unit) -> None:
            if not queue.cancel(unit, errand.id, now):
                raise Over
            unit.note(record)

        await self._journal.write(write)

    async def find(self, id: str, kinds: Collection[str] = ()) -> Errand:  # noqa: A002
        """An errand, where kinds are given one of those; raises `NoErrand`, `StoreDown`."""
        if not re.fullmatch(ULID, id):  # what cannot be one is not asked for: a NUL would bring PostgreSQL down on us
            raise NoErrand
        found = await run_in_threadpool(self._journal.read, lambda store: queue.find(store, id))
        if found is None or (kinds and found.kind not in kinds):
            raise NoErrand
        return found

    async def latest(self, kinds: Collection[str] = (), most: int = SHOWN) -> list[Errand]:
        """The latest ones, the newest first; raises `StoreDown`."""
        return await run_in_threadpool(self._journal.read, lambda store: queue.latest(store, most, kinds))

    def _record(self, at: int, who: Who, action: str, errand: Errand) -> Record:
        detail = {"kind": errand.kind, "name": errand.name}
        return Record(id=ulid_now(), at=at, actor=who.key, action=action, object=errand.id, detail=detail)
