"""The body of a request, read under a limit."""

from __future__ import annotations

from fastapi import Request
from starlette.requests import ClientDisconnect

from serving.errors import Malformed
from serving.problems import TooLarge


class BrokenOff(Malformed):
    """请求还没有发完，连接就断了"""


async def body_of(request: Request, limit: int) -> bytes:
    """The body of a request; raises `TooLarge` before reading where its length tells, else as soon as it is passed."""
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise TooLarge(limit=limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise TooLarge(limit=limit)
            parts.append(part)
    except ClientDisconnect as error:
        raise BrokenOff from error
    return b"".join(parts)
