"""`/desk`: the page, and what it asks while somebody types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from ulid_transform import ulid_now

from nlp.reader import READ_AT_MOST
from serving.access.scope import Scope
from serving.access.who import Who
from serving.audit.record import Record
from serving.desk.operator.asked import Asked, Revealed, Settling
from serving.desk.operator.codes import codes
from serving.desk.operator.recent import Recents
from serving.desk.operator.settle import settle
from serving.desk.operator.suggest import suggest
from serving.desk.pages import Pages
from serving.door.body import body_of
from serving.journal.decided import storable
from serving.repeats import Repeat, once
from serving.sample import SAMPLE
from serving.service import Service
from serving.times import millis

SMALL = 4096  # bytes of a body that holds no petition
ROOM = 65_536  # bytes of a body beside the text
# Why units give tickets back, in words that `nlp/rules/returns.toml` knows.
REASONS = ("不属本单位职责", "不属辖区", "地址不清", "重复，已有工单", "无执法权，需上级", "对派单有异议")


class Desk:
    """What the page asks of a service while somebody types; each answers a request."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.recents = Recents(service.journal, service.settings.now)

    async def taxonomy(self, request: Request) -> Response:
        """The codes that can be chosen."""
        await self._service.access.admit(request, Scope.operator)
        return told(codes(self._service.office.decider.model.taxonomy))

    async def suggest(self, request: Request) -> Response:
        """What a petition seems to be so far."""
        who = await self._service.access.admit(request, Scope.operator)
        body = await body_of(request, self._service.settings.max_body)
        return told(await suggest(self._service, self.recents, who, Asked.model_validate_json(body)))

    async def settle(self, request: Request) -> Response:
        """The decision on a petition and what the operator says of it, once for an Idempotency-Key."""
        who = await self._service.access.admit(request, Scope.operator)
        body = await body_of(request, self._service.settings.max_body)

        async def answer(repeat: Repeat | None) -> bytes:
            return await settle(self._service, who, Settling.model_validate_json(body), repeat)

        return await once(self._service, request, who, body, answer)

    async def reveal(self, request: Request) -> Response:
        """Note that somebody has what was typed shown to them; what it is never leaves their page."""
        service = self._service
        who = await service.access.admit(request, Scope.operator)
        shown = Revealed.model_validate_json(await body_of(request, SMALL))
        number = service.office.decider.reader.fields(["", shown.id]).masked(1)
        record = Record(
            id=ulid_now(), at=millis(service.settings.now()), actor=who.key, action="reveal", object=storable(number),
            detail={"fields": ",".join(shown.fields), "operator": who.name},
        )  # fmt: skip
        await service.journal.write(lambda unit: unit.note(record))
        return Response(status_code=204)


def routes(pages: Pages) -> APIRouter:
    """The operator's desk."""
    desk = Desk(pages.service)
    limit = pages.service.settings.max_body
    most = max(limit - ROOM, limit // 2)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(desk.recents.close)

    async def page(request: Request, who: Who) -> Response:
        desk.recents.renew()  # what is to be read first is read while the page loads
        return pages.page(
            request, "operator.html", who, sample=SAMPLE, reasons=REASONS, read_at_most=READ_AT_MOST, most=most
        )

    router = APIRouter(lifespan=living)
    pages.add(router, "/desk", Scope.operator, page)
    router.add_api_route("/desk/taxonomy", desk.taxonomy, methods=["GET"])
    for path, asked in (("suggest", desk.suggest), ("settle", desk.settle), ("reveal", desk.reveal)):
        router.add_api_route(f"/desk/{path}", asked, methods=["POST"])
    return router


def told(content: object) -> Response:
    """An answer as JSON."""
    return Response(orjson.dumps(content), media_type="application/json")
