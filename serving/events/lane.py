"""A lane: the sender's work for one target, which nothing that another target does can hold up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from serving.events.backoff import FARTHEST, backoff
from serving.events.deliveries import Change, Claimed, bury, claim, finish, put_off, release
from serving.events.post import AT_ONCE, Post, Reply
from serving.events.targets import Target
from serving.journal.journal import Journal
from serving.journal.unit import Unit
from serving.metrics import Metrics
from serving.store.engine import StoreDown
from serving.times import millis

TRIES = 12
AHEAD = 3 * AT_ONCE  # claimed at once: three rounds of attempts end before a claim does
GONE = 410  # what a target says that wants no more (RFC 9110, 15.5.11)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """How often the sender looks for work, and for how long a claim holds, in seconds."""

    poll: float = 1.0
    claim: float = 60.0
    count: float = 15.0  # between two counts of the dead letters


USUAL = Pace()


@dataclass(frozen=True)
class Tools:
    """What all lanes work with."""

    journal: Journal
    clock: Callable[[], datetime]
    post: Post
    metrics: Metrics
    pace: Pace

    @property
    def now(self) -> int:
        """The present, in milliseconds since 1970."""
        return millis(self.clock())


class Lane:
    """Claims a target's deliveries, sends them, and writes what came of them together with the next claim."""

    def __init__(self, target: Target, tools: Tools) -> None:
        self._target = target
        self._tools = tools
        self._open = asyncio.Semaphore(AT_ONCE)
        self._stirred = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._changes: list[Change] = []  # what came of attempts, not yet written

    def stir(self) -> None:
        """Have it look for work now."""
        self._stirred.set()

    async def run(self) -> None:
        """Send for ever; when told to stop, attempts are broken off, and are anybody's to make."""
        try:
            async with asyncio.TaskGroup() as attempts:
                while True:
                    self._stirred.clear()
                    for claimed in await self._turn(AHEAD - len(self._sending)):
                        task = attempts.create_task(self._deliver(claimed))
                        self._sending.add(task)
                        task.add_done_callback(self._ended)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._tools.pace.poll):
                            await self._stirred.wait()
        finally:
            if self._changes:
                await self._turn(0)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        self.stir()

    async def _turn(self, room: int) -> list[Claimed]:
        """Write what came of attempts, and claim as many more as there is room for.

        Where the store is away nothing is claimed, and what came of attempts is kept for the next turn.
        """
        changes, taken = list(self._changes), list[Claimed]()
        now = self._tools.now
        until = now + round(self._tools.pace.claim * 1000)

        def write(unit: Unit) -> None:
            for change in changes:
                change(unit)
            taken[:] = claim(unit, self._target.name, now, until, room) if room else []

        try:
            if not await self._written(write):
                return []
        except asyncio.CancelledError:
            self._changes += [release(claimed, now) for claimed in taken]
            raise
        del self._changes[: len(changes)]
        return taken

    async def _written(self, write: Callable[[Unit], None]) -> bool:
        """Whether something was written; it is waited for even when the sender is told to stop meanwhile."""
        writing = asyncio.ensure_future(self._tools.journal.write(write))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            raise
        except StoreDown:
            return False  # the journal has told of it
        except Exception as error:
            log.error("sender_failed", exc_info=error)
            return False
        return True

    async def _deliver(self, claimed: Claimed) -> None:
        try:
            async with self._open:
                now = self._tools.now / 1000
                reply = await self._tools.post.send(self._target, claimed.event, claimed.body, now)
        except asyncio.CancelledError:
            self._changes.append(release(claimed, self._tools.now))
            raise
        result, change = self._outcome(claimed, reply)
        self._changes.append(change)
        self._tools.metrics.delivered(self._target.name, result)
        if not reply.accepted:
            told = {"target": claimed.target, "event": claimed.event, "tries": claimed.tries, "error": reply.error}
            log.warning("delivery_dead" if result == "dead" else "delivery_failed", extra=told)

    def _outcome(self, claimed: Claimed, reply: Reply) -> tuple[str, Change]:
        """What an attempt came to, and how that is written."""
        if reply.accepted:
            return "done", finish(claimed)
        if reply.status == GONE or claimed.tries >= TRIES:
            return "dead", bury(claimed, reply.error)
        wait = min(FARTHEST, max(backoff(claimed.tries), reply.retry_after))
        return "failed", put_off(claimed, self._tools.now + round(wait * 1000), reply.error)
