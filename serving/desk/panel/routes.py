"""The doors of the panel: its page within a frame, the element that an agent desktop loads, and a desktop to try it."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter, Request
from fastapi.responses import Response

from serving.access.access import BadKey, WrongScope
from serving.access.cookie import SESSION, cookie
from serving.access.scope import Scope
from serving.access.who import Who
from serving.desk import assets
from serving.desk.pages import Pages
from serving.desk.panel.calls import CALLS

ELEMENT = "jiesu-panel.js"
# Any site may load the element, as a classic script or as a module: it says nothing that is not public. Which sites
# may show the panel itself is settled by `frame-ancestors`. Its address stays the same, so it is kept for short.
OPEN = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "public, max-age=300",
}


def routes(pages: Pages) -> APIRouter:
    """`/panel`, `/panel/jiesu-panel.js`, `/panel/demo`."""
    router, settings, access = APIRouter(), pages.service.settings, pages.service.access

    async def greet(request: Request) -> None:
        """Let the browser's own session, if there is one, do for a key; a frame within another site has none."""
        if cookie(request, SESSION):
            with suppress(BadKey, WrongScope):
                await access.admit(request, Scope.operator)

    @router.get("/panel")
    async def panel(request: Request) -> Response:
        """The page within the frame; it holds nothing of anybody. The key is the desktop's, or the cookie's."""
        await greet(request)
        ancestors = " ".join(("'self'", *settings.panel_origins))
        return pages.page(request, "panel.html", None, framed=ancestors, origins=settings.panel_origins)

    @router.get(f"/panel/{ELEMENT}")
    async def element() -> Response:
        return Response(assets.content(ELEMENT), headers=OPEN, media_type="text/javascript")

    async def demo(request: Request, who: Who) -> Response:
        return pages.page(request, "panel-demo.html", who, calls=CALLS)

    pages.add(router, "/panel/demo", Scope.operator, demo)
    return router
