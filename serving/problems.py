"""Errors as problem details (RFC 9457): the one place where an error becomes HTTP."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketState

from nlp.errors import InputError, JiesuError
from serving.access.access import BadKey, WrongScope
from serving.access.limits import TooMany
from serving.audit.chain import ChainBroken
from serving.errors import Clash, Malformed, Missing
from serving.schema import Fault, Problem, path_of
from serving.store.engine import StoreDown

logger = logging.getLogger("jiesu")
MOST_FAULTS = 20
INSIDE = "服务内部出错，详情见日志"


class TooLarge(InputError):
    """请求体超过 {limit} 字节的上限"""


# The status of each kind of error; the closest class of an error counts.
STATUSES: dict[type[BaseException], int] = {
    Malformed: 400, BadKey: 401, WrongScope: 403, Missing: 404, Clash: 409, TooLarge: 413, InputError: 422,
    TooMany: 429, StoreDown: 503, ChainBroken: 503,
}  # fmt: skip


def problem(status: int, detail: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None) -> Response:
    """A response with problem details."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(faults))
    content = orjson.dumps(body.model_dump())
    return Response(content, status, headers, media_type="application/problem+json")


def faults_of(errors: Sequence[ErrorDetails | dict[str, Any]]) -> list[Fault]:
    """Validation errors as paths like `petitions[3].text`; values are never repeated."""
    return [Fault(path=path_of(error["loc"]), message=error["msg"]) for error in errors[:MOST_FAULTS]]


def invalid(error: ValidationError | RequestValidationError) -> Response:
    """422 that names each place."""
    details = (
        error.errors(include_url=False, include_input=False) if isinstance(error, ValidationError) else error.errors()
    )
    faults = faults_of(details)
    first = faults[0]
    return problem(422, f"请求有 {len(details)} 处不合格式，第一处在 {first.path}：{first.message}", faults)


def status_of(error: JiesuError) -> int:
    """The status of an error of ours."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), 500)


def refused(error: JiesuError) -> Response:
    """The answer to an error of ours."""
    status = status_of(error)
    if status == 500:
        logger.error("failed", exc_info=error)
        return problem(500, INSIDE)
    path = getattr(error, "path", "")
    return problem(status, str(error), [Fault(path=path, message=str(error))] if path else [], headers_of(error))


def headers_of(error: JiesuError) -> dict[str, str]:
    """What a client can do about an error: show another key, or come back after some whole seconds."""
    if isinstance(error, BadKey):
        return {"www-authenticate": "Bearer"}
    if isinstance(error, TooMany):
        return {"retry-after": str(error.fields["retry"])}
    return {"retry-after": "1"} if isinstance(error, StoreDown) else {}


async def sent(connection: HTTPConnection, response: Response) -> Response:
    """The response itself, which Starlette sends; a WebSocket that is not open yet gets it as its refusal.

    One that is open is closed: 1008 where the client is to blame, 1013 where it may try again later, else 1011
    (RFC 6455, and IANA's list).
    """
    if isinstance(connection, WebSocket):
        if connection.application_state is WebSocketState.CONNECTING:
            await connection.send_denial_response(response)
        elif connection.application_state is WebSocketState.CONNECTED:
            status = response.status_code
            await connection.close(1013 if status in {429, 503} else 1011 if status >= 500 else 1008)
    return response


def install(app: FastAPI) -> None:
    """Answer every error of the app with problem details."""

    @app.exception_handler(ValidationError)
    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: HTTPConnection, error: Exception) -> Response:
        assert isinstance(error, ValidationError | RequestValidationError)  # noqa: S101 - what it is registered for
        return await sent(request, invalid(error))

    @app.exception_handler(JiesuError)
    async def on_error(request: HTTPConnection, error: Exception) -> Response:
        assert isinstance(error, JiesuError)  # noqa: S101
        return await sent(request, refused(error))

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def on_crash(_: Request, error: Exception) -> Response:
        logger.error("crashed", exc_info=error)
        return problem(500, INSIDE)
