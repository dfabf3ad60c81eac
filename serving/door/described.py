"""Described: how a door that reads its body itself is told in the OpenAPI description."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from serving.schema import Problem

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
STATUSES = (400, 401, 403, 404, 408, 409, 413, 422, 429, 503, 504)
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[!-~]+$"},
    "description": "同一个键和同样的请求再来一次，得到第一次的答复",
}


class Direct(APIRoute):
    """A route whose endpoint takes the request as it is, without FastAPI's own parsing and encoding."""

    def get_route_handler(self) -> Handler:
        """The endpoint itself."""
        return self.endpoint


def described(request: type[BaseModel], reply: Any = None) -> dict[str, Any]:
    """What `add_api_route` wants to know of such a door: what it reads, what it answers, how it fails."""
    content = {"application/json": {"schema": inlined(request.model_json_schema())}}
    return {
        "response_model": reply,
        "responses": REPLIES,
        "openapi_extra": {"requestBody": {"required": True, "content": content}, "parameters": [IDEMPOTENCY]},
        "route_class_override": Direct,
    }


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON schema with its `$defs` put where they are referred to, as OpenAPI needs it here."""
    definitions = schema.pop("$defs", {})

    def walk(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return walk(definitions[node["$ref"].rsplit("/", 1)[-1]])
            return {key: walk(value) for key, value in node.items()}
        return [walk(item) for item in node] if isinstance(node, list) else node

    result: dict[str, Any] = walk(schema)
    return result


REPLIES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {"application/problem+json": {"schema": inlined(Problem.model_json_schema())}},
    }
    for status in STATUSES
}
