"""Signing in at a page with a key, and out again."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from nlp.errors import JiesuError
from serving.access.access import BadKey, ForeignPage, address_of
from serving.access.cookie import SESSION, cookie, give, take
from serving.access.limits import TooMany
from serving.access.session import Session
from serving.access.who import Who
from serving.desk.pages import Pages
from serving.door.body import body_of
from serving.errors import Malformed
from serving.problems import headers_of, status_of

LARGEST = 8192  # bytes of a form
OURS = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1000}")  # an address within this service: ASCII, no blank, no backslash
FIRST = "/desk"
DONE = "/login/done"


class NoForm(Malformed):
    """登录须用表单或 JSON，写明 key"""


class NoKey(BadKey):
    """没有这个密钥，或者它已经停用"""


def routes(pages: Pages) -> APIRouter:
    """`/login` and `/logout`; `/login/oidc` where there is an issuer."""
    router = APIRouter()
    access = pages.service.access

    def form(request: Request, error: JiesuError | None = None) -> Response:
        told = pages.told(request, error) if error else ""
        page = pages.page(
            request, "login.html", None, status_of(error) if error else 200, next=wanted(request), error=told
        )
        page.headers.update(headers_of(error) if isinstance(error, TooMany) else {})
        return page

    @router.get("/login")
    async def asked(request: Request) -> Response:
        return RedirectResponse(wanted(request), 303) if pages.service.settings.insecure else form(request)

    @router.post("/login")
    async def login(request: Request) -> Response:
        """A form is answered with a page; JSON, as a page under way sends it, with what that page needs to go on."""
        same_site(request)
        by_script = request.headers.get("content-type", "").startswith("application/json")
        key = _key(await body_of(request, LARGEST), by_script=by_script)
        try:
            who = await access.sign_in(key, address_of(request))
        except (BadKey, TooMany) as error:
            told = NoKey() if isinstance(error, BadKey) else error
            if by_script:
                raise told from error
            return form(request, told)
        return await signed_in(pages, request, who, None if by_script else wanted(request))

    @router.get("/login/self")
    async def oneself(request: Request) -> Response:
        """Who is signed in by now, maybe in another window, and the token that pages send along; empty: nobody."""
        session = await access.sessions.find(cookie(request, SESSION))
        return _told(session)

    @router.get(DONE)
    async def done(request: Request) -> Response:
        return pages.page(request, "done.html")

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        same_site(request)
        await access.sessions.end(cookie(request, SESSION))
        response = RedirectResponse("/login", 303)
        take(request, response, SESSION)
        return response

    if access.issuer is not None:
        from serving.desk import signon  # noqa: PLC0415 - an extra of its own

        router.include_router(signon.routes(pages))
    return router


async def signed_in(pages: Pages, request: Request, who: Who, to: str | None) -> Response:
    """Begin a session, always a new one, and go on to a page; to a script, tell what it needs. Raises `StoreDown`."""
    access = pages.service.access
    token = await access.sessions.begin(who, instead=cookie(request, SESSION))
    session = await access.sessions.find(token)
    response = _told(session) if to is None else RedirectResponse(to, 303)
    give(request, response, SESSION, token, round(pages.service.settings.session_hours * 3600))
    return response


def wanted(request: Request) -> str:
    """The page that somebody wanted before having to sign in; never one of another site, never one to sign in at."""
    asked = request.query_params.get("next", FIRST)
    is_ours = OURS.fullmatch(asked) and (asked == DONE or not asked.startswith(("/login", "/logout")))
    return asked if is_ours else FIRST


def same_site(request: Request) -> None:
    """Raise `ForeignPage` for what a page of another site had the browser send."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site not in {"same-origin", "none"}:
        raise ForeignPage
    if site is None and origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise ForeignPage


def _told(session: Session | None) -> Response:
    """What a page under way needs to know of whoever is signed in."""
    told = {"csrf": session.csrf, "name": session.who.name or session.who.key} if session else {"csrf": "", "name": ""}
    return Response(orjson.dumps(told), media_type="application/json")


def _key(body: bytes, *, by_script: bool) -> str:
    """The key in a form or in JSON; raises `NoForm`."""
    try:
        key = orjson.loads(body)["key"] if by_script else parse_qs(body.decode(), strict_parsing=True)["key"][0]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise NoForm from error
    if not isinstance(key, str):
        raise NoForm
    return key.strip()
