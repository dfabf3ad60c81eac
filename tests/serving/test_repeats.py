"""Idempotency-Key: done once, answered alike every time, and never left hanging by whoever died."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import Response
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from serving.access.who import INSECURE
from serving.door.described import Direct
from serving.repeats import Repeat, once
from serving.service import Service
from serving.store import tables

BODY: dict[str, Any] = {"petitions": [{"id": "A-17", "text": "楼上卫生间漏水"}]}
KEY = {"idempotency-key": "5f0c-1"}


def decided(service: Service) -> int:
    table = tables.decisions
    return service.journal.read(lambda connection: connection.scalar(select(func.count()).select_from(table))) or 0


def test_the_second_time_gets_the_first_answer(desk: TestClient, service: Service) -> None:
    first, second = (desk.post("/v1/decisions", json=BODY, headers=KEY) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert decided(service) == 1


def test_another_body_is_refused(desk: TestClient, service: Service) -> None:
    desk.post("/v1/decisions", json=BODY, headers=KEY)
    reply = desk.post("/v1/decisions", json=BODY | {"evidence": False}, headers=KEY)
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert decided(service) == 1


def test_another_path_is_another_request(desk: TestClient) -> None:
    desk.post("/v1/decisions", json=BODY, headers=KEY)
    assert desk.post("/v1/feedback", json=BODY, headers=KEY).status_code == 422


def test_many_at_once_are_done_once(desk: TestClient, service: Service) -> None:
    def ask(_: int) -> tuple[int, bytes]:
        reply = desk.post("/v1/decisions", json=BODY, headers=KEY)
        return reply.status_code, reply.content

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))
    statuses = {status for status, _ in answers}
    assert 200 in statuses
    assert statuses <= {200, 409}
    assert len({body for status, body in answers if status == 200}) == 1
    assert decided(service) == 1


def test_a_failed_request_frees_its_key(desk: TestClient, service: Service) -> None:
    assert desk.post("/v1/decisions", json=BODY | {"profile": "nowhere"}, headers=KEY).status_code == 422
    assert desk.post("/v1/decisions", json=BODY, headers=KEY).status_code == 200
    assert decided(service) == 1


def test_in_flight_is_told_and_the_dead_are_succeeded(desk: TestClient, service: Service) -> None:
    desk.post("/v1/decisions", json=BODY, headers=KEY)
    update = tables.requests.update()
    service.journal.write_now(lambda unit: unit.connection.execute(update.values(status=None, content=None)).rowcount)
    assert desk.post("/v1/decisions", json=BODY, headers=KEY).status_code == 409
    service.journal.write_now(lambda unit: unit.connection.execute(update.values(begun_at=0)).rowcount)
    assert desk.post("/v1/decisions", json=BODY, headers=KEY).status_code == 200


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "键", "a b"])
def test_a_key_that_is_none_is_refused(desk: TestClient, name: str) -> None:
    headers = {"idempotency-key": name.encode()}
    assert desk.post("/v1/decisions", json=BODY, headers=headers).status_code == 400


@pytest.mark.parametrize(("headers", "status"), [({}, 400), (KEY, 200)])
def test_where_a_key_is_required_its_absence_is_told(
    desk: TestClient, service: Service, headers: dict[str, str], status: int
) -> None:
    async def door(request: Request) -> Response:
        async def answer(_: Repeat | None) -> bytes:
            return b"{}"

        return await once(service, request, INSECURE, await request.body(), answer, required=True)

    app: Any = desk.app
    app.router.add_api_route("/needs-a-key", door, methods=["POST"], route_class_override=Direct)
    reply = desk.post("/needs-a-key", headers=headers)
    assert reply.status_code == status
    if status == 400:
        assert "Idempotency-Key" in reply.json()["detail"]
