"""Nobody comes to the data desk who may not: every door of it asks for the scope."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import SecretStr

from nlp.decider import Decider
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.app import create_app
from serving.desk.data.routes import routes
from serving.desk.pages import Pages
from serving.settings import Settings


@pytest.fixture
def guarded(store_url: str, tmp_path: Path, decider: Decider) -> Iterator[TestClient]:
    """A service that asks for keys."""
    settings = Settings(home=tmp_path / "home", store=SecretStr(store_url), rules_every=0)
    with TestClient(create_app(settings, decider), follow_redirects=False) as client:
        yield client


def doors(client: TestClient) -> list[tuple[str, str]]:
    app: Any = client.app
    found = [route for route in routes(Pages(app.state.service)).routes if isinstance(route, APIRoute)]
    return [
        (method, route.path.format(id="01J" + 23 * "0", name="report.html"))
        for route in found
        for method in sorted(route.methods)
    ]


def test_without_a_key_nobody_comes_in(guarded: TestClient) -> None:
    found = doors(guarded)
    assert len(found) > 20
    for method, path in found:
        reply = guarded.request(method, path, json={})
        assert reply.status_code in {303, 401}, (method, path)
        if reply.status_code == 303:
            assert reply.headers["location"].startswith("/login?next=%2Fdata")


def test_an_operator_may_not_come_in_and_data_staff_may(guarded: TestClient) -> None:
    app: Any = guarded.app
    service = app.state.service
    keys = {scope: Keys(service.journal, service.secret).create(scope) for scope in (Scope.operator, Scope.data)}
    for method, path in doors(guarded):
        headers = {"x-api-key": keys[Scope.operator]}
        assert guarded.request(method, path, json={}, headers=headers).status_code == 403, (method, path)
        headers = {"x-api-key": keys[Scope.data]}
        assert guarded.request(method, path, json={}, headers=headers).status_code not in {401, 403, 500}, (
            method,
            path,
        )
