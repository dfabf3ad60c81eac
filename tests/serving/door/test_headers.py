"""Security headers: on every answer; the documentation still works under them."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from fastapi.testclient import TestClient
from fastapi_offline import FastAPIOffline

from serving.door.headers import Headers


@pytest.fixture
def app() -> FastAPI:
    app = FastAPIOffline(redoc_url=None)
    app.add_middleware(Headers)

    @app.get("/own")
    async def own() -> Response:
        return Response("x", headers={"content-security-policy": "default-src 'self'", "cache-control": "max-age=5"})

    @app.get("/plain")
    async def plain() -> str:
        return "x"

    return app


@pytest.mark.parametrize("path", ["/plain", "/nowhere", "/docs", "/static-offline-docs/swagger-ui.css", "/own"])
def test_every_answer_is_safe(app: FastAPI, path: str) -> None:
    headers = TestClient(app).get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "geolocation=()" in headers["permissions-policy"]
    assert headers["content-security-policy"]
    assert "server" not in headers
    assert "strict-transport-security" not in headers
    assert len(headers.get_list("content-security-policy")) == len(headers.get_list("cache-control")) == 1


def test_an_answer_of_the_interface_loads_nothing_and_is_not_kept(app: FastAPI) -> None:
    headers = TestClient(app).get("/plain").headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


def test_https_is_to_be_kept_where_it_was_used(app: FastAPI) -> None:
    headers = TestClient(app, base_url="https://hotline.example").get("/plain").headers
    assert headers["strict-transport-security"] == "max-age=31536000"


def test_what_an_answer_sets_itself_stays(app: FastAPI) -> None:
    headers = TestClient(app).get("/own").headers
    assert headers["content-security-policy"] == "default-src 'self'"
    assert headers["cache-control"] == "max-age=5"


def test_the_documentation_may_run_its_own_scripts_and_no_others(app: FastAPI) -> None:
    reply = TestClient(app).get("/docs")
    policy = reply.headers["content-security-policy"]
    script_src = next(part for part in policy.split("; ") if part.startswith("script-src"))
    inline = re.findall(r"<script>(.*?)</script>", reply.text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in inline]
    assert inline
    assert script_src.split()[1:] == ["'self'", *(f"'sha256-{digest}'" for digest in digests)]
    assert "frame-ancestors 'none'" in policy
    links = re.findall(r"""(?:src|href)=["']([^"']+)["']""", reply.text)
    assert links
    assert all(link.startswith("/static-offline-docs/") for link in links)
    assert "max-age" in TestClient(app).get(links[0]).headers["cache-control"]
