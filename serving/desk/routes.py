"""The desk as a whole: every page, the sign-in before them, and what they load."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from serving.desk import assets, signin
from serving.desk.backlog import routes as backlog
from serving.desk.data import routes as data
from serving.desk.operator import routes as operator
from serving.desk.overview import routes as overview
from serving.desk.pages import Pages
from serving.desk.panel import routes as panel
from serving.service import Service

PARTS = (signin, operator, data, backlog, panel, overview)


def routes(service: Service) -> APIRouter:
    """`/`, `/login`, `/assets/…` and all pages."""
    router, pages = APIRouter(include_in_schema=False), Pages(service)

    @router.get("/")
    async def first(_: Request) -> Response:
        return RedirectResponse("/desk", 303)

    router.include_router(assets.routes())
    for part in PARTS:
        router.include_router(part.routes(pages))
    return router
