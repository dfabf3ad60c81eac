"""An issuer at which people sign in, for tests: a small HTTP server that does what OpenID Connect asks, and knobs."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import orjson

from tests.serving.access.issuer import AUDIENCE, jwks, made, token

CLIENT, SECRET = "jiesu-pages", "s&=cret"
PAGE = """<!doctype html><html lang="zh-CN"><title>单位登录</title><form method="post" action="/authorize?{query}">
<label>账号 <input name="account"></label><button>同意</button></form></html>"""


class Sso:
    """The issuer. Whatever is put into `described`, `access`, `identity` replaces what it would say; None: left out."""

    def __init__(self) -> None:
        self.key = made("ES256", "sso-1")
        self.url = ""
        self.account = "desk-7"
        self.with_form = False
        self.described: dict[str, Any] = {}
        self.access: dict[str, Any] = {}
        self.identity: dict[str, Any] = {}
        self.reply: tuple[int, bytes, dict[str, str]] | None = None  # to everything but the page
        self.asked: list[str] = []
        self.secret = SECRET
        self._codes: dict[str, dict[str, str]] = {}

    def answer(self, path: str, query: dict[str, str], headers: Any, body: str) -> tuple[int, bytes, dict[str, str]]:
        self.asked.append(path)
        if path == "/authorize":
            return self._authorize(query, dict(parse_one(body)))
        if self.reply:
            return self.reply
        if path == "/.well-known/openid-configuration":
            return self._json(self._description())
        if path == "/jwks":
            return 200, jwks(self.key), {}
        return (
            self._token(dict(parse_one(body)), headers.get("authorization", "")) if path == "/token" else (404, b"", {})
        )

    def _description(self) -> dict[str, Any]:
        told = {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/jwks",
        } | self.described  # fmt: skip
        return {name: value for name, value in told.items() if value is not None}

    def _authorize(self, query: dict[str, str], form: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        assert query["client_id"] == CLIENT
        assert "openid" in query["scope"].split()
        if self.with_form and not form:
            return (
                200,
                PAGE.format(query=urlencode(query).replace("&", "&amp;")).encode(),
                {"content-type": "text/html; charset=utf-8"},
            )
        code = secrets.token_urlsafe(16)
        self._codes[code] = query | {"account": form.get("account", self.account)}
        back = urlencode({"code": code, "state": query["state"]})
        return 303, b"", {"location": f"{query['redirect_uri']}?{back}"}

    def _token(self, form: dict[str, str], shown: str) -> tuple[int, bytes, dict[str, str]]:
        begun = self._codes.pop(form.get("code", ""), None)
        if begun is None or begun["redirect_uri"] != form["redirect_uri"] or not self._is_client(form, shown):
            return self._json({"error": "invalid_grant", "error_description": "<b>no</b>"}, 400)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != begun["code_challenge"]:
            return self._json({"error": "invalid_grant"}, 400)
        whose = {"iss": self.url, "sub": begun["account"]}
        identity = {"aud": CLIENT, "nonce": begun["nonce"], "name": "李强", "scope": None} | whose | self.identity
        return self._json({
            "token_type": "Bearer", "expires_in": 300,
            "access_token": token(self.key, "ES256", **({"aud": AUDIENCE} | whose | self.access)),
            "id_token": token(self.key, "ES256", **identity),
        })  # fmt: skip

    def _is_client(self, form: dict[str, str], shown: str) -> bool:
        if not self.secret:
            return form.get("client_id") == CLIENT and not shown
        if shown:
            name, _, secret = base64.b64decode(shown.removeprefix("Basic ")).decode().partition(":")
            return (name, secret) == (CLIENT, self.secret)
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, self.secret)

    def _json(self, content: Any, status: int = 200) -> tuple[int, bytes, dict[str, str]]:
        return status, orjson.dumps(content), {"content-type": "application/json"}


def parse_one(text: str) -> Iterator[tuple[str, str]]:
    return ((name, values[0]) for name, values in parse_qs(text).items())


@contextmanager
def signing_on() -> Iterator[Sso]:
    """The issuer at an address of this machine."""
    sso = Sso()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            found = sso.answer(unquote(address.path), dict(parse_one(address.query)), self.headers, body)
            self.send_response(found[0])
            for name, value in {**found[2], "content-length": str(len(found[1]))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found[1])

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    sso.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield sso
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
