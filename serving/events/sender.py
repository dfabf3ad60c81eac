"""The sender: a task of the service that tells targets of events, at least once each, until they have them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from starlette.concurrency import run_in_threadpool

from serving.events.deliveries import dead_letters
from serving.events.lane import USUAL, Lane, Pace, Tools
from serving.events.post import Post
from serving.events.targets import Targets
from serving.journal.journal import Journal
from serving.metrics import Metrics
from serving.store.engine import StoreDown


class Sender:
    """Sends what the outbox has noted, each target in a lane of its own.

    The deliveries lie in the store: any number of senders may share them, and when one dies its claims run out and
    another one takes them up.
    """

    def __init__(
        self,
        journal: Journal,
        targets: Targets,
        clock: Callable[[], datetime],
        post: Post,
        metrics: Metrics,
        pace: Pace = USUAL,
    ) -> None:
        self._targets = targets.target
        self._tools = Tools(journal, clock, post, metrics, pace)
        self._lanes: list[Lane] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While this lasts, which it does once, events are sent."""
        if not self._targets:
            yield
            return
        self._lanes = [Lane(target, self._tools) for target in self._targets]
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._run(), name="sender")
        try:
            yield
        finally:
            self._loop = None
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self._tools.post.close()

    def wake(self) -> None:
        """Say, from any thread, that there is something to send."""
        loop = self._loop
        if loop:
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(self._stir)

    def _stir(self) -> None:
        for lane in self._lanes:
            lane.stir()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._count())
            for lane in self._lanes:
                tasks.create_task(lane.run())

    async def _count(self) -> None:
        """Keep the number of dead letters, which other processes and commands change as well."""
        names = [target.name for target in self._targets]
        while True:
            with suppress(StoreDown):
                counts = await run_in_threadpool(self._tools.journal.read, lambda store: dead_letters(store, names))
                self._tools.metrics.dead_letters(counts)
            await asyncio.sleep(self._tools.pace.count)
