"""Signing in at a page with an account at the office's own issuer."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from nlp.errors import JiesuError
from serving.access.access import NoIssuer, address_of
from serving.access.authorize import LIFE
from serving.access.cookie import SIGNON, cookie, give, take
from serving.desk.pages import Pages
from serving.desk.signin import signed_in, wanted

BACK = "/login/oidc/callback"


def routes(pages: Pages) -> APIRouter:
    """`/login/oidc`, from where a browser goes to the issuer, and the address at which it comes back."""
    router = APIRouter()
    access = pages.service.access

    @router.get("/login/oidc")
    async def leave(request: Request) -> Response:
        try:
            if access.issuer is None:
                raise NoIssuer
            begun = await access.issuer.begin(_callback(request), wanted(request))
        except JiesuError as error:
            return pages.refused(request, error)
        response = RedirectResponse(begun.address, 303)
        give(request, response, SIGNON, begun.cookie, LIFE)
        return response

    @router.get(BACK)
    async def back(request: Request) -> Response:
        """Back from the issuer; whatever came of it, the browser forgets what it remembered for this once."""
        held = cookie(request, SIGNON)
        try:
            found = await access.sign_on(_callback(request), request.query_params, held, address_of(request))
            response = await signed_in(pages, request, found.who, found.to)
        except JiesuError as error:
            response = pages.refused(request, error)
        take(request, response, SIGNON)
        return response

    return router


def _callback(request: Request) -> str:
    """Our address as the browser knows it, which the issuer must have on its list."""
    return str(request.url.replace(path=BACK, query="", fragment=""))
