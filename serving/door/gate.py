"""The gate: sends new work away while there is more than can be done in time, at the cost of some microseconds."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.door.load import Load
from serving.door.refusal import REFUSALS
from serving.metrics import Metrics

OPEN = frozenset({"/healthz", "/readyz", "/metrics"})  # how an overloaded service is looked at
SHED = "jiesu.shed"  # in a request's state: it was sent away, and is logged as one of many


class Gate:
    """ASGI middleware: at most so many requests are in work; under a high load no further POST or WebSocket begins.

    Who is sent away gets 503 with `Retry-After: 1`. It measures the load while the app's lifespan runs.
    """

    def __init__(self, app: ASGIApp, load: Load, metrics: Metrics, most: int = 256) -> None:
        self._app = app
        self._load = load
        self._metrics = metrics
        self._most = most
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or send it away."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif reason := self._closed(scope):
            await self._refuse(scope, receive, send, reason)
        elif scope["type"] == "websocket" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
        else:
            self._inside += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._inside -= 1
                self._load.answered(self._inside)

    def _closed(self, scope: Scope) -> str:
        """Why a request cannot be taken; empty if it can. A WebSocket has hardly ever work, so that none counts."""
        if scope["type"] == "websocket":
            return self._load.high(self._inside)
        if scope["path"] in OPEN:
            return ""
        if self._inside >= self._most:
            return "busy"
        return self._load.high(self._inside) if scope["method"] == "POST" else ""

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, reason: str) -> None:
        self._metrics.refused(reason)
        self._load.sent_away()
        scope.setdefault("state", {})[SHED] = True
        if scope["type"] == "http":
            await REFUSALS[503].answer(send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1013})  # before it is accepted: HTTP 403

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        ticking = asyncio.create_task(self._load.ticking(), name="load")
        try:
            await self._app(scope, receive, send)
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
