"""Identity: each request has an id, which is on its answer and in every line of the log that it causes."""

from __future__ import annotations

import logging
import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from ulid_transform import ulid_now

from serving.door.gate import SHED
from serving.logs import CONTEXT

logger = logging.getLogger("jiesu")
SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
TRACE = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}.*")  # W3C Trace Context, level 1
NO_TRACE = "0" * 32
KEY = "key"  # in a request's state: the id of the key that was shown, put there by who checks it


class Identity:
    """ASGI middleware: takes a sane `X-Request-Id` or makes a ULID, and logs one event a request.

    The event names the route's template, never the path or its query, which may hold anything.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its id."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        fields = named(scope["headers"])
        mine = (b"x-request-id", fields["request_id"].encode())
        status = 101 if scope["type"] == "websocket" else 500
        begun = time.perf_counter()

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), mine]
            await send(message)

        token = CONTEXT.set(fields)
        try:
            await self._app(scope, receive, marked)
        finally:
            if SHED not in state:
                _tell(scope, status, time.perf_counter() - begun)
            CONTEXT.reset(token)


def named(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """`request_id`, and `trace_id` where the caller traces: 32 hex digits."""
    given = trace = None
    for name, value in headers:
        if name == b"x-request-id":
            given = SANE.fullmatch(value)
        elif name == b"traceparent":
            trace = TRACE.fullmatch(value)
    fields = {"request_id": given[0].decode() if given else ulid_now()}
    if trace and (trace_id := trace[1].decode()) != NO_TRACE:
        fields["trace_id"] = trace_id
    return fields


def route_of(scope: Scope) -> str:
    """The template of the route that a request took, like `/v1/calls/{id}/text`; `unknown` if there is none."""
    return str(getattr(scope.get("route"), "path", "unknown"))


def _tell(scope: Scope, status: int, seconds: float) -> None:
    level = logging.ERROR if status >= 500 else logging.INFO
    if not logger.isEnabledFor(level):
        return
    extra = {
        "method": scope.get("method", "WS"), "route": route_of(scope), "status": status,
        "ms": round(1000 * seconds, 1),
    }  # fmt: skip
    if key := scope["state"].get(KEY):
        extra["key"] = key
    # Made by hand: logging would walk the stack to find where it was called, which costs as much as all the rest.
    logger.handle(logger.makeRecord(logger.name, level, __file__, 0, "request", (), None, extra=extra))
