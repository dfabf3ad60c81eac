"""The doors of calls: turns by request, and by WebSocket."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.websockets import WebSocket

from serving.access.scope import Scope
from serving.calls.line import Line
from serving.calls.socket import Stream
from serving.calls.turns import CallReply, CallText
from serving.door.body import body_of
from serving.door.described import described
from serving.journal.unit import Unit
from serving.repeats import Repeat, once
from serving.service import Service

ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "通话的编号，由来源系统定",
}


def routes(service: Service) -> APIRouter:
    """`POST /v1/calls/{id}/text` and the WebSocket `/v1/calls/{id}/stream`."""
    router, line = APIRouter(), Line(service)

    async def text(request: Request) -> Response:
        """收下一通电话的话轮，答复到此为止的决定；结束时写下决定。"""
        who = await service.access.admit(request, Scope.operator)
        body = await body_of(request, service.settings.max_body)

        async def answer(repeat: Repeat | None) -> bytes:
            def closing(unit: Unit, reply: bytes) -> None:
                if repeat:
                    repeat.finish(unit, reply)

            said = CallText.model_validate_json(body)
            return await line.take(request.path_params["id"], said, who, closing if repeat else None)

        return await once(service, request, who, body, answer)

    told = described(CallText, CallReply)
    told["openapi_extra"]["parameters"] = [ID, *told["openapi_extra"]["parameters"]]
    router.add_api_route("/v1/calls/{id}/text", text, methods=["POST"], **told)

    async def stream(websocket: WebSocket) -> None:
        await Stream(service, line, websocket).run()

    router.add_api_websocket_route("/v1/calls/{id}/stream", stream)
    return router
