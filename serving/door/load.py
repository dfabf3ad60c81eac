"""Load: how much the process has to do, as its journal's queue, the lag of its event loop and its pace show."""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf
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

    most: writes that may wait. lag: seconds by which the event loop may be late. few: requests in work with which
    neither a late loop nor a slow pace is a reason, because something else keeps the machine busy. wait: seconds after
    which a request may be answered, at the pace of the last tick (Little 1961: as many are in work as are answered
    in that time). Without `ticking`, only the queue counts.
    """

    def __init__(self, queue: Queue, most: int = 1024, lag: float = 0.25, few: int = 64, wait: float = 0.2) -> None:
        self._queue = queue
        self._most = most
        self._lag = lag
        self._few = few
        self._wait = wait
        self._inside = self._before = 0
        self._answered = 0
        self._bearable = inf
        self._late = 0
        self._away = 0
        self._told = time.monotonic()

    def high(self, inside: int) -> str:
        """What is over its limit, `queue`, `lag` or `pace`, with so many requests in work; empty if nothing is."""
        if self._queue.depth > self._most:
            return "queue"
        if inside <= self._few:
            return ""
        if self._late >= LATE:
            return "lag"
        return "pace" if inside > self._bearable else ""

    def answered(self, inside: int) -> None:
        """A request has ended, and so many are left."""
        self._answered += 1
        self._inside = inside

    def sent_away(self) -> None:
        """A request was refused; while this ticks, the log hears of it once a second, with the number."""
        self._away += 1

    async def ticking(self) -> None:
        """Measure the event loop's lag and the pace, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            taken = TICK + loop.time() - due
            self._late = self._late + 1 if taken - TICK > self._lag else 0
            self._pace(taken)
            if self._away and time.monotonic() - self._told >= TELL_EVERY:
                logger.warning("shed", extra={"requests": self._away, "waiting": self._queue.depth, "late": self._late})
                self._away, self._told = 0, time.monotonic()

    def _pace(self, seconds: float) -> None:
        """How many requests are answered in time; only while many are in work do they show what is possible."""
        busy = min(self._before, self._inside) > self._few
        self._bearable = self._answered / seconds * self._wait if busy else inf
        self._before, self._answered = self._inside, 0
