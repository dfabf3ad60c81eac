"""Access: one key for the whole service, compared in constant time."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from fastapi import Request

from serving.problems import BadKey
from serving.settings import Settings

Guard = Callable[[Request], Awaitable[None]]


def guard(settings: Settings) -> Guard:
    """A dependency that lets nobody in without the key, unless the service was started insecure."""
    expected = b"" if settings.insecure or settings.api_key is None else settings.api_key.get_secret_value().encode()

    async def check(request: Request) -> None:
        if not settings.insecure and not (expected and hmac.compare_digest(presented(request), expected)):
            raise BadKey

    return check


def presented(request: Request) -> bytes:
    """The key that a request carries, as `x-api-key` or as a bearer token."""
    key = request.headers.get("x-api-key")
    if key is None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
    return key.encode()
