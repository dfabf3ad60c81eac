"""Access: who may come in, for what, and how often. Whoever may not is told nothing of why."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from nlp.errors import InputError, JiesuError
from serving.access.cookie import SESSION, cookie
from serving.access.keys import Key, Keys
from serving.access.limits import Limiter, TooMany
from serving.access.rates import Rates
from serving.access.refusals import Refusals
from serving.access.scope import Scope
from serving.access.session import Sessions
from serving.access.tries import Tries
from serving.access.who import INSECURE, Who
from serving.errors import Malformed, Missing
from serving.journal.journal import Journal
from serving.metrics import Metrics
from serving.settings import Settings

if TYPE_CHECKING:
    from serving.access.authorize import Authorizer, Returned
    from serving.access.oidc import Bearer, Oidc

CSRF = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BadKey(JiesuError):
    """缺少有效的访问密钥"""


class SessionOver(BadKey):
    """登录已过期，请重新登录"""


class WrongScope(JiesuError):
    """这个密钥不能做这件事"""


class ForeignPage(WrongScope):
    """请求不是从本系统的页面发出的，没有照办"""


class NoIssuer(Missing):
    """本单位没有设单位账号登录，请用密钥登录"""


class Access:
    """The door: a key or a token, its scope, its rate.

    sessions: who has signed in at a page. oidc: checks tokens of an issuer, where the office has one. issuer: where
    people sign in with their account at that issuer. refusals: where those who are sent away are noted.
    """

    def __init__(
        self,
        settings: Settings,
        keys: Keys,
        limiter: Limiter,
        sessions: Sessions,
        oidc: Oidc | None = None,
        refusals: Refusals | None = None,
        issuer: Authorizer | None = None,
    ) -> None:
        self._insecure = settings.insecure
        self._origins = frozenset(settings.cors_origins)
        self._keys = keys
        self._limiter = limiter
        self.sessions = sessions
        self.tries = Tries(limiter)
        self.issuer = issuer
        self._oidc = oidc
        self._refusals = refusals

    async def admit(self, request: HTTPConnection, scope: Scope | None, cost: int = 1) -> Who:
        """Who asks; raises `BadKey`, `WrongScope`, `TooMany`, `TooDear`, `StoreDown`.

        scope: what the key must be good for; none where any key will do. cost: how much of its rate is taken.
        """
        if self._insecure:
            self._check_page(request)
            return INSECURE
        address = address_of(request)
        shown, token = presented(request), cookie(request, SESSION)
        if token and not shown:
            who = await self._signed_in(request, token, scope, cost, address)
        else:
            who = await self.admit_key(shown, scope, cost, address=address)
        request.state.key = who.key  # for the log of the request
        return who

    async def _signed_in(
        self, request: HTTPConnection, token: str, scope: Scope | None, cost: int, address: str
    ) -> Who:
        """Who has signed in at a page; a request that changes something must come from a page of ours."""
        session = await self.sessions.find(token)
        if session is None:
            await self._note("session", address, "", scope)
            raise SessionOver
        if request.scope.get("method") not in SAFE and not self.sessions.agrees(session, request.headers.get(CSRF, "")):
            await self._note("page", address, session.who.key, scope)
            raise ForeignPage
        request.state.csrf = session.csrf
        return await self._within(session.who.at(scope), session.who.key, scope, cost, address)

    async def admit_key(self, shown: str, scope: Scope | None, cost: int = 1, *, address: str = "") -> Who:
        """The same for a key or token that came by another way, like the first message of a WebSocket."""
        if self._insecure:
            return INSECURE
        known = await self._known(shown)
        if known is None:
            await self._note("key" if shown else "missing", address, "", scope)
            raise BadKey
        return await self._within(known.who(scope), known.id, scope, cost, address)

    async def sign_in(self, key: str, address: str) -> Who:
        """Whoever shows a good key at the page for that; raises `BadKey`, `TooMany`, `StoreDown`.

        A token does not count here: it ends within minutes, and a session would outlast it.
        """
        try:
            async with self.tries.one(address):
                known = await self._keys.find(key)
                if known is None:
                    raise BadKey
        except BadKey:
            await self._note("key", address, "", None)
            raise
        return await self._within(known.who(None), known.id, None, 1, address)

    async def sign_on(self, callback: str, query: Mapping[str, str], held: str, address: str) -> Returned:
        """Whoever comes back from the issuer's page; raises what `Authorizer.finish` does, and `TooManyTries`."""
        if self.issuer is None:
            raise NoIssuer
        try:
            async with self.tries.one(address):
                return await self.issuer.finish(callback, query, held)
        except (Malformed, WrongScope):
            await self._note("issuer", address, "", None)
            raise

    async def _within(self, who: Who | None, key: str, scope: Scope | None, cost: int, address: str) -> Who:
        """The same if it is good for what is wanted, and within its rate."""
        if who is None:
            await self._note("scope", address, key, scope)
            raise WrongScope
        wait = await self._limiter.hit(who.key, who.rate, cost)
        if wait > 0:
            await self._note("rate", address, who.key, scope)
            raise TooMany(retry=ceil(wait))
        return who

    def _check_page(self, request: HTTPConnection) -> None:
        """Where no key is asked for: refuse what a page of a site that nobody allowed has the browser send."""
        origin = request.headers.get("origin")
        if origin is None or origin in self._origins or request.scope.get("method") in SAFE:
            return
        if origin.partition("://")[2] != request.headers.get("host"):
            raise ForeignPage

    async def _known(self, shown: str) -> Key | Bearer | None:
        """The key or the bearer of a token, if it is good."""
        if self._oidc is not None and shown.count(".") == 2:
            return await self._oidc.find(shown)
        return await self._keys.find(shown)

    async def _note(self, reason: str, address: str, actor: str, wanted: Scope | None) -> None:
        if self._refusals is not None:
            await self._refusals.note(reason, address, actor, wanted.value if wanted else "any")


def address_of(request: HTTPConnection) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def presented(request: HTTPConnection) -> str:
    """The key or token that a request carries, as `x-api-key` or as a bearer token; the first one counts."""
    key = request.headers.get("x-api-key")
    if key is None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key if scheme.lower() == "bearer" else ""
    return key.strip()


def open_access(settings: Settings, journal: Journal, secret: bytes, metrics: Metrics) -> Access:
    """The door of a service; raises `InputError` for settings of an issuer that cannot be used."""
    rates = Rates(journal)
    sessions = Sessions(journal, secret, settings.session_hours)
    oidc, issuer = _opened_issuer(settings, rates, secret)
    refusals = Refusals(journal, metrics)
    return Access(settings, Keys(journal, secret), Limiter(rates), sessions, oidc, refusals, issuer)


def _opened_issuer(settings: Settings, rates: Rates, secret: bytes) -> tuple[Oidc | None, Authorizer | None]:
    """What checks an issuer's tokens, and what sends people there to sign in; each where the office wants it."""
    if not settings.oidc_issuer:
        if settings.oidc_client:
            raise InputError(place="设置 JIESU_OIDC_CLIENT", reason="还须设 JIESU_OIDC_ISSUER")
        return None, None
    try:
        from serving.access.authorize import open_authorizer  # noqa: PLC0415 - an extra of its own
        from serving.access.oidc import open_oidc  # noqa: PLC0415
    except ModuleNotFoundError as error:
        reason = "没有装 oidc 这一项：pip install jiesu[oidc]"
        raise InputError(place="设置 JIESU_OIDC_ISSUER", reason=reason) from error
    oidc = open_oidc(settings)
    return oidc, open_authorizer(settings, oidc, rates, secret)
