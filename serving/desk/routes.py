"""The desk as a whole: every page, the sign-in before them, and what they load."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from serving.desk import assets, signin
from serving.desk.pages import Pages
from serving.service import Service


def routes(service: Service) -> APIRouter:
    """`/`, `/login`, `/assets/…` and all pages."""
    router, pages = APIRouter(include_in_schema=False), Pages(service)

    @router.get("/")
    async def first(_: Request) -> Response:
        return RedirectResponse("/desk", 303)

    for part in (assets.routes(), signin.routes(pages)):
        router.include_router(part)
    return router
