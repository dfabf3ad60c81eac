"""Forms: `application/x-www-form-urlencoded` in UTF-8, with bounds on how much a client may make of it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request
from pydantic_core import PydanticCustomError

from nlp.errors import InputError
from serving.door.body import body_of
from serving.schema import DATE, YEARS

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 100


class BadForm(InputError):
    """表单读不了：{reason}"""


async def form_of(request: Request, limit: int) -> list[tuple[str, str]]:
    """The fields of a form in the order in which they were sent; anything but a form is refused unread."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise HTTPException(415, f"只收 {FORM} 表单")
    return fields_of(await body_of(request, limit))


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form's body; raises `BadForm` for other encodings and for more than `MOST_FIELDS`."""
    if body.count(b"&") >= MOST_FIELDS:
        raise BadForm(reason=f"字段多于 {MOST_FIELDS} 个")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadForm(reason="不是 UTF-8 编码") from error


def form_body(*names: str) -> dict[str, Any]:
    """For the OpenAPI description: a form with these fields."""
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


def time_of(written: str, zone: tzinfo) -> datetime:
    """A time like `2026-11-23T09:12:03+08:00` or `2026-11-23 09:12:03`, in a zone where it has none; for validators.

    A `+` that a client forgot to encode has become a space on its way, so a space before the offset is one.
    """
    head, space, offset = written.strip().rpartition(" ")
    try:
        time = datetime.fromisoformat(f"{head}+{offset}" if space and "T" in head else written.strip())
    except ValueError:
        time = None
    if time is None or not DATE.match(written.strip()) or time.year not in YEARS:
        raise PydanticCustomError("time", "须是时间，如 2026-11-23T09:12:03+08:00")
    return time if time.tzinfo else time.replace(tzinfo=zone)
