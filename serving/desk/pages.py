"""Pages: templates filled in for whoever is signed in, each under the strictest policy that it can do with."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from inspect import cleandoc
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from nlp.errors import JiesuError
from serving import problems
from serving.access.access import BadKey
from serving.access.scope import Scope
from serving.access.who import Who
from serving.desk import tongue
from serving.desk.assets import address
from serving.service import Service

TEMPLATES = Path(__file__).with_name("templates")
# `data:` and `blob:` for pictures that a page makes of its own charts.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors {ancestors}"
)
# Not `no-referrer` as elsewhere: browsers would then say `Origin: null` of our own forms (Fetch, 4.1 "append").
HEADERS = {"referrer-policy": "same-origin"}
RETRY = "retry-after"
NAVIGATION = (
    ("/desk", "坐席台", Scope.operator), ("/data", "数据台", Scope.data),
    ("/backlog", "存量台", Scope.batch), ("/overview", "总览", Scope.data),
)  # fmt: skip
logger = logging.getLogger("jiesu")
Draw = Callable[[Request, Who], Awaitable[Response]]


class Pages:
    """The pages of a service.

    Every template gets `who`, `page` (its address), `csrf`, `lang`, `other` (the same page in the other language),
    `_`, `asset` and `single`: whether people may sign in with their account at the office's issuer.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
            trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def add(self, router: APIRouter, path: str, scope: Scope | None, draw: Draw) -> None:
        """A page for whoever is signed in with a scope; the others are sent to sign in, or told that they may not."""

        async def shown(request: Request) -> Response:
            try:
                return await draw(request, await self.service.access.admit(request, scope))
            except BadKey:
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/login?next={quote(asked, safe='')}", 303)
            except JiesuError as error:
                return self.refused(request, error)

        router.add_api_route(path, shown, methods=["GET"])

    def page(
        self,
        request: Request,
        template: str,
        who: Who | None = None,
        status: int = 200,
        framed: str = "'none'",
        **data: Any,
    ) -> Response:
        """A page; framed: which sites may show it within theirs, as in `frame-ancestors`."""
        language = tongue.tongue_of(request)
        content = self._templates.get_template(template).render(
            who=who, page=request.url.path, csrf=getattr(request.state, "csrf", ""), lang=language,
            words=tongue.words(language), _=tongue.speaker(language), asset=address,
            navigation=[(path, name) for path, name, scope in NAVIGATION if who and who.may(scope)],
            other=tongue.other(request), single=self.service.access.issuer is not None,
            signed_in=bool(getattr(request.state, "csrf", "")), **data,
        )  # fmt: skip
        response = HTMLResponse(content, status, HEADERS | {"content-security-policy": POLICY.format(ancestors=framed)})
        if tongue.ASKED in request.query_params:
            response.set_cookie(tongue.COOKIE, language, max_age=31_536_000, httponly=True, samesite="lax")
        return response

    def refused(self, request: Request, error: JiesuError) -> Response:
        """The page that tells of an error of ours."""
        status = problems.status_of(error)
        page = self.page(request, "refused.html", None, status, title=self.told(request, error))
        page.headers.update({name: value for name, value in problems.headers_of(error).items() if name == RETRY})
        return page

    def told(self, request: Request, error: JiesuError) -> str:
        """What a page says of an error, in its language; of a fault of ours nothing but that."""
        say = tongue.speaker(tongue.tongue_of(request))
        if problems.status_of(error) == 500:
            logger.error("failed", exc_info=error)
            return say(problems.INSIDE)
        return say(cleandoc(type(error).__doc__ or "")).format(**error.fields)
