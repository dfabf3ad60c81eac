"""The doors of batches: send one, see how far it is, fetch what came of it, cancel it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from serving.access.scope import Scope
from serving.batches.batch import BatchesReply, BatchReply
from serving.batches.desk import Desk
from serving.batches.options import Again, Options
from serving.batches.parts import Part
from serving.batches.upload import FORM, Full
from serving.door.described import IDEMPOTENCY, REPLIES, Direct, inlined
from serving.door.described import described as body_described
from serving.problems import problem
from serving.service import Service

PATH = "/v1/batches"
FULL = 507  # RFC 4918, 11.5
FILES: dict[int | str, dict[str, Any]] = {
    **REPLIES,
    200: {"description": "文件", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "文件的一段", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    416: {"description": "没有这一段"},
}


def routes(service: Service) -> APIRouter:
    """`POST`, `GET /v1/batches`; `GET`, `DELETE /v1/batches/{id}`; `GET /v1/batches/{id}/result`."""
    router, desk = APIRouter(), Desk(service)

    async def take(request: Request) -> Response:
        """送来一批积压的工单：表单（file 和各选项），或文件本身（选项和 filename 写在网址里）。"""
        who = await service.access.admit(request, Scope.batch)
        try:
            return await desk.take(request, who)
        except Full as error:
            return problem(FULL, str(error))

    router.add_api_route(PATH, take, methods=["POST"], **described())

    @router.get(PATH, response_model=BatchesReply)
    async def listed(request: Request) -> dict[str, object]:
        """这个密钥送来的各批，新的在前，最多一百批。"""
        who = await service.access.admit(request, Scope.batch)
        return {"batches": await desk.listed(who)}

    @router.get(f"{PATH}/{{id}}", response_model=BatchReply)
    async def progress(request: Request, id: str) -> dict[str, object]:  # noqa: A002
        """办到哪里了。"""
        who = await service.access.admit(request, Scope.batch)
        return desk.told(await desk.find(id, who))

    @router.delete(f"{PATH}/{{id}}", response_model=BatchReply)
    async def cancel(request: Request, id: str) -> dict[str, object]:  # noqa: A002
        """不办了，删去它的文件；已经办完的也这样删去文件。"""
        who = await service.access.admit(request, Scope.batch)
        return desk.told(await desk.cancel(await desk.find(id, who), who))

    async def again(request: Request) -> Response:
        """用这一批上传的文件再办一次，选项可以改：试运行之后正式办，或改了列再试。时刻与那一批相同。"""
        who = await service.access.admit(request, Scope.batch)
        return await desk.again(request, await desk.find(request.path_params["id"], who), who)

    router.add_api_route(f"{PATH}/{{id}}/again", again, methods=["POST"], **repeated())

    @router.get(f"{PATH}/{{id}}/result", response_class=Response, responses=FILES)
    async def result(request: Request, id: str, part: Part = Part.result) -> Response:  # noqa: A002
        """取文件：结果、读不了的行、清单、变更报告；没办完时答 409。可分段取（Range）。"""
        who = await service.access.admit(request, Scope.batch)
        found = await desk.part(await desk.find(id, who), part, who)
        return FileResponse(found.path, media_type=found.type, filename=found.name)

    return router


def repeated() -> dict[str, Any]:
    """The same for a batch that is decided once more."""
    told = body_described(Again, BatchReply)
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    told["openapi_extra"]["parameters"] = [IDEMPOTENCY | {"required": True}, number]
    return told


def described() -> dict[str, Any]:
    """What `add_api_route` wants to know of the upload: a form, or the file with its options in the address."""
    options = inlined(Options.model_json_schema())["properties"]
    options["columns"] = {"type": "string", "description": options["columns"]["description"]}
    file = {"type": "string", "format": "binary", "description": "CSV、XLSX、JSONL 或 Parquet 文件"}
    form = {"type": "object", "properties": {"file": file, **options}, "required": ["file"]}
    content = {
        FORM: {"schema": form},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }
    named = {"filename": {"type": "string", "description": "文件名；只在直接送文件时要"}, **options}
    queries = [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": schema.get("description", "")}
        for name, schema in named.items()
    ]
    return {
        "response_model": BatchReply,
        "responses": {**REPLIES, FULL: {**REPLIES[413], "description": "放不下"}},
        "openapi_extra": {
            "requestBody": {"required": True, "content": content},
            "parameters": [IDEMPOTENCY | {"required": True}, *queries],
        },
        "route_class_override": Direct,
    }
