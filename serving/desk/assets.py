"""What the pages load: scripts and styles of our own, each under a name that changes with its content."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

from serving.errors import Missing

ASSETS = Path(__file__).with_name("assets")
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
NAME = re.compile(r"[a-z0-9-]{1,64}\.(?:js|css|svg)")
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class NoAsset(Missing):
    """没有这个文件"""


@cache
def mark() -> str:
    """What changes whenever one of the files does: they load each other by relative names, so they share one mark."""
    held = b"".join(path.name.encode() + path.read_bytes() for path in sorted(ASSETS.iterdir()) if path.is_file())
    return hashlib.sha256(held).hexdigest()[:12]


def address(name: str) -> str:
    """Where a browser gets an asset."""
    return f"/assets/{mark()}/{name}"


@cache
def content(name: str) -> bytes:
    """What an asset holds; raises `NoAsset`."""
    path = ASSETS / name
    if not NAME.fullmatch(name) or not path.is_file():
        raise NoAsset
    return path.read_bytes()


def routes() -> APIRouter:
    """`/assets/{mark}/{name}`: for ever where the mark is today's, else never kept."""
    router = APIRouter()

    @router.get("/assets/{version}/{name}")
    async def asset(version: str, name: str) -> Response:
        media = TYPES.get(Path(name).suffix)
        return Response(content(name), headers=FOREVER if version == mark() else {}, media_type=media)

    return router
