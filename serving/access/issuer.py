"""An issuer at which people sign in: where its pages are (OpenID Connect Discovery 1.0), and a code for tokens.

Its answers are read under a limit of bytes and seconds, from where the settings and its own description say: a
redirect is never followed.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import httpx
import orjson
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from serving.access.ring import IssuerDown, is_trusted
from serving.errors import Malformed

DISCOVERY = "/.well-known/openid-configuration"
NEEDED = ("authorization_endpoint", "token_endpoint")
LARGEST = 256 * 1024  # bytes of an answer
PATIENCE = 5.0  # seconds for an answer
STALE = 3600.0  # seconds after which the description is read again
AGAIN = 5.0  # seconds after which one that could not be read is tried again
SCOPES = "openid profile"
WORD = re.compile(r"[a-z_]{1,40}")  # an error code (RFC 6749, 5.2): anything else is not repeated
PLAIN = {"accept": "application/json", "accept-encoding": "identity"}


class SignInRefused(Malformed):
    """单位账号没有登录成功（{reason}）：请重试，不行就找管理员"""


@dataclass(frozen=True)
class Client:
    """What the issuer knows us by; a public client has no secret."""

    id: str
    secret: str = ""


@dataclass(frozen=True)
class Tokens:
    """What the issuer gave for a code: for the interface, and about the person."""

    access: str
    identity: str


class Issuer:
    """The issuer of the settings, as it describes itself."""

    def __init__(self, address: str, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = address
        self._client = client
        self._clock = clock
        self._lock = asyncio.Lock()
        self._told: Mapping[str, Any] = {}
        self._read_at = self._tried_at = -inf

    async def page(self, callback: str, state: str, nonce: str, verifier: str) -> str:
        """The address to which a browser is sent to sign in; raises `IssuerDown`."""
        told = await self._described()
        client = OAuth2Client(None, self._client.id, scope=SCOPES, redirect_uri=callback, code_challenge_method="S256")
        address, _ = client.create_authorization_url(told["authorization_endpoint"], state, verifier, nonce=nonce)
        return str(address)

    async def tokens(self, callback: str, code: str, verifier: str) -> Tokens:
        """What a code is good for; raises `SignInRefused`, `IssuerDown`."""
        told = await self._described()
        body = prepare_token_request("authorization_code", code=code, redirect_uri=callback, code_verifier=verifier)
        client = OAuth2Client(None, self._client.id, self._client.secret or None)
        headers = {**PLAIN, "content-type": "application/x-www-form-urlencoded"}
        signed = client.client_auth(self._method(told)).prepare("POST", told["token_endpoint"], headers, body)
        status, content = await _answer("POST", signed[0], signed[1], signed[2])
        if status >= 500:
            raise IssuerDown(reason=str(status))
        found = _object(content)
        if status != 200:
            reason = found.get("error")
            raise SignInRefused(reason=reason if isinstance(reason, str) and WORD.fullmatch(reason) else str(status))
        access, identity = found.get("access_token"), found.get("id_token")
        if not isinstance(access, str) or not isinstance(identity, str):
            raise SignInRefused(reason="身份提供方没有给出令牌")
        return Tokens(access, identity)

    async def names_itself(self) -> bool:
        """Whether its answers in an address say who made them (RFC 9207)."""
        return (await self._described()).get("authorization_response_iss_parameter_supported") is True

    def _method(self, told: Mapping[str, Any]) -> str:
        """How we show who we are: in a header, as every issuer should take it, or in the body where it says so."""
        if not self._client.secret:
            return "none"
        methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"

    async def _described(self) -> Mapping[str, Any]:
        """What the issuer says of itself: read once, then again when it is stale; an old one does while it is away."""
        async with self._lock:
            now = self._clock()
            if now - self._read_at >= STALE and now - self._tried_at >= AGAIN:
                self._tried_at = now
                try:
                    self._told = await self._read()
                    self._read_at = now
                except IssuerDown:
                    if not self._told:
                        raise
            if not self._told:
                raise IssuerDown(reason="刚才没有答复")
            return self._told

    async def _read(self) -> Mapping[str, Any]:
        status, content = await _answer("GET", self._address.rstrip("/") + DISCOVERY, PLAIN)
        if status != 200:
            raise IssuerDown(reason=f"{DISCOVERY} 答复 {status}")
        told = _object(content)
        if told.get("issuer") != self._address:
            raise IssuerDown(reason="它说自己是另一个签发者")
        odd = [name for name in NEEDED if not is_trusted(told.get(name))]
        if odd:
            raise IssuerDown(reason=f"{odd[0]} 须是 https 网址")
        return told


def _object(content: bytes) -> dict[str, Any]:
    """A JSON object; raises `IssuerDown` for anything else."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise IssuerDown(reason="它的答复读不懂")
    return found


async def _answer(method: str, address: str, headers: Mapping[str, str], body: str = "") -> tuple[int, bytes]:
    """The status and content of an answer; raises `IssuerDown` where none comes, in time and in size."""
    try:
        async with (
            asyncio.timeout(PATIENCE),
            httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as http,
            http.stream(method, address, headers=dict(headers), content=body.encode()) as reply,
        ):
            return reply.status_code, await _content(reply)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
        raise IssuerDown(reason="连不上，或者没有及时答复") from error


async def _content(reply: httpx.Response) -> bytes:
    content = b""
    async for part in reply.aiter_raw():  # as it came: nothing small grows large by being unpacked
        content += part
        if len(content) > LARGEST:
            raise IssuerDown(reason="它的答复太长")
    return content
