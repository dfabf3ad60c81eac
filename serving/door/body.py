"""The body of a request, read under a limit."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from serving.errors import Malformed
from serving.problems import TooLarge


class BrokenOff(Malformed):
    """请求还没有发完，连接就断了"""


async def body_of(request: Request, limit: int) -> bytes:
    """The body of a request; raises `TooLarge` before reading where its length tells, else as soon as it is passed."""
    return b"".join([piece async for piece in pieces_of(request, limit)])


async def pieces_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The same piece by piece, for what is too large to be held."""
    length = length_of(request)
    if length is not None and length > limit:
        raise TooLarge(limit=limit)
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise TooLarge(limit=limit)
            yield piece
    except ClientDisconnect as error:
        raise BrokenOff from error


def length_of(request: Request) -> int | None:
    """The length that a request tells of its body, in bytes."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None
