"""Single flight: what many ask for at once is done once, off the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


class Single:
    """A call that runs in a thread of its own, never twice at once; whoever asks meanwhile shares its outcome."""

    def __init__(self, call: Callable[[], None], name: str) -> None:
        self._call = call
        self._thread = ThreadPoolExecutor(1, name)
        self._lock = threading.Lock()
        self._running: Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether the call is running."""
        return self._running is not None and not self._running.done()

    def start(self) -> Future[None]:
        """The call's outcome; the call is begun unless it is running."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = self._thread.submit(self._call)
            return self._running

    async def wait(self) -> None:
        """Back when the call is; raises what it raised. A request that is given up takes nothing from the others."""
        await asyncio.shield(asyncio.wrap_future(self.start()))
