"""Signing in at a page with a key, and out again."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from serving.access.access import COOKIE, BadKey, ForeignPage, WrongScope
from serving.access.who import Who
from serving.desk.pages import Pages
from serving.door.body import body_of
from serving.errors import Malformed
from serving.problems import status_of

LARGEST = 8192  # bytes of a form
OURS = re.compile(r"/(?![/\\])[^\x00-\x20\\]*")  # an address within this service
FIRST = "/desk"


class NoForm(Malformed):
    """登录须用表单或 JSON，写明 key"""


def routes(pages: Pages) -> APIRouter:
    """`/login` and `/logout`."""
    router = APIRouter()
    service, access = pages.service, pages.service.access

    def form(request: Request, status: int = 200, error: str = "") -> Response:
        return pages.page(request, "login.html", None, status, next=wanted(request), error=error)

    @router.get("/login")
    async def asked(request: Request) -> Response:
        return RedirectResponse(wanted(request), 303) if service.settings.insecure else form(request)

    @router.post("/login")
    async def login(request: Request) -> Response:
        """A form is answered with a page; JSON, as a page under way sends it, with what that page needs to go on."""
        same_site(request)
        by_script = request.headers.get("content-type", "").startswith("application/json")
        try:
            key = _key(await body_of(request, LARGEST), by_script=by_script)
            who = await access.admit_key(key, None, address=request.client.host if request.client else "")
        except (BadKey, WrongScope) as error:
            if by_script:
                raise
            return form(request, status_of(error), "没有这个密钥，或者它已经停用")
        return await signed_in(request, who, wanted(request), by_script=by_script)

    async def signed_in(request: Request, who: Who, to: str, *, by_script: bool = False) -> Response:
        token = await access.sessions.begin(who)
        session = await access.sessions.find(token)
        told = orjson.dumps({"csrf": session.csrf if session else "", "name": who.name})
        response = Response(told, media_type="application/json") if by_script else RedirectResponse(to, 303)
        age, https = round(service.settings.session_hours * 3600), request.url.scheme == "https"
        response.set_cookie(COOKIE, token, max_age=age, secure=https, httponly=True, samesite="lax")
        return response

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        same_site(request)
        token = request.cookies.get(COOKIE, "")
        session = await access.sessions.find(token)
        if session:
            await access.sessions.end(token, session.who)
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response

    return router


def wanted(request: Request) -> str:
    """The page that somebody wanted before having to sign in; never one of another site."""
    asked = request.query_params.get("next", FIRST)
    return asked if OURS.fullmatch(asked) else FIRST


def same_site(request: Request) -> None:
    """Raise `ForeignPage` for a form that a page of another site had the browser send."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise ForeignPage


def _key(body: bytes, *, by_script: bool) -> str:
    """The key in a form or in JSON; raises `NoForm`."""
    try:
        key = orjson.loads(body)["key"] if by_script else parse_qs(body.decode(), strict_parsing=True)["key"][0]
    except (ValueError, KeyError, TypeError) as error:
        raise NoForm from error
    if not isinstance(key, str):
        raise NoForm
    return key.strip()
