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

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_headers_conformance, response_schema_conformance,
]  # fmt: skip


OPERATIONS = [
    "GET /healthz", "GET /metrics", "GET /readyz", "GET /v1/models/current", "GET /v1/profiles", "GET /v1/taxonomy",
    "POST /v1/decisions",
]  # fmt: skip


@pytest.fixture(scope="module")
def operations(client: TestClient) -> dict[str, APIOperation]:
    schema = schemathesis.openapi.from_asgi("/openapi.json", client.app)
    return {result.ok().label: result.ok() for result in schema.get_all_operations()}


def test_every_operation_is_tried(operations: dict[str, APIOperation]) -> None:
    assert sorted(operations) == OPERATIONS


CASES = [(label, GenerationMode.POSITIVE) for label in OPERATIONS] + [("POST /v1/decisions", GenerationMode.NEGATIVE)]


@pytest.mark.parametrize(("label", "mode"), CASES)
def test_an_operation_answers_as_described(
    operations: dict[str, APIOperation], label: str, mode: GenerationMode
) -> None:
    statuses: set[int] = set()

    @settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operations[label].as_strategy(generation_mode=mode))
    def attempt(case: Case) -> None:
        statuses.add(case.call_and_validate(checks=CHECKS).status_code)

    attempt()
    assert statuses <= ({200, 422} if mode is GenerationMode.POSITIVE else {401, 405, 413, 422})
