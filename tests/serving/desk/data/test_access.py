"""Nobody comes to the data desk who may not: every door of it asks for the scope."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import select

from nlp.decider import Decider
from serving.access.keys import Keys
from serving.access.scope import Scope
from serving.app import create_app
from serving.desk.data.folder import Folder
from serving.desk.data.routes import routes
from serving.desk.pages import Pages
from serving.service import Service
from serving.settings import Settings
from serving.store import tables
from tests.serving.desk.data.conftest import Put


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


def test_a_look_at_tickets_is_noted(
    desk: TestClient, service: Service, put: Put, folder: Folder, model_folder: Path
) -> None:
    reply = desk.post("/v1/decisions", json={"petitions": [{"id": "A0", "text": "小区门口的路灯不亮"}]})
    decision = reply.json()["decisions"][0]["decision_id"]
    listed, fitted = put("next", asked={"upload": ""}).id, put("fit", asked={"upload": "u"}).id
    row = {"petition_id": "P0", "title": "", "text": "路灯不亮", "confidence": 0.3}
    folder.listed(listed).write_bytes(orjson.dumps(row))
    shutil.copytree(model_folder, folder.models(fitted) / "20261123-0900")
    folder.report(fitted).mkdir()
    (folder.report(fitted) / "report.html").write_text("报告", encoding="utf-8")
    doubted = {"task": "category", "line": 2, "given": "a", "suggested": "b", "title": "", "text": "路灯不亮"}
    folder.suspects(fitted).write_bytes(orjson.dumps(doubted))
    looks = {
        f"/data/tickets/{decision}": ("read", decision),
        "/data/opinions": ("list", "opinions"),
        f"/data/label/{listed}": ("list", listed),
        f"/data/label/{listed}/training.jsonl": ("export", listed),
        f"/data/suspects/{fitted}": ("list", fitted),
        f"/data/errands/{fitted}/report.html": ("list", fitted),
        f"/data/errands/{fitted}/report.html?save": ("export", fitted),
    }
    for path in looks:
        assert desk.get(path).status_code == 200, path
    columns = tables.audit.c
    query = select(columns.action, columns.object).where(columns.action.in_(("read", "list", "export")))
    found = service.journal.read(lambda store: store.execute(query.order_by(columns.seq)).all())
    assert [tuple(row) for row in found] == list(looks.values())
