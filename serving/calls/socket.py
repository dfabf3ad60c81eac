"""A call over a WebSocket: the same messages as by request, one answer to each.

Closed with 1000 after the end of the call, 1008 for a key or an origin that may not come in, 1009 for a message that is
too large, 1013 where the key may come back later (RFC 6455, 7.4.1), 4408 after a minute of silence.
"""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.websockets import WebSocket

from nlp.errors import JiesuError
from serving import problems
from serving.access.access import BadKey, WrongScope, presented
from serving.access.scope import Scope
from serving.access.who import Who
from serving.calls.line import Line
from serving.calls.turns import CallText
from serving.service import Service

MOST = 64 * 1024  # bytes of a message
IDLE = 60.0  # seconds between two messages
GREETING = 10.0  # seconds for the first message of a browser, which holds its key
ENDED, TOO_LARGE, SILENT = 1000, 1009, 4408
ORIGIN = "这个网页的来源不许连接（见设置 JIESU_CORS_ORIGINS）"


class Greeting(BaseModel):
    """The first message of a browser, which cannot send headers of its own."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(max_length=10_000)]


class Closed(Exception):
    """The connection is over: by the other side, or by us with this code."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


class Stream:
    """One connection of one call; the key is looked at again at every message, for it may be revoked meanwhile."""

    def __init__(self, service: Service, line: Line, websocket: WebSocket) -> None:
        self._service = service
        self._line = line
        self._socket = websocket
        self._key = presented(websocket)

    async def run(self) -> None:
        """Answer messages until the call or the connection ends; raises `BadKey`, `WrongScope`, `TooMany`."""
        if not self._is_welcome():
            await self._socket.send_denial_response(problems.problem(403, ORIGIN))
            return
        if self._key or self._service.settings.insecure:
            await self._service.access.admit(self._socket, Scope.operator)
        await self._socket.accept()
        try:
            if not (self._key or self._service.settings.insecure):
                await self._greeted()
            while not await self._answer(await self._message(IDLE)):
                pass
            await self._socket.close(ENDED)
        except Closed as closed:
            if closed.code:
                await self._socket.close(closed.code)

    def _is_welcome(self) -> bool:
        """Whether a page of this origin may connect; a browser asks nobody beforehand (RFC 6455, 10.2)."""
        headers = self._socket.headers
        origin = headers.get("origin")
        if origin is None or origin in self._service.settings.cors_origins:
            return True
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""

    async def _greeted(self) -> None:
        """Let a browser in by its first message."""
        try:
            self._key = Greeting.model_validate_json(await self._message(GREETING)).key
        except ValidationError as error:
            raise BadKey from error
        await self._admit()

    async def _admit(self) -> Who:
        client = self._socket.client
        address = client.host if client else ""
        return await self._service.access.admit_key(self._key, Scope.operator, address=address)

    async def _message(self, seconds: float) -> bytes:
        """The next message; raises `Closed`."""
        try:
            async with asyncio.timeout(seconds):
                message = await self._socket.receive()
        except TimeoutError as error:
            raise Closed(SILENT) from error
        if message["type"] == "websocket.disconnect":
            raise Closed
        content: bytes = message.get("bytes") or (message.get("text") or "").encode("utf-8", "replace")
        if len(content) > MOST:
            raise Closed(TOO_LARGE)
        return content

    async def _answer(self, message: bytes) -> bool:
        """Answer a message: with a reply or, where it was wrong, with problem details. True after the call's end."""
        try:
            who = await self._admit()
            said = CallText.model_validate_json(message)
            reply, ended = await self._line.take(self._socket.path_params["id"], said, who), said.end
        except (BadKey, WrongScope):
            raise
        except ValidationError as error:
            reply, ended = bytes(problems.invalid(error).body), False
        except JiesuError as error:
            reply, ended = bytes(problems.refused(error).body), False
        await self._socket.send_text(reply.decode())
        return ended
