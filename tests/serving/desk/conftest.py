"""What the tests of the pages share: an office behind keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from nlp.decider import Decider
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.app import create_app
from serving.service import Service
from serving.settings import Settings

Opened = Callable[..., TestClient]
HERE = "http://127.0.0.1:8000"


@pytest.fixture
def opened(store_url: str, tmp_path: Path, decider: Decider) -> Iterator[Opened]:
    """Opens a service that asks for keys, with these settings; it follows no redirects."""
    clients: list[TestClient] = []

    def opening(base_url: str = HERE, **more: Any) -> TestClient:
        settings = Settings(home=tmp_path / "home", store=SecretStr(store_url), rules_every=0, **more)
        client = TestClient(create_app(settings, decider), base_url=base_url, follow_redirects=False)
        clients.append(client)
        return client.__enter__()

    yield opening
    for client in clients:
        client.__exit__(None, None, None)


def parts(client: TestClient) -> Service:
    """The parts of a service."""
    app: Any = client.app
    service: Service = app.state.service
    return service


def key(client: TestClient, scope: Scope = Scope.admin, name: str = "张敏", **more: Any) -> str:
    """A new key for a service."""
    service = parts(client)
    return Keys(service.journal, service.secret).create(scope, name, **more)
