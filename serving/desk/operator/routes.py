"""`/desk`: the page, and what it asks while somebody types."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request
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
from serving.times import millis

SMALL = 4096  # bytes of a body that holds no petition
ROOM = 65_536  # bytes of a body beside the text
# Why units give tickets back, in words that `nlp/rules/returns.toml` knows.
REASONS = ("不属本单位职责", "不属辖区", "地址不清", "重复，已有工单", "无执法权，需上级", "对派单有异议")


def routes(pages: Pages) -> APIRouter:
    """The operator's desk."""
    router, service = APIRouter(), pages.service
    recents = Recents(service.journal, service.settings.now)

    async def page(request: Request, who: Who) -> Response:
        recents.renew()  # what is to be read first is read while the page loads
        most = service.settings.max_body - ROOM
        return pages.page(
            request, "operator.html", who, sample=SAMPLE, reasons=REASONS, read_at_most=READ_AT_MOST, most=most
        )

    async def taxonomy(request: Request) -> Response:
        await service.access.admit(request, Scope.operator)
        return told(await run_in_threadpool(codes, service.office.decider.model.taxonomy))

    async def suggested(request: Request) -> Response:
        who = await service.access.admit(request, Scope.operator)
        body = await body_of(request, service.settings.max_body)
        return told(await suggest(service, recents, who, Asked.model_validate_json(body)))

    async def settled(request: Request) -> Response:
        who = await service.access.admit(request, Scope.operator)
        body = await body_of(request, service.settings.max_body)

        async def answer(repeat: Repeat | None) -> bytes:
            return await settle(service, who, Settling.model_validate_json(body), repeat)

        return await once(service, request, who, body, answer)

    async def reveal(request: Request) -> Response:
        who = await service.access.admit(request, Scope.operator)
        shown = Revealed.model_validate_json(await body_of(request, SMALL))
        number = service.office.decider.reader.fields(["", shown.id]).masked(1)
        record = Record(
            id=ulid_now(), at=millis(service.settings.now()), actor=who.key, action="reveal", object=storable(number),
            detail={"fields": ",".join(shown.fields), "operator": who.name},
        )  # fmt: skip
        await service.journal.write(lambda unit: unit.note(record))
        return Response(status_code=204)

    pages.add(router, "/desk", Scope.operator, page)
    router.add_api_route("/desk/taxonomy", taxonomy, methods=["GET"])
    for path, asked in (("/desk/suggest", suggested), ("/desk/settle", settled), ("/desk/reveal", reveal)):
        router.add_api_route(path, asked, methods=["POST"])
    return router


def told(content: object) -> Response:
    """An answer as JSON."""
    return Response(orjson.dumps(content), media_type="application/json")
