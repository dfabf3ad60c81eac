"""Pages: templates filled in for whoever is signed in, each under the strictest policy that it can do with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
NAVIGATION = (
    ("/desk", "坐席台", Scope.operator), ("/data", "数据台", Scope.data),
    ("/backlog", "存量台", Scope.batch), ("/overview", "总览", Scope.data),
)  # fmt: skip
Draw = Callable[[Request, Who], Awaitable[Response]]


class Pages:
    """The pages of a service. Every template gets `who`, `page` (its address), `csrf`, `lang`, `_` and `asset`."""

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
            navigation=[(path, name) for path, name, scope in NAVIGATION if who and who.scope.covers(scope)],
            signed_in=bool(getattr(request.state, "csrf", "")), **data,
        )  # fmt: skip
        response = HTMLResponse(content, status, {"content-security-policy": POLICY.format(ancestors=framed)})
        if tongue.ASKED in request.query_params:
            response.set_cookie(tongue.COOKIE, language, max_age=31_536_000, httponly=True, samesite="lax")
        return response

    def refused(self, request: Request, error: JiesuError) -> Response:
        """The page that tells of an error of ours."""
        status = problems.status_of(error)
        told = str(error) if status < 500 or status == 503 else problems.INSIDE
        return self.page(request, "refused.html", None, status, title=told)
