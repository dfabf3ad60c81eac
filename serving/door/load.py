"""Load: how much the process has to do, as its journal's queue and the lag of its event loop show."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Protocol

logger = logging.getLogger("jiesu")
TICK = 0.1  # seconds
LATE = 2  # ticks in a row that came late: one alone is a pause of the garbage collector, or one large petition
TELL_EVERY = 1.0  # seconds between two log lines about requests that were sent away


class Queue(Protocol):
    """What writes one after another; `serving.journal.journal.Journal` is one."""

    @property
    def depth(self) -> int:
        """How many writes wait."""
        ...


class Load:
    """Says whether new work would only wait.

    most: writes that may wait. lag: seconds by which the event loop may be late. few: requests in work with which a
    late loop is no reason, because something else keeps the machine busy. Without `ticking`, only the queue counts.
    """

    def __init__(self, queue: Queue, most: int = 1024, lag: float = 0.25, few: int = 64) -> None:
        self._queue = queue
        self._most = most
        self._lag = lag
        self._few = few
        self._late = 0
        self._away = 0
        self._told = time.monotonic()

    def high(self, inside: int) -> str:
        """What is over its limit, `queue` or `lag`, with so many requests in work; empty if nothing is."""
        if self._queue.depth > self._most:
            return "queue"
        return "lag" if self._late >= LATE and inside > self._few else ""

    def sent_away(self) -> None:
        """A request was refused; while this ticks, the log hears of it once a second, with the number."""
        self._away += 1

    async def ticking(self) -> None:
        """Measure the event loop's lag, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            self._late = self._late + 1 if loop.time() - due > self._lag else 0
            if self._away and time.monotonic() - self._told >= TELL_EVERY:
                logger.warning("shed", extra={"requests": self._away, "waiting": self._queue.depth, "late": self._late})
                self._away, self._told = 0, time.monotonic()
