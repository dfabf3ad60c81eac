"""Tokens: good ones say who it is, and nothing else is believed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from nlp.errors import InputError
from serving.access.oidc import Bearer, Oidc, Trust, open_oidc, scopes_of
from serving.access.ring import Ring, open_ring
from serving.access.scope import Scope
from serving.settings import Settings
from tests.serving.access.issuer import AUDIENCE, ISSUER, Signer, jwks, made, token

KINDS = ("RS256", "ES256", "EdDSA")


@pytest.fixture(scope="module")
def keys() -> dict[str, Signer]:
    return {kind: made(kind, f"{kind}-1") for kind in KINDS}


@pytest.fixture(scope="module")
def ring(keys: dict[str, Signer], tmp_path_factory: pytest.TempPathFactory) -> Ring:
    path = tmp_path_factory.mktemp("issuer") / "jwks.json"
    path.write_bytes(jwks(*keys.values()))
    return open_ring(str(path))


@pytest.fixture(scope="module")
def oidc(ring: Ring) -> Oidc:
    return Oidc(Trust(ISSUER, AUDIENCE), ring)


def bearer(oidc: Oidc, shown: str) -> Bearer | None:
    return asyncio.run(oidc.find(shown))


def encoded(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_token_says_who_it_is(oidc: Oidc, keys: dict[str, Signer], kind: str) -> None:
    found = bearer(oidc, token(keys[kind], kind))
    assert found == Bearer("oidc:desk-7", frozenset({Scope.operator}), "")
    assert found.who(Scope.operator) is not None
    assert found.who(Scope.admin) is None


def test_the_newer_name_of_eddsa_counts_too(oidc: Oidc, keys: dict[str, Signer]) -> None:
    assert bearer(oidc, token(keys["EdDSA"], "Ed25519")) is not None


@pytest.mark.parametrize(
    ("claim", "scopes"),
    [
        ("jiesu:operator", {Scope.operator}),
        ("openid  jiesu:data\tjiesu:batch", {Scope.data, Scope.batch}),
        (["jiesu:admin", 7, None], {Scope.admin}),
        ("operator admin jiesu: jiesu:root JIESU:admin xjiesu:admin jiesu:jiesu:admin", set()),
        ("jiesu:admin,jiesu:data", set()),
        ({"jiesu:admin": True}, set()),
        (None, set()),
        (7, set()),
    ],
)
def test_scopes_are_words_of_a_claim(claim: Any, scopes: set[Scope]) -> None:
    assert scopes_of(claim) == scopes


def test_a_token_with_several_scopes_is_good_for_each(oidc: Oidc, keys: dict[str, Signer]) -> None:
    found = bearer(oidc, token(keys["ES256"], "ES256", scope="jiesu:batch jiesu:data"))
    assert found is not None
    assert found.who(None) is not None
    held = {wanted: found.who(wanted) for wanted in Scope}
    assert {wanted: who.scope for wanted, who in held.items() if who} == {
        Scope.operator: Scope.batch, Scope.batch: Scope.batch, Scope.data: Scope.data,
    }  # fmt: skip


def test_a_token_without_our_scopes_is_good_for_nothing(oidc: Oidc, keys: dict[str, Signer]) -> None:
    found = bearer(oidc, token(keys["ES256"], "ES256", scope=None))
    assert found is not None
    assert [found.who(wanted) for wanted in (None, *Scope)] == [None] * (1 + len(Scope))


@pytest.mark.parametrize(
    ("changed", "is_good"),
    [
        ({"aud": ["other", AUDIENCE]}, True),
        ({"aud": "other"}, False),
        ({"aud": ["other"]}, False),
        ({"aud": []}, False),
        ({"aud": None}, False),
        ({"aud": {AUDIENCE: 1}}, False),
        ({"aud": AUDIENCE.upper()}, False),
        ({"iss": ISSUER + "/"}, False),
        ({"iss": [ISSUER]}, False),
        ({"iss": None}, False),
        ({"sub": None}, False),
        ({"sub": ""}, False),
        ({"sub": 7}, False),
        ({"exp": None}, False),
        ({"exp": "9999999999"}, False),
        ({"exp": True}, False),
        ({"exp": 10**400}, True),
        ({"nbf": "now"}, False),
    ],
)
def test_claims_must_be_what_was_agreed(
    oidc: Oidc, keys: dict[str, Signer], changed: dict[str, Any], is_good: bool
) -> None:
    assert (bearer(oidc, token(keys["ES256"], "ES256", **changed)) is not None) is is_good


@pytest.mark.parametrize(
    ("exp", "nbf", "is_good"),
    [(-55, -300, True), (-65, -300, False), (300, 55, True), (300, 65, False), (-3600, -7200, False)],
)
def test_clocks_may_differ_by_a_minute(oidc: Oidc, keys: dict[str, Signer], exp: int, nbf: int, is_good: bool) -> None:
    now = int(time.time())
    shown = token(keys["ES256"], "ES256", exp=now + exp, nbf=now + nbf, iat=None)
    assert (bearer(oidc, shown) is not None) is is_good


def forged(keys: dict[str, Signer]) -> dict[str, str]:
    """Tokens that say the right things and that nobody signed who may."""
    good = token(keys["RS256"], "RS256")
    head, payload, signature = good.split(".")
    pem = keys["RS256"].as_pem(private=False)
    name = keys["RS256"].kid
    by_secret = encoded({"alg": "HS256", "kid": name}) + "." + payload
    widened = orjson.loads(base64.urlsafe_b64decode(payload + "==")) | {"scope": "jiesu:admin"}
    stranger = made("ES256", "ES256-1")
    return {
        "none": f"{encoded({'alg': 'none', 'kid': name})}.{payload}.",
        "none with a signature": f"{encoded({'alg': 'none', 'kid': name})}.{payload}.{signature}",
        "None": f"{encoded({'alg': 'None', 'kid': name})}.{payload}.",
        "no algorithm": f"{encoded({'kid': name})}.{payload}.{signature}",
        "HS256 with the public key": f"{by_secret}.{encoded(hmac.digest(pem, by_secret.encode(), hashlib.sha256))}",
        "widened": f"{head}.{encoded(widened)}.{signature}",
        "no signature": f"{head}.{payload}.",
        "another key's": f"{head}.{payload}.{token(made('RS256', str(name)), 'RS256').split('.')[2]}",
        "a stranger under a known id": token(stranger, "ES256"),
        "an unknown id": token(made("ES256", "nobody"), "ES256"),
        "another curve": token(ECKey.generate_key("P-384", {"kid": "ES256-1"}), "ES384"),
        "another kind": token(stranger, "ES256", {"kid": "RS256-1"}),
        "its own key": token(stranger, "ES256", {"kid": "x", "jwk": stranger.as_dict(private=False)}),
        "its own address": token(stranger, "ES256", {"kid": "x", "jku": "https://evil.example/jwks"}),
        "critical": f"{encoded({'alg': 'RS256', 'kid': name, 'crit': ['b64'], 'b64': False})}.{payload}.{signature}",
        "an id that is none": f"{encoded({'alg': 'RS256', 'kid': [name]})}.{payload}.{signature}",
        "an algorithm that is none": f"{encoded({'alg': ['RS256'], 'kid': name})}.{payload}.{signature}",
        "deep": f"{encoded(b'[' * 10_000)}.{payload}.{signature}",
        "five parts": f"{good}.{payload}.{signature}",
    }


def test_nothing_forged_is_believed(oidc: Oidc, keys: dict[str, Signer]) -> None:
    assert bearer(oidc, token(keys["RS256"], "RS256")) is not None
    believed = [what for what, shown in forged(keys).items() if bearer(oidc, shown) is not None]
    assert believed == []


def test_a_header_that_nobody_knows_is_left_aside(oidc: Oidc, keys: dict[str, Signer]) -> None:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "desk-7", "exp": now + 300}
    from joserfc import jws

    registry = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    header = {"alg": "ES256", "kid": "ES256-1", "vendor": "x" * 600}
    registry.max_header_length = 4096
    shown = jws.serialize_compact(header, orjson.dumps(claims), keys["ES256"], registry=registry)
    assert bearer(oidc, shown) is not None


def test_a_megabyte_is_not_even_parsed(oidc: Oidc, keys: dict[str, Signer]) -> None:
    shown = token(keys["ES256"], "ES256", filling="x" * 1_000_000)
    tracemalloc.start()
    assert bearer(oidc, shown) is None
    assert tracemalloc.get_traced_memory()[1] < 200_000
    tracemalloc.stop()
    assert bearer(oidc, "." * 1_000_000) is None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(
        st.text(max_size=40) | st.binary(max_size=60).map(encoded)
        | st.recursive(st.none() | st.text() | st.integers(), st.lists, max_leaves=5).map(encoded)
        | st.dictionaries(st.sampled_from(["alg", "kid", "crit", "b64", "typ"]), st.sampled_from(
            ["RS256", "ES256", "none", "ES256-1", 7, None, ["b64"], {}, True])).map(encoded),
        min_size=3, max_size=3,
    )
)  # fmt: skip
def test_no_garbage_opens_or_breaks(oidc: Oidc, parts: list[str]) -> None:
    assert bearer(oidc, ".".join(parts)) is None


@pytest.mark.parametrize("subject", ["张三", "a b", "x" * 60, "#" * 8, "a\0b", "https://sso.tangxi.example/users/7"])
def test_an_odd_subject_is_kept_as_a_digest(oidc: Oidc, keys: dict[str, Signer], subject: str) -> None:
    found = bearer(oidc, token(keys["ES256"], "ES256", sub=subject))
    assert found is not None
    assert found.id == "oidc:#" + hashlib.sha256(subject.encode()).hexdigest()[:32]
    assert len(found.id) <= 64


def test_settings_that_do_not_suffice_are_refused(tmp_path: Path, keys: dict[str, Signer]) -> None:
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks(keys["ES256"]))
    whole = {"oidc_issuer": ISSUER, "oidc_jwks": str(path), "oidc_rate": "60/minute", "oidc_scope_claim": "roles"}
    opened = open_oidc(Settings(**whole))
    found = bearer(opened, token(keys["ES256"], "ES256", roles=["jiesu:data"]))
    assert found == Bearer("oidc:desk-7", frozenset({Scope.data}), "60/minute")
    for name, value in {"oidc_jwks": "", "oidc_audience": "", "oidc_rate": "often"}.items():
        with pytest.raises(InputError):
            open_oidc(Settings(**whole | {name: value}))
