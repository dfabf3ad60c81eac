"""`/backlog`: files and tables of old tickets, from the trial to the change and back."""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from serving.access.scope import Scope
from serving.access.who import Who
from serving.batches.desk import Desk
from serving.batches.folder import Folder, root_of
from serving.batches.options import SUFFIXES, Format
from serving.batches.parts import PAGE, Part
from serving.desk.backlog import drawing
from serving.desk.backlog.changes import Changes
from serving.desk.backlog.errands import APPLY, REPORT, UNDO, folder_of, hidden
from serving.desk.backlog.found import found
from serving.desk.backlog.report import framed
from serving.desk.pages import Pages
from serving.door.body import body_of

SMALL = 4096  # bytes of what a page asks for
SHOWN = 12  # lines of what a command told


class Wanted(BaseModel):
    """The table that is to be tried."""

    model_config = ConfigDict(extra="forbid")

    table: Annotated[str, Field(max_length=200)]


class Step(BaseModel):
    """What is to be done about a change."""

    model_config = ConfigDict(extra="forbid")

    step: Literal["apply", "undo", "cancel"]


def routes(pages: Pages) -> APIRouter:
    """The pages of the backlog desk, and what they ask."""
    router, changes = APIRouter(), Changes(pages.service)  # a list of tables that is wrong stops the start
    _files(router, pages, changes)
    _tables(router, pages, changes)
    return router


def _files(router: APIRouter, pages: Pages, changes: Changes) -> None:
    service, desk = pages.service, Desk(pages.service)
    root = root_of(service.settings)

    async def overview(request: Request, who: Who) -> Response:
        profiles = [(one.name, one.told["title"]) for one in service.office.decider.router.profiles]
        return pages.page(
            request, "backlog/overview.html", who, batches=await desk.listed(who), tables=changes.tables.table,
            changes=await changes.all(), suffixes=list(SUFFIXES), formats=list(Format), profiles=profiles,
            profile=service.settings.profile, d=drawing, days=service.settings.keep_batch_days,
        )  # fmt: skip

    async def batch(request: Request, who: Who) -> Response:
        one = await desk.find(request.path_params["id"], who)
        listed = await desk.listed(who)
        return pages.page(
            request, "backlog/batch.html", who, batch=desk.told(one), formats=list(Format), d=drawing,
            found=found(Folder(root, one.id), one.asked.options.columns), options=one.asked.options,
            days=service.settings.keep_batch_days, later=[other for other in listed if other["origin"] == one.id],
        )  # fmt: skip

    async def report(request: Request, who: Who) -> Response:
        one = await desk.find(request.path_params["id"], who)
        return await framed((await desk.part(one, Part.report, who)).path)

    pages.add(router, "/backlog", Scope.batch, overview)
    pages.add(router, "/backlog/{id}", Scope.batch, batch)
    pages.add(router, "/backlog/{id}/report", Scope.batch, report)


def _tables(router: APIRouter, pages: Pages, changes: Changes) -> None:
    service = pages.service

    async def change(request: Request, who: Who) -> Response:
        one = await changes.find(request.path_params["id"])
        return pages.page(request, "backlog/change.html", who, change=one, d=drawing, shown=SHOWN)

    async def report(request: Request, who: Who) -> Response:
        one = await changes.find(request.path_params["id"])
        return await framed(
            folder_of(service.settings, one.id) / REPORT / PAGE, hidden(changes.tables.named(one.table))
        )

    async def preview(request: Request) -> Response:
        who = await service.access.admit(request, Scope.batch)
        wanted = Wanted.model_validate_json(await body_of(request, SMALL))
        errand = await changes.preview(changes.tables.named(wanted.table), who)
        return Response(orjson.dumps({"id": errand.id}), media_type="application/json")

    async def step(request: Request) -> Response:
        who = await service.access.admit(request, Scope.batch)
        wanted = Step.model_validate_json(await body_of(request, SMALL)).step
        one = await changes.find(request.path_params["id"])
        if wanted in (APPLY, UNDO):
            await changes.step(one, wanted, who)
        elif one.live:
            await changes.book.cancel(one.live, who)
        return Response(orjson.dumps({"id": one.id}), media_type="application/json")

    pages.add(router, "/backlog/changes/{id}", Scope.batch, change)
    pages.add(router, "/backlog/changes/{id}/report", Scope.batch, report)
    router.add_api_route("/backlog/changes", preview, methods=["POST"])
    router.add_api_route("/backlog/changes/{id}", step, methods=["POST"])
