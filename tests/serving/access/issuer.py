"""An issuer of tokens for tests: real keys, and an address at which they can be fetched."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

ISSUER, AUDIENCE = "https://sso.tangxi.example", "jiesu"
Signer = RSAKey | ECKey | OKPKey


def made(kind: str, name: str) -> Signer:
    """A new key pair with an id."""
    if kind == "RS256":
        return RSAKey.generate_key(2048, {"kid": name})
    if kind == "ES256":
        return ECKey.generate_key("P-256", {"kid": name})
    return OKPKey.generate_key("Ed25519", {"kid": name})


def jwks(*keys: Signer) -> bytes:
    """The public halves, as an issuer shows them."""
    return orjson.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def token(key: Any, alg: str, header: dict[str, Any] | None = None, **changed: Any) -> str:
    """A token that is good, but for what is changed; what is changed to nothing is left out."""
    now = int(time.time())
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "desk-7", "iat": now, "nbf": now, "exp": now + 300,
        "scope": "openid jiesu:operator",
    } | changed  # fmt: skip
    left = {name: value for name, value in claims.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # issuers still write EdDSA
        return jwt.encode({"alg": alg, "kid": key.kid} | (header or {}), left, key, algorithms=[alg])


class Served:
    """What the issuer's address answers, how it is asked, and how long it takes."""

    def __init__(self, content: bytes) -> None:
        self.content, self.status, self.wait, self.asked, self.url = content, 200, 0.0, 0, ""


@contextmanager
def serving(content: bytes) -> Iterator[Served]:
    """An HTTP server on this machine that answers with a JWK set."""
    served = Served(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked += 1
            time.sleep(served.wait)
            self.send_response(served.status)
            self.send_header("content-length", str(len(served.content)))
            self.end_headers()
            self.wfile.write(served.content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/jwks"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
