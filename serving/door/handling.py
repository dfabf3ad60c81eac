"""Handling: a request ends in time, and with an answer whatever happens to it."""

from __future__ import annotations

import asyncio
import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.door.refusal import REFUSALS
from serving.metrics import Metrics

logger = logging.getLogger("jiesu")


class Handling:
    """ASGI middleware: `seconds` may pass from one piece of body, or of answer, to the next one.

    408 if the client was waited for, 504 otherwise; an answer under way is cut. An error that nobody caught becomes a
    500 here, inside of the other middlewares, so that it leaves with all that they put on an answer.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, seconds: float = 30) -> None:
        self._app = app
        self._metrics = metrics
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have a request handled."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        one = _One(receive, send, self._seconds)
        try:
            async with one.clock:
                await self._app(scope, one.receive, one.send)
        except TimeoutError:
            if not one.clock.expired():
                await one.crashed()
                return
            self._metrics.refused("time")
            await one.late()
        except Exception:
            await one.crashed()


class _One:
    """One request: whether its body is whole, whether its answer has begun, and the clock that both set back."""

    __slots__ = ("_begun", "_missing", "_receive", "_seconds", "_send", "clock")

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._seconds = seconds
        self.clock = asyncio.timeout(seconds)
        self._missing = True
        self._begun = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._missing = message.get("more_body", False)
            if self._missing:
                self._set_back()
        return message

    async def send(self, message: Message) -> None:
        self._begun = True
        await self._send(message)
        if message.get("more_body"):
            self._set_back()

    def _set_back(self) -> None:
        self.clock.reschedule(asyncio.get_running_loop().time() + self._seconds)

    async def late(self) -> None:
        """The clock ran out."""
        status = 408 if self._missing else 504
        logger.warning("late", extra={"status": status, "begun": self._begun})
        await self._end(status)

    async def crashed(self) -> None:
        """An error came through; called where it is caught."""
        logger.exception("crashed")
        await self._end(500)

    async def _end(self, status: int) -> None:
        if self._begun:
            raise Cut
        await REFUSALS[status].answer(self._send)


class Cut(Exception):
    """An answer that had begun cannot be ended properly: the server closes the connection."""
