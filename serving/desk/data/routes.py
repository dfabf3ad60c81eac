"""The doors of the data desk: its pages, and what they ask for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from serving.access.scope import Scope
from serving.access.who import Who
from serving.batches.upload import Full
from serving.desk.data import errands as kinds
from serving.desk.data import report, wishes
from serving.desk.data.drawing import Drawing, NothingThere
from serving.desk.data.labelling import Answer, Labelling
from serving.desk.data.settling import Said, Settling, taxonomy_of
from serving.desk.data.uploads import Uploads
from serving.desk.overview.ticket import noted
from serving.desk.pages import Pages
from serving.door.body import body_of
from serving.errands.book import Book
from serving.errands.errand import Errand
from serving.problems import problem

LARGEST = 65_536  # bytes of what a page asks
FULL = 507
T = TypeVar("T", bound=BaseModel)
To = dict[str, str]


class Columns(BaseModel):
    """Role → the columns that somebody chose for it."""

    model_config = ConfigDict(extra="forbid")

    columns: dict[str, list[str]]


def routes(pages: Pages) -> APIRouter:
    """`/data` and what lies below it."""
    router, service = APIRouter(), pages.service
    uploads, book = Uploads(service), Book(service.journal, service.settings)
    drawing = Drawing(pages, uploads, book)
    for path, draw in (
        ("/data", drawing.overview), ("/data/uploads/{id}", drawing.upload), ("/data/errands/{id}", drawing.errand),
        ("/data/models", drawing.models), ("/data/label", drawing.lists), ("/data/label/{id}", drawing.label),
        ("/data/suspects/{id}", drawing.suspects), ("/data/opinions", drawing.opinions),
        ("/data/tickets/{id}", drawing.ticket),
    ):  # fmt: skip
        pages.add(router, path, Scope.data, draw)
    door = Door(pages, uploads, book)
    for method, path, answer in (
        ("POST", "/data/uploads", door.take), ("POST", "/data/uploads/{id}/columns", door.columns),
        ("DELETE", "/data/uploads/{id}", door.remove), ("POST", "/data/errands/{id}/cancel", door.cancel),
        ("GET", "/data/errands/{id}/{name}", door.file), ("POST", "/data/label/{id}/answers", door.label),
        ("GET", "/data/label/{id}/training.jsonl", door.labelled), ("POST", "/data/suspects/{id}/answers", door.settle),
    ):  # fmt: skip
        router.add_api_route(path, answer, methods=[method], response_model=None)
    for name, put in door.wishes().items():
        router.add_api_route(f"/data/{name}", put, methods=["POST"], response_model=None)
    return router


class Door:
    """What the pages have done; every answer tells the page where to go on."""

    def __init__(self, pages: Pages, uploads: Uploads, book: Book) -> None:
        self._service = pages.service
        self._uploads = uploads
        self._book = book

    async def _who(self, request: Request) -> Who:
        return await self._service.access.admit(request, Scope.data)

    def wishes(self) -> dict[str, Callable[[Request], Awaitable[To]]]:
        """The doors at which an errand is asked for, by name."""
        desk = wishes.Desk(self._service, self._uploads, self._book)

        def door(kind: type[T], put: Callable[[T, Who], Awaitable[Errand]]) -> Callable[[Request], Awaitable[To]]:
            async def asked(request: Request) -> To:
                who = await self._who(request)
                errand = await put(await _read(request, kind), who)
                return {"id": errand.id, "to": f"/data/errands/{errand.id}"}

            return asked

        return {
            "fit": door(wishes.Fit, desk.fit), "promote": door(wishes.Promote, desk.promote),
            "rollback": door(wishes.Rollback, desk.rollback), "freeze": door(wishes.Freeze, desk.freeze),
            "next": door(wishes.Next, desk.next),
        }  # fmt: skip

    async def take(self, request: Request) -> To | Response:
        """Take a file in: its name stands in the address, or in the form that it comes in."""
        who = await self._who(request)
        try:
            upload = await self._uploads.take(request, who)
        except Full as error:
            return problem(FULL, str(error))
        return {"id": upload.id, "to": f"/data/uploads/{upload.id}"}

    async def columns(self, request: Request, id: str) -> To:  # noqa: A002
        """Take other columns of an upload."""
        who = await self._who(request)
        upload = await self._uploads.find(id)
        await self._uploads.choose(upload, (await _read(request, Columns)).columns, who)
        return {"id": id, "to": f"/data/uploads/{id}"}

    async def remove(self, request: Request, id: str) -> To:  # noqa: A002
        """Remove an upload."""
        who = await self._who(request)
        await self._uploads.remove(await self._uploads.find(id), who)
        return {"to": "/data"}

    async def cancel(self, request: Request, id: str) -> To:  # noqa: A002
        """Have an errand stopped."""
        who = await self._who(request)
        await self._book.cancel(await self._book.find(id, kinds.KINDS), who)
        return {"to": f"/data/errands/{id}"}

    async def file(self, request: Request, id: str, name: str) -> Response:  # noqa: A002
        """A file of a report; with `?save` for the browser to keep."""
        who = await self._who(request)
        errand, saved = await self._book.find(id, [kinds.FIT]), "save" in request.query_params
        reply = report.handed(self._uploads.folder.report(errand.id), name, saved=saved)
        await noted(self._service, who, "export" if saved else "list", errand.id)
        return reply

    async def label(self, request: Request, id: str) -> dict[str, int]:  # noqa: A002
        """Keep an answer of somebody who labels."""
        who = await self._who(request)
        answer, labelling = await _read(request, Answer), await self._list(id)
        taxonomy = self._service.office.decider.model.taxonomy
        await run_in_threadpool(labelling.take, answer, taxonomy, who.name, self._now())
        return {"number": answer.number}

    async def labelled(self, request: Request, id: str) -> Response:  # noqa: A002
        """The labelled petitions of a list, as training data."""
        who = await self._who(request)
        rows = b"".join((await self._list(id)).rows())
        await noted(self._service, who, "export", id)
        headers = {"content-disposition": 'attachment; filename="training.jsonl"'}
        return Response(rows, headers=headers, media_type="application/jsonl")

    async def settle(self, request: Request, id: str) -> dict[str, int]:  # noqa: A002
        """Keep what somebody says of a doubted label."""
        who = await self._who(request)
        said, errand = await _read(request, Said), await self._book.find(id, [kinds.FIT])
        folder = self._uploads.folder
        taxonomy = await run_in_threadpool(taxonomy_of, folder.models(errand.id))
        if taxonomy is None:
            raise NothingThere
        upload = await self._uploads.find(errand.asked["upload"])
        settling = await run_in_threadpool(Settling.read, folder, errand.id, upload.id)
        await run_in_threadpool(settling.take, said, taxonomy, who.name, self._now())
        return {"number": said.number}

    async def _list(self, id_: str) -> Labelling:
        errand = await self._book.find(id_, [kinds.NEXT])
        return await run_in_threadpool(Labelling.read, self._uploads.folder, errand.id)

    def _now(self) -> str:
        return self._service.settings.now().isoformat(timespec="seconds")


async def _read(request: Request, kind: type[T]) -> T:
    """What a page asks; raises `ValidationError`, `TooLarge`."""
    return kind.model_validate_json(await body_of(request, LARGEST))
