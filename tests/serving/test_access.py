"""Nobody comes into the service without a key, at any of its doors, and who tries learns nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from nlp.decider import Decider
from serving.access.keys import LIFE, Keys
from serving.access.scope import Scope
from serving.app import create_app
from serving.journal.opening import opened_journal
from serving.secret import open_secret
from serving.settings import Settings

PETITIONS = {"petitions": [{"id": "1", "text": "楼上卫生间漏水"}]}
OPEN = {"/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"}  # for operations: they say nothing of anybody

PROBES = {"/labelstudio/health", "/v2/health/live", "/v2/health/ready", "/v2/models/x/ready"}  # of other protocols
BY_FORM = {"/open311/v2/requests.json", "/open311/v2/requests.xml", "/adapters/signed/petitions"}  # their key is in it
REFUSED = {401, 403}  # GeoReport v2 wants 403 for a key that is missing


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def locked(decider: Decider, settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings, decider), raise_server_exceptions=False) as client:
        yield client


def created(settings: Settings, scope: Scope) -> str:
    """A key of this service, made by another process as it were, which the service knows within a second."""
    with opened_journal(settings) as journal:
        made = Keys(journal, open_secret(settings)).create(scope)
    time.sleep(LIFE)
    return made


def doors(client: TestClient) -> list[tuple[str, str]]:
    """Every method and path that the service describes, with something where a path has a name in braces."""
    paths = client.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), re.sub(r"\{[^}]+\}", "x", path))
        for path, methods in paths.items() for method in methods
        if path not in OPEN
    ]  # fmt: skip


def test_no_door_opens_without_a_key(locked: TestClient) -> None:
    inside = doors(locked)
    assert ("POST", "/v1/decisions") in inside
    assert len(inside) > 5
    for headers in ({}, {"x-api-key": "aaaaaaaaaaaa." + "s" * 43}, {"authorization": "Bearer a.b.c"}):
        answers = {
            (method, path): locked.request(method, path, content=b"not json", headers=headers).status_code
            for method, path in inside
        }
        odd = {path: status for (_, path), status in answers.items() if status not in REFUSED and path not in PROBES}
        assert set(odd) <= BY_FORM
        assert set(odd.values()) <= {415}


def test_a_key_opens(locked: TestClient, settings: Settings) -> None:
    key = created(settings, Scope.operator)
    for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
        assert locked.post("/v1/decisions", json=PETITIONS, headers=headers).status_code == 200
    assert locked.post("/v1/decisions", json=PETITIONS, headers={"x-api-key": key[:-1]}).status_code == 401


def test_a_key_for_figures_decides_nothing(locked: TestClient, settings: Settings) -> None:
    key = created(settings, Scope.data)
    reply = locked.post("/v1/decisions", json=PETITIONS, headers={"x-api-key": key})
    assert (reply.status_code, reply.headers["content-type"]) == (403, "application/problem+json")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_needs_no_key(locked: TestClient, path: str) -> None:
    assert locked.get(path).status_code == 200


def test_an_insecure_service_asks_for_no_key(decider: Decider, tmp_path: Path) -> None:
    with TestClient(create_app(Settings(insecure=True, home=tmp_path), decider)) as client:
        assert client.post("/v1/decisions", json=PETITIONS).status_code == 200
        assert client.post("/v1/decisions", json=PETITIONS, headers={"x-api-key": "wrong"}).status_code == 200
