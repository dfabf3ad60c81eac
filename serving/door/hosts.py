"""Hosts: a request that was meant for another host is refused, so that no name of somebody else's leads in here.

A page of `evil.example` may have its name point to this machine once it is loaded (DNS rebinding): its requests are
then of the same origin for the browser, and where no key is asked for, nothing else would stop them.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from serving.door.gate import OPEN
from serving.door.refusal import REFUSALS
from serving.metrics import Metrics


class Hosts:
    """ASGI middleware: answers what is meant for one of the names; for any that nobody can own where there are none."""

    def __init__(self, app: ASGIApp, named: Sequence[str], metrics: Metrics) -> None:
        self._app = app
        self._named = frozenset(name.lower().rstrip(".") for name in named)
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with 421 (RFC 9110, 15.5.20)."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN or self._is_ours(scope):
            await self._app(scope, receive, send)
            return
        self._metrics.refused("host")
        if scope["type"] == "http":
            await REFUSALS[421].answer(send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: HTTP 403

    def _is_ours(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if not given:
            return scope.get("http_version") == "1.0"  # no browser
        name = name_of(given[0].decode("latin-1"))
        return len(given) == 1 and (name in self._named if self._named else cannot_be_owned(name))


def name_of(host: str) -> str:
    """The name or address in a `Host`, without its port."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower().rstrip(".")


def cannot_be_owned(name: str) -> bool:
    """Whether a name is none that somebody could have registered: an address, or one of the own network."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return bool(ip_address(name))
    except ValueError:
        return bool(name) and "." not in name
