"""Signing in with an account at the office's own issuer: the authorization code flow of OpenID Connect with PKCE.

What the flow must remember stays in the browser: a signed cookie with a random seed, out of which state, nonce and
verifier are made with the server's secret, each for its own purpose (RFC 7636; OpenID Connect Core 1.0, 3.1). The
store only knows which seeds were used.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nlp.errors import InputError
from serving.access.access import WrongScope
from serving.access.issuer import WORD, Client, Issuer, SignInRefused
from serving.access.oidc import Oidc
from serving.access.rates import Rates
from serving.access.ring import is_trusted
from serving.access.who import Who
from serving.errors import Malformed
from serving.secret import keyed
from serving.settings import Settings

LIFE = 600  # seconds that somebody may take at the issuer's page
LONGEST = 4096  # characters of a code, or of a cookie
FARTHEST = 1024  # characters of the page that was wanted
SEED_BYTES = 24


class NoReturn(Malformed):
    """这次登录对不上，或者隔得太久：请从登录页重新开始"""


class NoRole(WrongScope):
    """这个账号没有本系统的权限，请找管理员开通"""


@dataclass(frozen=True)
class Begun:
    """Where a browser is sent, and what it is to remember meanwhile."""

    address: str
    cookie: str


@dataclass(frozen=True)
class Returned:
    """Somebody who has come back signed in, and the page that was wanted before."""

    who: Who
    to: str


class Authorizer:
    """Sends people to the issuer, and takes them in when they come back."""

    def __init__(
        self, issuer: Issuer, client: str, oidc: Oidc, rates: Rates, secret: bytes,
        name: str = "", *, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._issuer = issuer
        self._client = client
        self._oidc = oidc
        self._rates = rates
        self._secret = secret
        self._name = name
        self._clock = clock

    async def begin(self, callback: str, to: str) -> Begun:
        """Begin; callback: the address at which the issuer sends people back. Raises `IssuerDown`."""
        seed, until = secrets.token_urlsafe(SEED_BYTES), int(self._clock()) + LIFE
        state, nonce, verifier = self._made(seed)
        address = await self._issuer.page(callback, state, nonce, verifier)
        held = urlsafe_b64encode((to if len(to) <= FARTHEST else "/").encode()).decode().rstrip("=")
        return Begun(address, self._signed(f"{seed}.{until}.{held}"))

    async def finish(self, callback: str, query: Mapping[str, str], cookie: str) -> Returned:
        """Who has come back; raises `NoReturn`, `SignInRefused`, `NoRole`, `IssuerDown`."""
        seed, to = self._remembered(cookie)
        state, nonce, verifier = self._made(seed)
        if not hmac.compare_digest(query.get("state", "").encode(), state.encode()):
            raise NoReturn
        await self._check_sender(query)
        if (await self._rates.take(f"signon:{state}", LIFE, 1))[0] != 1:
            raise NoReturn  # the same return a second time
        tokens = await self._issuer.tokens(callback, _code(query), verifier)
        person = await self._oidc.identity(tokens.identity, self._client, nonce)
        bearer = await self._oidc.find(tokens.access)
        if person is None or bearer is None or person.id != bearer.id:
            raise SignInRefused(reason="身份提供方给的令牌不合格")
        who = bearer.whole(person.name)
        if who is None:
            raise NoRole
        return Returned(who, to)

    async def _check_sender(self, query: Mapping[str, str]) -> None:
        """Raise `NoReturn` for the answer of another issuer (a mix-up; RFC 9207)."""
        named = query.get("iss")
        if (named is None and await self._issuer.names_itself()) or (named is not None and named != self._name):
            raise NoReturn

    def _made(self, seed: str) -> tuple[str, str, str]:
        """State, nonce and verifier of a seed."""
        state, nonce, verifier = (
            keyed(self._secret, f"signon-{what}", seed) for what in ("state", "nonce", "verifier")
        )
        return state, nonce, verifier

    def _signed(self, told: str) -> str:
        return f"{told}.{keyed(self._secret, 'signon', told)}"

    def _remembered(self, cookie: str) -> tuple[str, str]:
        """The seed and the wanted page of a cookie; raises `NoReturn` for one that is not ours, or too old."""
        told, _, mark = cookie[:LONGEST].rpartition(".")
        if not hmac.compare_digest(mark.encode(), keyed(self._secret, "signon", told).encode()):
            raise NoReturn
        seed, until, held = told.split(".")
        if self._clock() >= int(until):
            raise NoReturn
        return seed, urlsafe_b64decode(f"{held}==").decode()


def open_authorizer(settings: Settings, oidc: Oidc, rates: Rates, secret: bytes) -> Authorizer | None:
    """What the settings ask for, if they do; raises `InputError` for an issuer without TLS."""
    if not settings.oidc_client:
        return None
    if not is_trusted(settings.oidc_issuer):
        raise InputError(place="设置 JIESU_OIDC_ISSUER", reason="网页登录须用 https 的签发者")
    given = settings.oidc_client_secret
    client = Client(settings.oidc_client, given.get_secret_value() if given else "")
    issuer = Issuer(settings.oidc_issuer, client)
    return Authorizer(issuer, client.id, oidc, rates, secret, settings.oidc_issuer)


def _code(query: Mapping[str, str]) -> str:
    """The code in the issuer's answer; raises `SignInRefused` with the error that it tells instead."""
    code, told = query.get("code", ""), query.get("error", "")
    if told or not 0 < len(code) <= LONGEST:
        raise SignInRefused(reason=told if WORD.fullmatch(told) else "身份提供方没有给出结果")
    return code
