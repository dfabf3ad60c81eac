"""OIDC: bearer tokens of an office's own issuer, checked here with its public keys (RFC 7519, RFC 8725).

The library is joserfc, which comes with Authlib and has taken the place of `authlib.jose`.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwa import EdDSAAlgorithm
from joserfc.jws import JWSRegistry, extract_compact
from joserfc.jwt import JWTClaimsRegistry

from nlp.errors import InputError
from serving.access.limits import parsed
from serving.access.ring import Ring, open_ring
from serving.access.scope import Scope
from serving.access.who import Who
from serving.settings import Settings

LONGEST = 16_384  # characters of a token
LEEWAY = 60  # seconds by which clocks may differ
NAME = 64  # characters of a name that is shown
PREFIX = "jiesu:"
PLAIN = re.compile(r"[A-Za-z0-9_.@|-]{1,59}")  # a subject that may stand for itself in the store
HOSTILE = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Trust:
    """Whose tokens count: the issuer, for whom it must have made them, the claim that holds scopes, each one's rate."""

    issuer: str
    audience: str
    claim: str = "scope"
    rate: str = ""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever bears a good token; id: like a key's id, the subject behind `oidc:`."""

    id: str
    scopes: frozenset[Scope]
    rate: str

    def who(self, wanted: Scope | None) -> Who | None:
        """The bearer, with a scope of the token that is good for what is wanted."""
        scope = next((scope for scope in Scope if scope in self.scopes and scope.covers(wanted)), None)
        return Who(self.id, self.id, scope, self.rate) if scope else None

    def whole(self, name: str) -> Who | None:
        """The bearer under a name, with all scopes of the token; nobody where it has none of ours."""
        held = [scope for scope in Scope if scope in self.scopes]
        return Who(self.id, name, held[0], self.rate, frozenset(held[1:])) if held else None


@dataclass(frozen=True, slots=True)
class Person:
    """Whom an ID token is about: the id, as a `Bearer` has it, and the name to be shown."""

    id: str
    name: str


class Oidc:
    """Checks tokens: signature (never `none`, never a shared secret), issuer, audience, times."""

    def __init__(self, trust: Trust, ring: Ring, clock: Callable[[], float] = time.time) -> None:
        self._trust = trust
        self._ring = ring
        self._registry = _registry()
        self._clock = clock
        self._claims = self._checks(trust.audience)

    async def find(self, token: str) -> Bearer | None:
        """The bearer of a token, nobody where anything is wrong with it; raises `IssuerDown`."""
        claims = await self._read(token, self._claims)
        if claims is None:
            return None
        return Bearer(_id(claims["sub"]), scopes_of(claims.get(self._trust.claim)), self._trust.rate)

    async def identity(self, token: str, client: str, nonce: str) -> Person | None:
        """Whom an ID token is about, if it was made for this sign-in at this client; raises `IssuerDown`."""
        claims = await self._read(token, self._checks(client, nonce={"essential": True, "value": nonce}))
        if claims is None or claims.get("azp", client) != client:
            return None
        names = (claims.get("name"), claims.get("preferred_username"), claims["sub"])
        return Person(_id(claims["sub"]), next((name for name in map(_shown, names) if name), "—"))

    async def _read(self, token: str, checks: JWTClaimsRegistry) -> dict[str, Any] | None:
        """The claims of a token that one of the issuer's keys has signed and that passes the checks."""
        if len(token) > LONGEST or not token.isascii():
            return None
        try:
            name = extract_compact(token.encode(), registry=self._registry).headers().get("kid")
        except HOSTILE:
            return None
        key = await self._ring.key(name) if name is None or isinstance(name, str) else None
        if key is None:
            return None
        try:
            claims = jwt.decode(token, key, registry=self._registry).claims
            checks.validate(claims)
        except HOSTILE:
            return None
        return claims

    def _checks(self, audience: str, **more: Any) -> JWTClaimsRegistry:
        """What the claims of a token for somebody must be."""
        return JWTClaimsRegistry(
            now=lambda: int(self._clock()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._trust.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            **more,
        )


def open_oidc(settings: Settings) -> Oidc:
    """The check that the settings ask for; raises `InputError` where one of them is missing or of no use."""
    for name in ("oidc_audience", "oidc_jwks"):
        if not getattr(settings, name):
            raise InputError(place=f"设置 JIESU_{name.upper()}", reason="设了 JIESU_OIDC_ISSUER，这一项也须设")
    parsed(settings.oidc_rate)
    trust = Trust(settings.oidc_issuer, settings.oidc_audience, settings.oidc_scope_claim, settings.oidc_rate)
    return Oidc(trust, open_ring(settings.oidc_jwks))


def scopes_of(claim: Any) -> frozenset[Scope]:
    """The scopes among the words of a claim, which is a text (RFC 8693) or a list."""
    words = claim.split() if isinstance(claim, str) else claim if isinstance(claim, list) else []
    names = {word.removeprefix(PREFIX) for word in words if isinstance(word, str) and word.startswith(PREFIX)}
    return frozenset(scope for scope in Scope if scope.value in names)


def _id(subject: str) -> str:
    """A subject as the store may hold it, never mistaken for a key's id."""
    return f"oidc:{subject if PLAIN.fullmatch(subject) else '#' + hashlib.sha256(subject.encode()).hexdigest()[:32]}"


def _shown(name: object) -> str:
    """A name as a page may show it; empty where it is none."""
    return "".join(sign for sign in name if sign.isprintable()).strip()[:NAME] if isinstance(name, str) else ""


def _registry() -> JWSRegistry:
    """The algorithms that count; header fields that nobody knows are left aside unless they are critical."""
    eddsa = EdDSAAlgorithm()
    eddsa.security_warning = ""  # RFC 9864 prefers the name Ed25519, but issuers still write EdDSA
    known = {name: JWSRegistry.algorithms[name] for name in ("RS256", "ES256", "Ed25519")} | {"EdDSA": eddsa}
    registry = JWSRegistry(algorithms=list(known), strict_check_header=False)
    registry.algorithms = known
    registry.max_header_length = 4096
    return registry
