"""Tongue: an adapter answers in the words of its callers, its refusals too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from serving.door.described import STATUSES, inlined

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = Callable[..., Awaitable[Response]]
OF_THE_BODY = {"content-type", "content-length"}
ERROR = {"application/json": {"schema": {"type": "object"}}}


@dataclass(frozen=True)
class Tongue:
    """How callers of an adapter hear of errors.

    tell: what is said, as plain data, of an HTTP status and a message. statuses: the HTTP status elsewhere in this
    service → that of the tongue, where it is another.
    """

    tell: Callable[[int, str], object]
    statuses: Mapping[int, int] = field(default_factory=dict)

    def router(self) -> APIRouter:
        """A router whose endpoints take the request as it is and the names of their path, and whose errors are told."""
        tongue = self

        class Spoken(APIRoute):
            """A route that speaks the tongue."""

            def get_route_handler(self) -> Handler:
                """The endpoint, its errors retold."""
                return tongue.spoken(self.endpoint)

        return APIRouter(route_class=Spoken)

    def spoken(self, endpoint: Endpoint) -> Handler:
        """The same endpoint; what it raises is answered in the tongue."""

        async def handle(request: Request) -> Response:
            try:
                return await endpoint(request, **request.path_params)
            except Exception as error:
                return self.retold(await problem_of(request, error))

        return handle

    def retold(self, problem: Response) -> Response:
        """Problem details in the tongue; headers like Retry-After stay."""
        status = self.statuses.get(problem.status_code, problem.status_code)
        headers = {name: value for name, value in problem.headers.items() if name not in OF_THE_BODY}
        return told(self.tell(status, orjson.loads(problem.body)["detail"]), status, headers)

    def reads(self, request: Mapping[str, Any] | type[BaseModel]) -> dict[str, Any]:
        """What the OpenAPI description says of an endpoint that reads this JSON: a model, or a schema."""
        schema = request if isinstance(request, Mapping) else inlined(request.model_json_schema())
        content = {"application/json": {"schema": schema}}
        return {"responses": self.replies, "openapi_extra": {"requestBody": {"required": True, "content": content}}}

    @property
    def replies(self) -> dict[int | str, dict[str, Any]]:
        """The errors of an endpoint, for its OpenAPI description."""
        statuses = {self.statuses.get(status, status) for status in STATUSES}
        return {status: {"description": HTTPStatus(status).phrase, "content": ERROR} for status in sorted(statuses)}


def told(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Plain data and dataclasses as a JSON response."""
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


async def problem_of(request: Request, error: Exception) -> Response:
    """The problem details of an error by the app's own handlers, so that one place alone says what an error is."""
    handlers = request.app.exception_handlers
    kind = next((kind for kind in type(error).__mro__ if kind in handlers), None)
    if kind is None:
        raise error
    response: Response = await handlers[kind](request, error)
    return response
