"""Thousands of odd requests, drawn from the description of the interface: none crashes the service."""

from __future__ import annotations

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Scope, Send

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
]  # fmt: skip
# What must be there, and is tried longest; every other operation of the description is tried too.
CORE = [
    "GET /healthz", "GET /metrics", "GET /readyz", "GET /v1/indicators", "GET /v1/models/current", "GET /v1/profiles",
    "GET /v1/taxonomy", "POST /v1/decisions", "POST /v1/feedback", "POST /v1/outcomes",
]  # fmt: skip


def lasting(app: ASGIApp) -> ASGIApp:
    """An app that does not hear of the end of a life: schemathesis starts and stops one for every request."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    return outer


@pytest.fixture(scope="module")
def operations(client: TestClient) -> dict[str, APIOperation]:
    schema = schemathesis.openapi.from_asgi("/openapi.json", lasting(client.app))
    return {result.ok().label: result.ok() for result in schema.get_all_operations()}


def tried(operation: APIOperation, mode: GenerationMode, examples: int) -> set[int]:
    """The statuses that so many requests got, all of them as described."""
    statuses: set[int] = set()

    @settings(max_examples=examples, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: Case) -> None:
        statuses.add(case.call_and_validate(checks=CHECKS).status_code)

    attempt()
    return statuses


def test_the_operations_of_the_contract_are_described(operations: dict[str, APIOperation]) -> None:
    assert set(CORE) <= set(operations)


@pytest.mark.parametrize("label", CORE)
def test_an_operation_answers_as_described(operations: dict[str, APIOperation], label: str) -> None:
    assert tried(operations[label], GenerationMode.POSITIVE, 30) <= {200, 404, 422}


@pytest.mark.parametrize("label", [label for label in CORE if label.startswith("POST")])
def test_what_the_description_forbids_is_refused(operations: dict[str, APIOperation], label: str) -> None:
    assert tried(operations[label], GenerationMode.NEGATIVE, 30) <= {400, 401, 404, 405, 413, 422}


def test_every_other_door_answers_as_described(operations: dict[str, APIOperation], subtests: pytest.Subtests) -> None:
    """What these forbid is tried in test_hostile.py: nothing invalid can be drawn for most of them."""
    for label, operation in operations.items():
        if label not in CORE:
            with subtests.test(label):
                assert max(tried(operation, GenerationMode.POSITIVE, 8)) < 500
