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

from nlp.errors import InputError, JiesuError
from serving.schema import Fault, Problem

logger = logging.getLogger("jiesu")
MOST_FAULTS = 20


class TooLarge(InputError):
    """请求体超过 {limit} 字节的上限"""


class BadKey(InputError):
    """缺少有效的访问密钥"""


def problem(status: int, detail: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None) -> Response:
    """A response with problem details."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(faults))
    content = orjson.dumps(body.model_dump())
    return Response(content, status, headers, media_type="application/problem+json")


def faults_of(errors: Sequence[ErrorDetails | dict[str, Any]]) -> list[Fault]:
    """Validation errors as paths like `petitions[3].text`; values are never repeated."""
    return [Fault(path=path_of(error["loc"]), message=error["msg"]) for error in errors[:MOST_FAULTS]]


def path_of(places: Sequence[int | str]) -> str:
    """A location as a path."""
    path = "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)
    return path.removeprefix(".") or "$"


def invalid(error: ValidationError | RequestValidationError) -> Response:
    """422 that names each place."""
    details = (
        error.errors(include_url=False, include_input=False) if isinstance(error, ValidationError) else error.errors()
    )
    faults = faults_of(details)
    first = faults[0]
    return problem(422, f"请求有 {len(details)} 处不合格式，第一处在 {first.path}：{first.message}", faults)


def install(app: FastAPI) -> None:
    """Answer every error of the app with problem details."""
    statuses: dict[type[JiesuError], int] = {TooLarge: 413, BadKey: 401}

    @app.exception_handler(ValidationError)
    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, ValidationError | RequestValidationError)  # noqa: S101 - what it is registered for
        return invalid(error)

    @app.exception_handler(JiesuError)
    async def on_error(_: Request, error: Exception) -> Response:
        if isinstance(error, InputError):
            status = statuses.get(type(error), 422)
            headers = {"www-authenticate": "Bearer"} if status == 401 else None
            faults = [Fault(path=error.path, message=str(error))] if error.path else []
            return problem(status, str(error), faults, headers)
        logger.error("failed", exc_info=error)
        return problem(500, "服务内部出错，详情见日志")

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        return problem(error.status_code, str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def on_crash(_: Request, error: Exception) -> Response:
        logger.error("crashed", exc_info=error)
        return problem(500, "服务内部出错，详情见日志")
