"""Nobody comes in without the key, and who tries learns nothing."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from nlp.decider import Decider
from serving.app import create_app
from serving.settings import Settings

KEY = "0123456789abcdef0123456789abcdef"
PETITIONS = {"petitions": [{"id": "1", "text": "楼上卫生间漏水"}]}
INSIDE = [
    ("POST", "/v1/decisions"),
    ("GET", "/v1/taxonomy"),
    ("GET", "/v1/profiles"),
    ("GET", "/v1/models/current"),
]


@pytest.fixture(scope="module")
def locked(decider: Decider) -> TestClient:
    return TestClient(create_app(Settings(api_key=KEY), decider))


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": KEY},
        {"X-API-Key": KEY},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer {KEY}"},
        {"authorization": f"Bearer  {KEY} "},
    ],
)
@pytest.mark.parametrize(("method", "path"), INSIDE)
def test_the_key_opens_in_either_header(locked: TestClient, method: str, path: str, headers: dict[str, str]) -> None:
    body = PETITIONS if method == "POST" else None
    assert locked.request(method, path, json=body, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": KEY[:-1]},
        {"x-api-key": KEY + "0"},
        {"x-api-key": KEY.upper()},
        {"x-api-key": f"Bearer {KEY}"},
        {"authorization": KEY},
        {"authorization": "Bearer"},
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {KEY}"},
        {"x-api-key": "wrong", "authorization": f"Bearer {KEY}"},
        {"x-api-key": b"\xff\xfe\xe9".decode("latin-1")},
    ],
)
@pytest.mark.parametrize(("method", "path"), INSIDE)
def test_a_wrong_key_is_told_nothing(locked: TestClient, method: str, path: str, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    body = PETITIONS if method == "POST" else None
    reply = locked.request(method, path, json=body, headers=raw)
    assert reply.status_code == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.json() == {
        "type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "缺少有效的访问密钥", "errors": [],
    }  # fmt: skip


def test_without_the_key_the_body_is_not_judged(locked: TestClient) -> None:
    assert locked.post("/v1/decisions", content=b"not json").status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_key(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


def test_an_insecure_service_asks_for_no_key(decider: Decider) -> None:
    client = TestClient(create_app(Settings(insecure=True, api_key=KEY), decider))
    assert client.post("/v1/decisions", json=PETITIONS).status_code == 200
    assert client.post("/v1/decisions", json=PETITIONS, headers={"x-api-key": "wrong"}).status_code == 200
