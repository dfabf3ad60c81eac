"""An issuer's keys: read when they are needed, again when one is unknown, and never too often."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc.jwk import OctKey, RSAKey

from nlp.errors import InputError
from serving.access import ring as ring_module
from serving.access.ring import IssuerDown, Public, Ring, keys_of, open_ring
from tests.serving.access.issuer import Served, Signer, jwks, made, serving


@pytest.fixture(scope="module")
def keys() -> list[Signer]:
    return [made("ES256", "first"), made("ES256", "second"), made("EdDSA", "third")]


@pytest.fixture
def served(keys: list[Signer]) -> Iterator[Served]:
    with serving(jwks(keys[0])) as address:
        yield address


def looked_up(ring: Ring, name: str | None) -> Public | None:
    return asyncio.run(ring.key(name))


def test_keys_come_from_an_address_and_rotate(served: Served, keys: list[Signer]) -> None:
    now = [0.0]
    ring = Ring(served.url, clock=lambda: now[0])
    assert looked_up(ring, "first") is not None
    served.content = jwks(*keys[:2])
    assert looked_up(ring, "second") is None  # it was read a moment ago
    now[0] = 29.9
    assert [looked_up(ring, f"made-up-{number}") for number in range(50)] == [None] * 50
    assert served.asked == 1
    now[0] = 30.0
    assert looked_up(ring, "second") is not None
    assert looked_up(ring, "first") is not None
    assert served.asked == 2


def test_a_key_that_the_issuer_took_back_stops(served: Served, keys: list[Signer]) -> None:
    now = [0.0]
    ring = Ring(served.url, clock=lambda: now[0])
    assert looked_up(ring, "first") is not None
    served.content = jwks(keys[1])
    now[0] = 601.0
    assert looked_up(ring, "first") is not None  # read again behind it
    until = time.monotonic() + 5
    while looked_up(ring, "first") is not None:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_token_without_an_id_needs_a_set_of_one(served: Served, keys: list[Signer]) -> None:
    assert looked_up(Ring(served.url), None) is not None
    served.content = jwks(*keys[:2])
    assert looked_up(Ring(served.url), None) is None


def test_the_first_requests_wait_for_one_reading(served: Served) -> None:
    served.wait = 0.2
    ring = Ring(served.url)

    async def many() -> list[Public | None]:
        return await asyncio.gather(*(ring.key("first") for _ in range(50)))

    assert all(asyncio.run(many()))
    assert served.asked == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1, null]}'])
def test_an_issuer_that_shows_nothing_opens_to_nobody(served: Served, content: bytes) -> None:
    served.content = content
    with pytest.raises(IssuerDown):
        looked_up(Ring(served.url), "first")


def test_an_issuer_that_fails_later_is_remembered(served: Served) -> None:
    now = [0.0]
    ring = Ring(served.url, clock=lambda: now[0])
    assert looked_up(ring, "first") is not None
    served.status, now[0] = 500, 31.0
    assert looked_up(ring, "unknown") is None
    assert looked_up(ring, "first") is not None


def test_a_set_of_any_length_is_not_read(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "LARGEST", 100)
    with pytest.raises(IssuerDown):
        looked_up(Ring(served.url), "first")


def test_a_hung_issuer_holds_nobody_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_module, "PATIENCE", 0.2)
    served.wait = 1.0
    begun = time.monotonic()
    with pytest.raises(IssuerDown):
        looked_up(Ring(served.url), "first")
    assert time.monotonic() - begun < 0.9


def test_an_address_that_nobody_serves(served: Served) -> None:
    with pytest.raises(IssuerDown):
        looked_up(Ring(served.url.replace("/jwks", "x/jwks")), "first")


def test_keys_come_from_a_file(tmp_path: Path, keys: list[Signer]) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks(*keys))
    ring = open_ring(str(path))
    assert [looked_up(ring, name) is not None for name in ("first", "third", "fourth")] == [True, True, False]


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[" * 100_000, b'{"keys": [{"kty": "EC"}]}'])
def test_a_file_of_no_use_is_refused_at_the_start(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="JIESU_OIDC_JWKS"):
        open_ring(str(path))


def test_keys_are_not_fetched_in_the_clear() -> None:
    with pytest.raises(InputError, match="https"):
        open_ring("http://sso.tangxi.example/jwks")
    open_ring("https://sso.tangxi.example/jwks")


def test_shared_secrets_short_and_foreign_keys_are_left_out(keys: list[Signer]) -> None:
    good = keys[0].as_dict(private=False)
    short: dict[str, Any] = dict(RSAKey.generate_key(2048).as_dict(private=False)) | {"kid": "short"}
    short["n"] = base64.urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()
    shared: dict[str, Any] = dict(OctKey.generate_key(256).as_dict()) | {"kid": "shared"}
    listed = [good, short, shared, dict(good) | {"kid": "enc", "use": "enc"}, {"kty": "PQ"}, {"kty": []}]
    assert list(keys_of(orjson.dumps({"keys": listed}))) == ["first"]
