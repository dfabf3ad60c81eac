"""Markup: the same answer as JSON or as XML, as the end of the path asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from xml.etree import ElementTree

import orjson
from fastapi import Request
from fastapi.responses import Response

MEDIA = {"json": "application/json", "xml": "text/xml; charset=utf-8"}
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """The names that an answer has in XML: of the whole, and of each item of a list."""

    whole: str
    item: str = ""

    def answer(self, request: Request, content: Fields | Sequence[Fields], status: int = 200) -> Response:
        """An object or a list of objects, in the format that the path of the request ends with."""
        kind = format_of(request)
        body = orjson.dumps(content) if kind == "json" else self.xml(content)
        return Response(body, status, media_type=MEDIA[kind])

    def xml(self, content: Fields | Sequence[Fields]) -> bytes:
        """The content as an XML document; characters that XML has no place for give way to `�`."""
        tree = _object(self.whole, content) if isinstance(content, Mapping) else _list(self, content)
        whole: bytes = ElementTree.tostring(tree, encoding="utf-8", xml_declaration=True)
        return whole


def format_of(request: Request) -> str:
    """`xml` or `json`, by the end of the path."""
    return "xml" if request.url.path.endswith(".xml") else "json"


def answers(media: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI description: answers of one media type under these statuses."""
    content: dict[str, Any] = {media: {"schema": {}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def query(*names: str, path: str = "") -> dict[str, Any]:
    """For the OpenAPI description: parameters of the query, all optional, and one of the path."""
    told = [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in names]
    if path:
        told.append({"name": path, "in": "path", "required": True, "schema": {"type": "string"}})
    return {"parameters": told}


def _list(shape: Shape, items: Sequence[Fields]) -> ElementTree.Element:
    whole = ElementTree.Element(shape.whole)
    whole.extend(_object(shape.item, item) for item in items)
    return whole


def _object(name: str, fields: Fields) -> ElementTree.Element:
    """An element with one child a field; none for what is empty, and lists hold nothing here."""
    element = ElementTree.Element(name)
    for key, value in fields.items():
        ElementTree.SubElement(element, key).text = _text(value)
    return element


def _text(value: Any) -> str | None:
    if value is None or value == []:
        return None
    return str(value).lower() if isinstance(value, bool) else FORBIDDEN.sub("\ufffd", str(value))
