"""The keys of an issuer of tokens (a JWK set, RFC 7517), from a file or an address, read again when one is unknown."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path

import httpx
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from nlp.errors import InputError
from serving.access.single import Single
from serving.store.engine import StoreDown

EVERY = 30.0  # seconds between two readings: made-up key ids do not make us a flood for the issuer
STALE = 600.0  # seconds after which the keys are read again: one that the issuer took back stops
PATIENCE = 3.0  # seconds for an answer
LARGEST = 1 << 20  # bytes of a set
SMALLEST_RSA = 2040  # bits that a modulus of 2048 bits has at least when written down
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
Public = RSAKey | ECKey | OKPKey
log = logging.getLogger(__name__)


class IssuerDown(StoreDown):
    """身份提供方暂时不可用（{reason}）"""


class Ring:
    """The public keys of an issuer, by their ids."""

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._clock = clock
        self._keys: dict[str, Public] | None = None  # nothing before the first reading that succeeded
        self._tried = -inf
        self._reader = Single(self._read_or_log, "oidc")

    async def key(self, name: str | None) -> Public | None:
        """The key of an id, or the only one where a token names none; raises `IssuerDown` before any was read."""
        age = self._clock() - self._tried
        found = self._find(name)
        if found is not None:
            if age >= STALE:
                self._reader.start()
            return found
        if age >= EVERY or self._reader.busy:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._reader.wait(), PATIENCE)
        if self._keys is None:
            raise IssuerDown(reason="没有拿到公钥")
        return self._find(name)

    def read(self) -> None:
        """Read the keys; raises `OSError`, `httpx.HTTPError` or `ValueError` where that fails."""
        self._tried = self._clock()
        self._keys = keys_of(_fetched(self._source) if is_address(self._source) else Path(self._source).read_bytes())

    def _find(self, name: str | None) -> Public | None:
        keys = self._keys or {}
        if name is None:
            return next(iter(keys.values())) if len(keys) == 1 else None
        return keys.get(name)

    def _read_or_log(self) -> None:
        try:
            self.read()
        except (OSError, httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            log.warning("issuer_keys_unread", extra={"reason": type(error).__name__})


def open_ring(source: str) -> Ring:
    """The ring of a file, read at once, or of an address, read with the first token; raises `InputError`."""
    place, ring = "设置 JIESU_OIDC_JWKS", Ring(source)
    if is_address(source):
        if not is_trusted(source):
            raise InputError(place=place, reason="须用 https；内网没有 https 的，把公钥存成文件")
        return ring
    try:
        ring.read()
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(place=place, reason=f"读不了公钥文件 {source}：须是 JWK 集（JSON）") from error
    return ring


def is_address(source: str) -> bool:
    """Whether a source is read over the network."""
    return source.startswith(("http://", "https://"))


def is_trusted(source: object) -> bool:
    """Whether an address is one to ask for keys, or to send people and secrets to: by TLS, but on this very machine."""
    try:
        address = httpx.URL(source if isinstance(source, str) else "")
    except httpx.InvalidURL:
        return False
    return bool(address.host) and (address.scheme == "https" or (address.scheme == "http" and address.host in LOCAL))


def keys_of(content: bytes) -> dict[str, Public]:
    """The usable public keys of a JWK set; raises `ValueError` where there is none."""
    written = orjson.loads(content)
    listed = written.get("keys") if isinstance(written, dict) else None
    found = [_key(entry) for entry in (listed if isinstance(listed, list) else [])]
    keys = {key.ensure_kid() or key.kid or "": key for key in found if key is not None}
    if not keys:
        raise ValueError("no usable key")
    return keys


def _key(entry: object) -> Public | None:
    """A key that may have signed: never a shared secret, never a short one."""
    if not isinstance(entry, dict) or entry.get("kty") not in ["RSA", "EC", "OKP"] or entry.get("use", "sig") != "sig":
        return None
    if entry["kty"] == "RSA" and len(str(entry.get("n"))) * 6 < SMALLEST_RSA:
        return None
    try:
        key = JWKRegistry.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _fetched(address: str) -> bytes:
    """What an address answers, which is no page of any length."""
    with httpx.stream("GET", address, timeout=PATIENCE, headers={"accept": "application/json"}) as reply:
        reply.raise_for_status()
        content = b""
        for part in reply.iter_bytes():
            content += part
            if len(content) > LARGEST:
                raise ValueError("too large")
        return content
