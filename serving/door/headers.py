"""Headers: what every answer tells a browser not to do with it."""

from __future__ import annotations

import base64
import hashlib
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.door.refusal import SAFE

Pairs = tuple[tuple[bytes, bytes], ...]
DOCS = "/docs"
ASSETS = "/static-offline-docs/"  # where fastapi_offline keeps Swagger UI
HSTS = (b"strict-transport-security", b"max-age=31536000")
POLICY = b"content-security-policy"
# Swagger UI draws with style attributes and images in data: addresses, and asks this service only.
DOCS_POLICY = (
    "default-src 'none'; script-src 'self'{hashes}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


class Headers:
    """ASGI middleware that adds what an answer has not set itself: a page of another part may bring its own policy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its answer gets the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(DOCS):
            await self._app(scope, receive, _Page(send, scope).send)
        else:
            wanted = _wanted(scope)

            async def dressed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _dress(message, wanted)
                await send(message)

            await self._app(scope, receive, dressed)


def _wanted(scope: Scope) -> Pairs:
    """The headers for a request; a browser may keep the scripts of the documentation for a day."""
    pairs = SECURE if scope["scheme"] == "https" else SAFE
    if scope["path"].startswith(ASSETS):
        return ((b"cache-control", b"max-age=86400"), *(pair for pair in pairs if pair[0] != b"cache-control"))
    return pairs


def _dress(message: Message, wanted: Pairs) -> None:
    headers = list(message.get("headers", ()))
    there = {name for name, _ in headers}
    message["headers"] = headers + [pair for pair in wanted if pair[0] not in there]


class _Page:
    """A page of the documentation: small, held back until its inline scripts are known, which are allowed by hash."""

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send = send
        self._wanted = _wanted(scope)
        self._start: Message = {}
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        _dress(self._start, ((POLICY, docs_policy(self._body)), *(w for w in self._wanted if w[0] != POLICY)))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": self._body})


def docs_policy(page: bytes) -> bytes:
    """The Content-Security-Policy of a page: its own scripts, by SHA-256 (CSP level 3, 2.3.1), and none besides."""
    digests = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in SCRIPT.findall(page)]
    return DOCS_POLICY.format(hashes="".join(f" 'sha256-{digest}'" for digest in digests)).encode()


SECURE = (*SAFE, HSTS)
