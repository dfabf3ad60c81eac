"""Upkeep: what recurs — retention, drift — done by one process at a time, whichever comes first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_
from starlette.concurrency import run_in_threadpool

from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.store import tables
from serving.store.engine import StoreDown
from serving.times import millis

LEASE = 600_000  # milliseconds after which a job whose process died is another's
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Something that recurs. every: seconds. run: does it, and says in a word what came of it."""

    every: float
    run: Callable[[], str]


class Upkeep:
    """Looks once a while which jobs are due, and does those that no other process has claimed."""

    def __init__(self, journal: Journal, jobs: Mapping[str, Job], now: Callable[[], datetime]) -> None:
        self._journal = journal
        self._jobs = jobs
        self._now = now

    async def watch(self, seconds: float) -> None:
        """Look for ever, every so many seconds; when it is cancelled, what has begun is finished first."""
        while True:
            await asyncio.sleep(seconds)
            looking = asyncio.ensure_future(run_in_threadpool(self.look))
            try:
                await asyncio.shield(looking)
            except asyncio.CancelledError:
                await looking
                raise

    def look(self) -> list[str]:
        """Do what is due; the names of the jobs done."""
        return [name for name in self._jobs if self._done(name)]

    def _done(self, name: str) -> bool:
        try:
            if not self._journal.write_now(lambda unit: claim(unit, name, millis(self._now()))):
                return False
            outcome = self._tried(name)
            self._journal.write_now(lambda unit: self._end(unit, name, outcome))
        except StoreDown as error:
            log.warning("upkeep_waits", extra={"job": name, "reason": str(error)})
            return False
        return True

    def _tried(self, name: str) -> str:
        try:
            return self._jobs[name].run()
        except StoreDown:
            raise
        except Exception as error:  # a job that fails is tried again at its next time; the service goes on
            log.error("upkeep_failed", extra={"job": name}, exc_info=error)
            return type(error).__name__

    def _end(self, unit: Unit, name: str, outcome: str) -> None:
        now = millis(self._now())
        following = now + round(1000 * self._jobs[name].every)
        values = {"next_at": following, "ended_at": now, "outcome": outcome}
        unit.connection.execute(tables.jobs.update().where(tables.jobs.c.name == name).values(values))


def claim(unit: Unit, name: str, now: int) -> bool:
    """Take a job that is due; false where it is not, or another process has it.

    A clock that was set back would leave it waiting, so one that is due far beyond any lease is due now.
    """
    if unit.put(tables.jobs, {"name": name, "next_at": now + LEASE, "ended_at": None, "outcome": ""}):
        return True
    columns = tables.jobs.c
    due = or_(columns.next_at <= now, columns.next_at > now + FAR)
    taken = tables.jobs.update().where(columns.name == name, due).values(next_at=now + LEASE)
    return bool(unit.connection.execute(taken).rowcount)


FAR = 8 * 86_400_000  # milliseconds: no job recurs less often than weekly
